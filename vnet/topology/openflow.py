"""What each bridge of Open vSwitch is sent at the start: its meters, groups and flows.

Flows may call ports by name, so they are read once it is known which ports a bridge will have.
"""

from __future__ import annotations

from pathlib import Path as FilePath

from vnet.netdev import unattended  # noqa: F401

# These and the one above are not called: they declare why frames die in such a switch, which a
# scenario may expect.
from vnet.ovs.datapath import reasons  # noqa: F401
from vnet.ovs.flow.names import Names
from vnet.ovs.ofproto import upcall  # noqa: F401
from vnet.ovs.openflow.messages import FlowMod, GroupMod, MeterMod
from vnet.topology.ovs_places import Place, find_places, port_numbers
from vnet.topology.programs import Line, lines_of
from vnet.topology.schema import TopologyFile
from vnet.topology.switch_schema import SwitchFile
from vnet.topology.trial import Trial
from vnet.topology.validate import Directory

Mods = tuple[MeterMod | GroupMod | FlowMod, ...]


def make_openflow(file: TopologyFile, directory: Directory, folder: FilePath) -> dict[str, Mods]:
    """What bridges are sent, by their names in the lab; and where some ports ask for numbers,
    all get theirs. Files with flows are looked for as from ``folder``.
    """
    return _Maker(file, directory, folder).make()


class _Maker:
    def __init__(self, file: TopologyFile, directory: Directory, folder: FilePath) -> None:
        self.file = file
        self.directory = directory
        self.report = directory.report
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
        numbers = port_numbers(place)
        key = (place.path, *numbers.items())
        if key not in self.made:
            trial = Trial(Names(numbers), place.ovs.config, self.report)
            faults = self.report.faults
            meters = trial.meters(self.lines(place, "meters"))
            groups = trial.groups(self.lines(place, "groups"), (*place.path, "groups"))
            # Flows that name a group or meter would be told that it is not there.
            trial.is_on = self.report.faults == faults
            flows = trial.flows(self.lines(place, "flows"), (*place.path, "flows"))
            self.made[key] = (*meters, *groups, *flows)
        return self.made[key]

    def lines(self, place: Place, key: str) -> list[Line]:
        program = getattr(self.entry(place), key)
        return lines_of(program, (*place.path, key), self.report, self.folder)

    def entry(self, place: Place) -> SwitchFile:
        section, name, *inner = place.path
        entries = getattr(self.file, str(section))
        found = entries[name].switches[place.name] if inner else entries[name]
        assert isinstance(found, SwitchFile)
        return found
