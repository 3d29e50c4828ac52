"""A controller at the prompt: what it hears of its bridge is printed while the lab runs."""

from __future__ import annotations

import sys

from vnet.base.errors import UsageError
from vnet.base.text import printable
from vnet.controller.app import AppError
from vnet.controller.local import LocalController
from vnet.lab.ovs_commands import BridgeCommands
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.names import Names, port_text
from vnet.ovs.flow.ports import OFPP_LOCAL, OfpPort
from vnet.ovs.openflow.controller.heard import Heard
from vnet.ovs.openflow.controller.heard_text import is_news
from vnet.ovs.openflow.messages import PacketIn
from vnet.ovs.openflow.text.packet_out import read_packet_out
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.errors import ReceivedError
from vnet.shell.context import ShellContext
from vnet.shell.monitors import print_message

_MISS_FLOW = "priority=0, actions=CONTROLLER"


def become_controller(
    context: ShellContext,
    label: str,
    commands: BridgeCommands,
    app: str | None,
    *,
    versions: str | None,
    is_quiet: bool,
) -> ControllerWatch:
    """Control a bridge. Without an app, frames that no flow is for come to the prompt."""
    made = context.lab.network.controllers.attach(
        *(label, commands, app), versions=versions, tell_error=_told
    )
    watch = context.controllers[label] = ControllerWatch(made, is_quiet=is_quiet)
    context.lab.advance(0)
    if app is None and made.switch.version >= OpenFlowVersion.OF13:
        # Up to 1.2 a bridge does so by itself.
        made.switch.flow_mod(_MISS_FLOW)
        context.lab.advance(0)
    return watch


class ControllerWatch:
    """Prints what ``controller`` is told unasked, and what the bridge refuses; with ``is_quiet``
    that alone."""

    def __init__(self, controller: LocalController, *, is_quiet: bool) -> None:
        self.controller = controller
        self.n_errors = 0
        self._last: PacketIn | None = None
        self._is_quiet = is_quiet
        controller.watchers.append(self._hear)

    @property
    def n_packet_ins(self) -> int:
        """How many packets have come."""
        return self.controller.n_packet_ins

    @property
    def row(self) -> tuple[object, ...]:
        """Bridge, version, app, packets and errors."""
        made = self.controller
        app = "-" if made.app is None else made.app.name
        version = f"1.{made.switch.version - 1}"
        return made.label, version, app, made.n_packet_ins, self.n_errors + made.n_errors

    @property
    def summary(self) -> str:
        """Who is controlled, and by whom."""
        switch, app = self.controller.switch, self.controller.app
        if app is not None and not self.controller.is_open:
            return f"{app.name} has let go of {switch.name}"
        ports = " ".join(
            f"{number}({desc.name})"
            for number, desc in sorted(switch.ports.items())
            if number != OFPP_LOCAL
        )
        who = "you are" if app is None else f"{app.name} is"
        return (
            f"{who} the controller of {switch.name}: OpenFlow 1.{switch.version - 1}, datapath "
            f"{switch.datapath_id:016x}, ports {ports or 'none'}"
        )

    def send_packet(self, text: str) -> None:
        """Send a packet-out; one that names no packet is about the one that came last."""
        if "packet=" not in text:
            if self._last is None:
                raise UsageError("packet-out: no packet has come yet", "write packet=HEX")
            in_port = port_text(OfpPort(Flow.in_port.of(self._last.pipeline.value)))
            text = f"in_port={in_port} packet={self._last.frame.hex()} {text}"
        switch = self.controller.switch
        switch.send(read_packet_out(text, switch.names).packet_out)

    def _hear(self, heard: Heard) -> None:
        if isinstance(heard.content, PacketIn):
            self._last = heard.content
        is_error = isinstance(heard.content, ReceivedError)
        self.n_errors += is_error
        if is_news(heard) and (is_error or not self._is_quiet):
            switch = self.controller.switch
            names = switch.names
            if not sys.stdout.isatty():
                names = Names(openflow_full=names.openflow_full)
            print_message(switch.name, switch.now_ns, heard, names)


def _told(error: AppError) -> None:
    """What went wrong in an app."""
    sys.stdout.flush()
    sys.stderr.write(printable(str(error)) + "\n")
