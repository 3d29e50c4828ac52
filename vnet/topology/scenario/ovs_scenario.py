"""Steps for bridges of Open vSwitch: each to one of :mod:`~vnet.topology.scenario.ovs_steps`.

What they send is tried on the bridge as the start and the steps before have made it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from vnet.topology.reading.report import Path
from vnet.topology.scenario.ovs_steps import (
    BondStep,
    Changes,
    FlowsStep,
    GroupsStep,
    MegaflowsStep,
    MetersStep,
    OvsStep,
    TablesStep,
)
from vnet.topology.steps import Expectation

if TYPE_CHECKING:
    from vnet.topology.checks.openflow import Openflow
    from vnet.topology.checks.programs import Line
    from vnet.topology.checks.trial import Trial

Change: TypeAlias = "Callable[[str, Sequence[Line], Path], None]"
"""Tries what stands under a verb of a step: the verb, the lines, and where they stand."""


class About(NamedTuple):
    """What every step here has, as :class:`~vnet.topology.scenario.ovs_steps.OvsStep` orders it."""

    at_ns: int | None
    expect: tuple[Expectation, ...]
    line: int
    node: str
    bridge: str | None


class OvsStepMaker:
    """Makes the steps of a scenario whose switches have been found."""

    def __init__(self, openflow: Openflow) -> None:
        self._openflow = openflow

    def make(self, verb: str, given: Any, path: Path, about: About) -> OvsStep:
        """The step ``verb`` that stands at ``path``; faults are reported."""
        makers: dict[str, Callable[[Any, Path, About], OvsStep]] = {
            "flows": self._flows,
            "groups": self._groups,
            "meters": self._meters,
            "tables": self._tables,
            "megaflows": self._megaflows,
            "bond": self._bond,
        }
        return makers[verb](given, path, about)

    def _flows(self, given: Any, path: Path, about: About) -> OvsStep:
        trial = self._trial(about)
        change = partial(trial.change_flows, strict=given.strict)
        changes = self._changes(given, path, change, is_strict=given.strict)
        if given.match is not None:
            trial.select_flows(self._openflow.line_at(given.match, (*path, "match")))
        return FlowsStep(*about, changes, given.match or "")

    def _groups(self, given: Any, path: Path, about: About) -> OvsStep:
        changes = self._changes(given, path, self._trial(about).change_groups)
        return GroupsStep(*about, changes, given.group)

    def _meters(self, given: Any, path: Path, about: About) -> OvsStep:
        changes = self._changes(given, path, self._trial(about).change_meters)
        return MetersStep(*about, changes, given.meter)

    def _tables(self, given: Any, _path: Path, about: About) -> OvsStep:
        return TablesStep(*about, given.table)

    def _megaflows(self, given: Any, _path: Path, about: About) -> OvsStep:
        return MegaflowsStep(*about, given.matching)

    def _bond(self, given: Any, path: Path, about: About) -> OvsStep:
        self._openflow.check_bond(about.node, about.bridge or about.node, given.port, path)
        return BondStep(*about, given.port)

    def _trial(self, about: About) -> Trial:
        return self._openflow.trial(about.node, about.bridge or about.node)

    def _changes(
        self, given: Any, path: Path, change: Change, *, is_strict: bool = False
    ) -> Changes:
        texts = {}
        for verb in ("delete", "modify", "add"):
            here = (*path, verb)
            lines = self._openflow.lines(getattr(given, verb), here)
            change(verb, lines, here)
            texts[verb] = tuple(line.text for line in lines)
        return Changes(**texts, is_strict=is_strict)
