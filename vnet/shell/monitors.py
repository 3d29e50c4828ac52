"""``ovs-ofctl monitor`` and ``snoop`` at the prompt: messages are printed as they come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from vnet.base.errors import UsageError
from vnet.base.units import duration_text
from vnet.lab.ovs_commands import BridgeCommands
from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.ofproto.names import names_of
from vnet.ovs.openflow.controller.heard import Heard, hear
from vnet.ovs.openflow.controller.heard_text import heard_text
from vnet.ovs.openflow.wire.message import MessageReader
from vnet.ovs.vswitchd.ofctl.command import Options
from vnet.shell.context import ShellContext
from vnet.shell.output import plural, write

_MARGIN = " " * 14


def print_message(label: str, now_ns: int, heard: Heard, names: Names) -> None:
    """A message as ovs-ofctl prints it, with virtual time and the bridge in front."""
    text = heard_text(heard, names).replace("\n", f"\n{_MARGIN}")
    write(f"{duration_text(now_ns):>12}  {label} {text}", sys.stdout)


class MessageWatch:
    """Prints messages of the bridge ``label``, from now until :meth:`stop`."""

    def __init__(self, context: ShellContext, label: str, bridge: BridgeCommands) -> None:
        self.label = label
        self.n_seen = 0
        self._bridge = bridge
        self._ofproto = bridge.bridge
        """It may be deleted before all that it has told is shown."""
        self._context = context
        self._shows_names = False
        self._stop: Callable[[], None]

    @property
    def summary(self) -> str:
        """How much was printed."""
        return f"{plural(self.n_seen, 'message')} of {self.label}"

    def stop(self) -> None:
        """Print no more."""
        self._stop()

    def monitor(self, words: Sequence[str], options: Options) -> str:
        """Print what the bridge tells who asks for what ``words`` say. Raises UsageError where it
        refuses that."""
        self._shows_names = options.shows_names
        lab = self._context.lab
        monitor = lab.network.controllers.monitor(
            *(self.label, self._bridge, words), allowed=options.allowed, tell=self._show
        )
        self._stop = monitor.close
        lab.advance(0)
        if monitor.refusal:
            monitor.close()
            raise UsageError(f"monitor: {monitor.refusal}", "the switch refuses it")
        return f"what {self.label} tells is shown as it comes, until `watch stop`"

    def snoop(self) -> str:
        """Print what the bridge and its controller say to each other. Raises UsageError where it
        has none here."""
        controller = self._context.lab.network.controllers.of(self.label)
        if controller is None:
            what = f"snoop: {self.label} has no controller here"
            raise UsageError(what, f"`controller {self.label}` makes you one")
        self._stop = controller.snoop(self._show_bytes)
        return f"what {self.label} and its controller say is shown, until `watch stop`"

    def _show_bytes(self, data: bytes) -> None:
        reader = MessageReader()
        reader.take(data)
        while (message := reader.next()) is not None:
            self._show(hear(message))

    def _show(self, heard: Heard) -> None:
        self.n_seen += 1
        names = names_of(self._ofproto) if self._shows_names else NO_NAMES
        print_message(self.label, self._context.lab.now_ns, heard, names)
