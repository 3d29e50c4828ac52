"""A bridge that is sent flows, groups and meters to see whether it takes them.

It has been made for that and is thrown away. What is said of a line is what ovs-ofctl(8) and the
switch would say, with its place in front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OFPP_NORMAL
from vnet.ovs.flow.protocols import P_ANY
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    FlowMod,
    FlowModCommand,
    GroupMod,
    GroupModCommand,
    MeterMod,
    MeterModCommand,
)
from vnet.ovs.openflow.ofpacts import Output
from vnet.ovs.openflow.text.flow_mod import read_flow
from vnet.ovs.openflow.text.group import read_group
from vnet.ovs.openflow.text.meter import parse_meter
from vnet.ovs.openflow.text.sending import flow_as_sent, group_as_sent, protocol_for
from vnet.ovs.vswitchd.config import BridgeConfig
from vnet.ovs.vswitchd.tables import table_settings
from vnet.sim.scheduler import Scheduler
from vnet.topology.checks.programs import Line
from vnet.topology.reading.report import Path, Report

_ModT = TypeVar("_ModT", FlowMod, GroupMod)


class Trial:
    """A bridge of its ``config``, whose ports have ``names``; what is wrong goes to ``report``.

    While it is not ``is_on`` lines are read and no more.
    """

    def __init__(self, names: Names, config: BridgeConfig, report: Report) -> None:
        self.is_on = True
        self.bridge = Ofproto("trial", Scheduler())
        self.bridge.openflow_full = config.openflow_full
        self._names = names
        self._report = report
        for number, table in config.flow_tables.items():
            self.bridge.configure_table(number, table_settings(table))
        if not config.is_secure:
            normal = FlowMod(FlowModCommand.ADD, priority=0, actions=(Output(OFPP_NORMAL),))
            self.bridge.flow_mod(normal)

    def send(self, mods: Iterable[MeterMod | GroupMod | FlowMod]) -> None:
        """Send what it is known to take."""
        for mod in mods:
            if isinstance(mod, MeterMod):
                self.bridge.meter_mod(mod)
            else:
                self.bridge.bundle((mod,))

    def flows(
        self, lines: Sequence[Line], path: Path, command: FlowModCommand | None = None
    ) -> list[FlowMod]:
        """What a switch gets of flows that stand at ``path``. Without ``command`` a line may begin
        with one, and adds a flow if it does not."""

        def read(text: str) -> tuple[FlowMod, int]:
            return read_flow(text, command, self._names)

        as_sent = partial(flow_as_sent, openflow_full=self._names.openflow_full)
        return self._run(lines, path, read, as_sent)

    def groups(
        self, lines: Sequence[Line], path: Path, command: GroupModCommand | None = None
    ) -> list[GroupMod]:
        """The same of groups."""

        def read(text: str) -> tuple[GroupMod, int]:
            return read_group(text, command, self._names)

        as_sent = partial(group_as_sent, openflow_full=self._names.openflow_full)
        return self._run(lines, path, read, as_sent)

    def meters(
        self, lines: Sequence[Line], command: MeterModCommand = MeterModCommand.ADD
    ) -> list[MeterMod]:
        """The same of meters, whose lines do not begin with a command."""
        found = []
        for line in lines:
            try:
                mod = parse_meter(line.text, command)
                if self.is_on:
                    self.bridge.meter_mod(mod)
            except (OvsTextError, OpenFlowError) as error:
                self._tell(line, error)
            else:
                found.append(mod)
        return found

    # -- what steps change, a verb of theirs at a time

    def change_flows(
        self, verb: str, lines: Sequence[Line], path: Path, *, strict: bool = False
    ) -> None:
        """Have flows added, modified or deleted. Only additions go together, as of a file."""
        if verb == "add":
            self.flows(lines, path)
            return
        command = FlowModCommand[f"{verb}_strict".upper() if strict else verb.upper()]
        for line in lines:
            self.flows([line], path, command)

    def change_groups(self, verb: str, lines: Sequence[Line], path: Path) -> None:
        """The same of groups."""
        if verb == "add":
            self.groups(lines, path)
            return
        for line in lines:
            self.groups([line], path, GroupModCommand[verb.upper()])

    def change_meters(self, verb: str, lines: Sequence[Line], _path: Path) -> None:
        """The same of meters."""
        self.meters(lines, MeterModCommand[verb.upper()])

    def select_flows(self, line: Line) -> None:
        """Have a text read that selects flows, and change nothing."""
        try:
            read_flow(line.text, FlowModCommand.DELETE, self._names)
        except OvsTextError as error:
            self._tell(line, error)

    def _run(
        self,
        lines: Sequence[Line],
        path: Path,
        read: Callable[[str], tuple[_ModT, int]],
        as_sent: Callable[[_ModT, int], _ModT],
    ) -> list[_ModT]:
        """All lines are sent by one protocol, as ovs-ofctl(8) does with a file."""
        found: list[tuple[Line, _ModT]] = []
        usable = P_ANY
        for line in lines:
            try:
                mod, protocols = read(line.text)
            except OvsTextError as error:
                self._tell(line, error)
            else:
                found.append((line, mod))
                usable &= protocols
        try:
            protocol = protocol_for(usable)
        except OvsTextError as error:
            self._report.add(path, error.what, error.hint)
            return []
        return [
            mod for line, read_mod in found for mod in self._sent(line, read_mod, protocol, as_sent)
        ]

    def _sent(
        self, line: Line, read: _ModT, protocol: int, as_sent: Callable[[_ModT, int], _ModT]
    ) -> list[_ModT]:
        """What arrives of one line; nothing if it is refused."""
        try:
            mod = as_sent(read, protocol)
            if self.is_on:
                self.bridge.bundle((mod,))
        except (OvsTextError, OpenFlowError) as error:
            self._tell(line, error)
            return []
        return [mod]

    def _tell(self, line: Line, error: OvsTextError | OpenFlowError) -> None:
        hint = "the switch refuses it" if isinstance(error, OpenFlowError) else line.hint
        self._report.add_at(line.file, line.line, line.column, error.what, error.hint or hint)
