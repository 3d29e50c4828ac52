"""What a Python user holds of a switch."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vnet.base.errors import UsageError
from vnet.lab.ovs_commands import OvsCommands
from vnet.lab.switches import Switch
from vnet.linux.bridge.bridge import Bridge

if TYPE_CHECKING:
    from vnet.controller.app import AppError
    from vnet.controller.local import LocalController
    from vnet.hypervisor.openvswitch import OpenVSwitch
    from vnet.lab.lab import Lab
    from vnet.lab.ovs_commands import BridgeCommands

_LOOKS = re.compile(r"\b(show|dump|list|stats|features|lookup|hash|trace)\b")
"""What is in the names of commands that change nothing."""

_LOOKS_OF_VSCTL = re.compile("show|get|list(-(br|ports|ifaces))?|find")


class SwitchHandle(OvsCommands):
    """A bridge in a host, or a switch on the wire.

    What says ``ovs-ofctl``, ``ovs-appctl`` or ``ovs-vsctl`` is for switches of Open vSwitch, and
    takes the texts that those take; ports may be called by name. What is changed is in force
    before the next frame. A bad text raises :class:`~vnet.ovs.flow.errors.OvsTextError`, what the
    switch refuses :class:`~vnet.ovs.openflow.errors.OpenFlowError`, and nothing has changed then.
    """

    def __init__(self, lab: Lab, switch: Switch) -> None:
        self._lab = lab
        self._switch = switch

    @property
    def name(self) -> str:
        return self._switch.name

    @property
    def bridge(self) -> Bridge:
        """The Linux bridge itself."""
        bridge = self._switch.bridge
        if bridge is None:
            raise UsageError(f"{self._switch.label} is a switch of Open vSwitch, no Linux bridge")
        return bridge

    @property
    def ports(self) -> dict[str, int]:
        """The ports by name, with their numbers."""
        return self._switch.ports()

    def fdb(self) -> list[dict[str, Any]]:
        """The stations it knows, as ``bridge fdb`` would list them; ages in seconds."""
        return self._switch.fdb()

    @property
    def machine(self) -> OpenVSwitch:
        """The Open vSwitch that it is a bridge of."""
        return self._commands.machine

    @property
    def _commands(self) -> BridgeCommands:
        commands = self._switch.commands
        if commands is None:
            what = f"{self._switch.label} is a Linux bridge, which has no flows"
            raise UsageError(what, "write 'type: ovs' in the topology")
        return commands

    def controller(
        self, app: str | Path | None = None, *, version: str | None = None
    ) -> LocalController:
        """Become its OpenFlow controller, until the result is closed.

        ``app`` is a file of Python that is told of events (:mod:`vnet.controller`), or ``@name``
        for one that comes with vnet; without one, ``switch`` and ``watchers`` of the result say
        and hear things. ``version`` is as ovs-ofctl's -O has it: ``"OpenFlow13"``. An error in the
        app is told on standard error, and kept in ``errors``.
        """
        self._lab.check_may_run()
        controllers = self._lab.network.controllers
        made = controllers.attach(
            *(self._switch.label, self._commands, app), versions=version, tell_error=_told
        )
        self._lab.advance(0)
        return made

    @contextmanager
    def monitor(self, *words: str, version: str | None = None) -> Iterator[list[str]]:
        """While the block lasts, a list that grows by each message that ``ovs-ofctl monitor``
        prints which is given ``words``, such as ``"65534"`` for packets without a flow and
        ``"watch:ip"`` for changes of flows. ``version`` is as its -O has it.
        """
        from vnet.ovs.flow.protocols import P_ANY
        from vnet.ovs.openflow.controller.heard_text import heard_text
        from vnet.ovs.openflow.version import protocols_of_versions

        self._lab.check_may_run()
        seen: list[str] = []
        monitor = self._lab.network.controllers.monitor(
            *(self._switch.label, self._commands, words),
            allowed=P_ANY if version is None else protocols_of_versions(version),
            tell=lambda heard: seen.append(heard_text(heard)),
        )
        try:
            self._lab.advance(0)
            if monitor.refusal:
                raise UsageError(f"monitor: {self._switch.label} refuses it: {monitor.refusal}")
            yield seen
        finally:
            monitor.close()

    def ofctl(
        self,
        command: str,
        *words: str | int,
        names: bool = False,
        strict: bool = False,
        stdin: str = "",
    ) -> str:
        """As of every bridge; once the lab is closed, a change raises :class:`UsageError`."""
        self._check_open(command)
        return super().ofctl(command, *words, names=names, strict=strict, stdin=stdin)

    def appctl(self, command: str, *words: str | int) -> str:
        """As of every bridge; once the lab is closed, a change raises :class:`UsageError`."""
        self._check_open(command, *words)
        return super().appctl(command, *words)

    def vsctl(self, *words: str | int) -> str:
        """As of every bridge; once the lab is closed, all but a look raises
        :class:`UsageError`."""
        from vnet.ovs.vsctl.command_line import parse_command_line

        _, commands = parse_command_line([str(word) for word in words])
        if not all(_LOOKS_OF_VSCTL.fullmatch(command.name) for command in commands):
            self._lab.check_open()
        return super().vsctl(*words)

    def _check_open(self, command: str, *words: str | int) -> None:
        if "-generate" in words or not _LOOKS.search(str(command)):
            self._lab.check_open()

    def __repr__(self) -> str:
        return f"<SwitchHandle {self._switch.label}>"


def _told(error: AppError) -> None:
    sys.stderr.write(f"{error}\n")
