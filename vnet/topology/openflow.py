"""What each bridge of Open vSwitch is sent at the start: its flows and groups, read and tried.

Flows may call ports by name, so they are read once it is known which ports a bridge will have.
A bridge that is made for it and thrown away then shows what would be refused. What is said of a
flow is what ovs-ofctl(8) and the switch would say, with its place in front.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path as FilePath
from typing import TypeVar

from vnet.netdev import unattended  # noqa: F401

# These and the one above are not called: they declare why frames die in such a switch, which a
# scenario may expect.
from vnet.ovs.datapath import reasons  # noqa: F401
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OFPP_NORMAL
from vnet.ovs.flow.protocols import P_ANY
from vnet.ovs.ofproto import upcall  # noqa: F401
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMod, FlowModCommand, GroupMod
from vnet.ovs.openflow.ofpacts import Output
from vnet.ovs.openflow.text.flow_mod import read_flow
from vnet.ovs.openflow.text.flow_sending import flow_as_sent, protocol_for
from vnet.ovs.openflow.text.group import read_group
from vnet.ovs.openflow.text.group_sending import group_as_sent
from vnet.sim.scheduler import Scheduler
from vnet.topology.ovs_places import Place, find_places, port_numbers
from vnet.topology.programs import Line, lines_of
from vnet.topology.report import Path, Report
from vnet.topology.schema import TopologyFile
from vnet.topology.switch_schema import SwitchFile
from vnet.topology.validate import Directory

Mods = tuple[FlowMod | GroupMod, ...]

_ModT = TypeVar("_ModT", FlowMod, GroupMod)


def make_openflow(file: TopologyFile, directory: Directory, folder: FilePath) -> dict[str, Mods]:
    """What bridges are sent, by their names in the lab; and where some ports ask for numbers,
    all get theirs. Files with flows are looked for as from ``folder``.
    """
    return _Maker(file, directory, folder).make()


class _Maker:
    def __init__(self, file: TopologyFile, directory: Directory, folder: FilePath) -> None:
        self.file = file
        self.directory = directory
        self.report: Report = directory.report
        self.folder = folder
        self.made: dict[tuple[object, ...], Mods] = {}
        """By entry and ports: the machines of a template are mostly alike."""

    def make(self) -> dict[str, Mods]:
        found = {}
        for place in find_places(self.directory):
            mods = self.mods(place)
            if mods:
                found[place.label] = mods
        return found

    def mods(self, place: Place) -> Mods:
        """What the bridge is sent; nothing where something is wrong with it."""
        entry = self.entry(place)
        numbers = port_numbers(place)
        key = (place.path, *numbers.items())
        if key not in self.made:
            trial = _Trial(Names(numbers), self.report, is_secure=place.ovs.config.is_secure)
            path, faults = place.path, self.report.faults
            lines = lines_of(entry.groups, (*path, "groups"), self.report, self.folder)
            groups = trial.run(lines, (*path, "groups"), read_group, group_as_sent)
            # Flows that name a group would be told that it is not there.
            trial.is_on = self.report.faults == faults
            lines = lines_of(entry.flows, (*path, "flows"), self.report, self.folder)
            flows = trial.run(lines, (*path, "flows"), read_flow, flow_as_sent)
            self.made[key] = (*groups, *flows)
        return self.made[key]

    def entry(self, place: Place) -> SwitchFile:
        section, name, *inner = place.path
        entries = getattr(self.file, str(section))
        found = entries[name].switches[place.name] if inner else entries[name]
        assert isinstance(found, SwitchFile)
        return found


class _Trial:
    """A bridge that is sent flows and groups to see whether it takes them.

    While it is not ``is_on`` they are read and no more.
    """

    def __init__(self, names: Names, report: Report, *, is_secure: bool) -> None:
        self.is_on = True
        self._names = names
        self._report = report
        self._bridge = Ofproto("trial", Scheduler())
        if not is_secure:
            normal = FlowMod(FlowModCommand.ADD, priority=0, actions=(Output(OFPP_NORMAL),))
            self._bridge.flow_mod(normal)

    def run(
        self,
        lines: Sequence[Line],
        path: Path,
        read: Callable[[str, None, Names], tuple[_ModT, int]],
        as_sent: Callable[[_ModT, int], _ModT],
    ) -> list[_ModT]:
        """What a switch gets of lines that stand at ``path``; all are sent by one protocol, as
        ovs-ofctl(8) does with a file."""
        found: list[tuple[Line, _ModT]] = []
        usable = P_ANY
        for line in lines:
            try:
                mod, protocols = read(line.text, None, self._names)
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
                self._bridge.bundle((mod,))
        except (OvsTextError, OpenFlowError) as error:
            self._tell(line, error)
            return []
        return [mod]

    def _tell(self, line: Line, error: OvsTextError | OpenFlowError) -> None:
        hint = "the switch refuses it" if isinstance(error, OpenFlowError) else ""
        self._report.add_at(line.file, line.line, line.column, error.what, error.hint or hint)
