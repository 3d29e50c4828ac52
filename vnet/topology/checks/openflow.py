"""What each bridge of Open vSwitch is sent at the start and by steps: meters, groups, flows.

Flows may call ports by name, so they are read once it is known which ports a bridge will have.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any

from vnet.base.text import did_you_mean, quote
from vnet.netdev import unattended  # noqa: F401

# These and the one above are not called: they declare why frames die in such a switch, which a
# scenario may expect.
from vnet.ovs.datapath import reasons  # noqa: F401
from vnet.ovs.flow.names import Names
from vnet.ovs.ofproto import upcall  # noqa: F401
from vnet.ovs.openflow.messages import FlowMod, GroupMod, MeterMod
from vnet.topology.checks.ovs_places import Place, find_places, port_numbers
from vnet.topology.checks.programs import Line, lines_of
from vnet.topology.checks.trial import Trial
from vnet.topology.checks.validate import Directory
from vnet.topology.reading.report import Path
from vnet.topology.schema.step import StepFile, every_step
from vnet.topology.schema.switch import TextFile
from vnet.topology.schema.topology import TopologyFile

Mods = tuple[MeterMod | GroupMod | FlowMod, ...]


class Openflow:
    """What the bridges of a file are sent; and where some ports ask for numbers, all get theirs.

    ``mods`` is what they are sent at the start, by their names in the lab. Files with flows are
    looked for as from ``folder``.
    """

    def __init__(self, file: TopologyFile, directory: Directory, folder: FilePath) -> None:
        self.mods: dict[str, Mods] = {}
        self._file = file
        self._report = directory.report
        self._folder = folder
        self._made: dict[tuple[object, ...], Mods | None] = {}
        """By entry and ports: the machines of a template are mostly alike."""
        self._places = {(place.node, place.name): place for place in find_places(directory)}
        self._trials: dict[str, Trial] = {}
        for place in self._places.values():
            mods = self._sent(place)
            if mods:
                self.mods[place.label] = mods

    def _sent(self, place: Place) -> Mods | None:
        """What a bridge is sent; None where something is wrong with it."""
        numbers = port_numbers(place)
        key = (place.path, *numbers.items())
        if key not in self._made:
            config = place.ovs.config
            names = Names(numbers, openflow_full=config.openflow_full)
            trial = Trial(names, config, self._report)
            faults = self._report.faults
            meters = trial.meters(self._written(place, "meters"))
            groups = trial.groups(self._written(place, "groups"), (*place.path, "groups"))
            # Flows that name a group or meter would be told that it is not there.
            trial.is_on = self._report.faults == faults
            flows = trial.flows(self._written(place, "flows"), (*place.path, "flows"))
            is_sound = self._report.faults == faults
            self._made[key] = (*meters, *groups, *flows) if is_sound else None
        return self._made[key]

    def _written(self, place: Place, key: str) -> list[Line]:
        section, name, *inner = place.path
        entries = getattr(self._file, str(section))
        entry = entries[name].switches[place.name] if inner else entries[name]
        return self.lines(getattr(entry, key), (*place.path, key))

    # -- for what they are sent later

    def lines(self, program: TextFile | list[Any] | str, path: Path) -> list[Line]:
        """The lines of what stands at ``path``."""
        return lines_of(program, path, self._report, self._folder)

    def line_at(self, text: str, path: Path) -> Line:
        """A text that is one line."""
        return Line(text, self._report.file, *self._report.root.place(path))

    def check_bond(self, node: str, bridge: str, port: str, path: Path) -> None:
        """Report it where a bridge has no bond of this name."""
        place = self._places[node, bridge]
        bonds = list(dict.fromkeys(bond.name for bond in place.bonds.values()))
        if port not in bonds:
            hint = did_you_mean(port, bonds, "it has") or "it has none"
            self._report.add((*path, "port"), f"{place.label} has no bond {quote(port)}", hint)

    def trial(self, node: str, bridge: str) -> Trial:
        """A bridge as it is after its start and all that it was sent by way of this trial."""
        place = self._places[node, bridge]
        if place.label not in self._trials:
            scenario = self._file.scenario or []
            moves = any(step.move for step in every_step(scenario))
            numbers = port_numbers(place, comers=moves)
            config = place.ovs.config
            names = Names(numbers, openflow_full=config.openflow_full)
            trial = Trial(names, config, self._report)
            mods = self._sent(place)
            if mods is None or not _is_in_order(scenario):
                trial.is_on = False
            else:
                trial.send(mods)
            self._trials[place.label] = trial
        return self._trials[place.label]


def _is_in_order(scenario: Sequence[StepFile]) -> bool:
    """Whether steps come in the order in which they are written, as far as that can be told."""
    times = [step.at for step in scenario if step.at is not None]
    return times == sorted(times)
