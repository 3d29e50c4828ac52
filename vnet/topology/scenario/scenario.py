"""The scenario of a file: each step to one of :mod:`~vnet.topology.steps`, its names judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vnet.base.text import did_you_mean, one_of, quote
from vnet.topology.checks.validate import Directory, takes_plugs
from vnet.topology.model import Endpoint, Link
from vnet.topology.reading.report import Path
from vnet.topology.scenario.expectations import make_expectations
from vnet.topology.scenario.machine_step_maker import MachineStepMaker
from vnet.topology.scenario.step_maker import Common
from vnet.topology.scenario.traffic_step_maker import TrafficStepMaker
from vnet.topology.schema.step import FOREVER, MAX_ROUNDS, OVS_VERBS, VERBS, StepFile, every_step
from vnet.topology.schema.topology import TopologyFile
from vnet.topology.schema.wire import change_of
from vnet.topology.steps import (
    CheckStep,
    FdbStep,
    LinkStep,
    MoveStep,
    ParallelStep,
    RepeatStep,
    Step,
    WaitStep,
)

if TYPE_CHECKING:
    from vnet.topology.checks.openflow import Openflow


def make_scenario(
    file: TopologyFile, directory: Directory, links: list[Link], openflow: Openflow | None = None
) -> list[Step]:
    """The steps of ``file``; what is wrong with them goes to the report.

    ``openflow`` knows the bridges of Open vSwitch, where there are any.
    """
    later = [step.link.to for step in every_step(file.scenario or ()) if step.link and step.link.to]
    maker = _StepMaker(directory, [*_ends(links), *later], openflow)
    steps = []
    for position, given in enumerate(file.scenario or ()):
        made = maker.step(given, ("scenario", directory.cut.index("scenario", position)))
        if made is not None:
            steps.append(made)
    return steps


def _ends(links: Sequence[Link]) -> list[Endpoint]:
    return [end for link in links for end in link.ends]


class _StepMaker(TrafficStepMaker, MachineStepMaker):
    """Steps of all kinds; those that happen to the lab itself are made here."""

    def __init__(
        self, directory: Directory, ends: Sequence[Endpoint], openflow: Openflow | None
    ) -> None:
        super().__init__(directory)
        self.openflow = openflow
        self.ends = ends
        """Where links end at some time."""
        cut = {*self.cut.sections, *self.cut.kept}
        self.links_known = directory.links_complete and "links" not in cut
        self.rounds = 1
        """How often the step at hand is done, the repeats around it multiplied."""

    def step(self, file: StepFile, path: Path) -> Step | None:
        """The step at ``path`` of the file, or None when it is not sound."""
        verb = self.verb(file, path)
        if verb is None:
            return None
        expect = tuple(make_expectations(verb, file.expect, path, self.names))
        common = Common(file.at, expect, self.report.line(path))
        if verb == "expect":
            return CheckStep(*common)
        if verb in OVS_VERBS:
            return self.ovs_step(verb, getattr(file, verb), (*path, verb), common)
        made: Step | None = getattr(self, f"make_{verb}")(
            getattr(file, verb), (*path, verb), common
        )
        return made

    def verb(self, file: StepFile, path: Path) -> str | None:
        written = [verb for verb in VERBS if verb in file.model_fields_set]
        if not written:
            if file.expect:
                return "expect"
            self.report.add(path, "the step does nothing", f"it needs one of {one_of(VERBS, 20)}")
            return None
        if len(written) > 1:
            what = f"the step does two things: {written[0]} and {written[1]}"
            self.report.add((*path, written[1]), what, "write two steps", at_key=True)
            return None
        if getattr(file, written[0]) is None:
            hint = "write pingall: {}" if written[0] == "pingall" else ""
            self.report.add((*path, written[0]), f"{written[0]} says nothing", hint, at_key=True)
            return None
        return written[0]

    # --- steps of steps ---

    def inner(self, files: Sequence[StepFile], path: Path) -> tuple[Step, ...] | None:
        """The steps inside another; None when one of them is not sound."""
        made: list[Step | None] = []
        for position, file in enumerate(files):
            here = (*path, position)
            if file.at is not None:
                what = "inside another step, 'at' cannot be said"
                hint = "it counts from the start of the lab; write a wait before"
                self.report.add((*here, "at"), what, hint, at_key=True)
            made.append(self.step(file, here))
        steps = tuple(step for step in made if step is not None)
        return steps if len(steps) == len(files) else None

    def make_repeat(self, given: Any, path: Path, common: Common) -> Step | None:
        if given.count is None:
            return self.make_endless(given, path, common)
        around = self.rounds
        self.rounds = around * given.count
        if self.rounds > MAX_ROUNDS >= around:
            what = f"with the repeats around it, that makes {self.rounds} rounds"
            self.report.add((*path, "count"), what, f"at most {MAX_ROUNDS}")
        steps = self.inner(given.steps, (*path, "steps"))
        self.rounds = around
        return None if steps is None else RepeatStep(*common, given.count, given.interval, steps)

    def make_endless(self, given: Any, path: Path, common: Common) -> Step | None:
        if len(path) > len(("scenario", 0, "repeat")):
            what = f"inside another step, nothing can be repeated {FOREVER}"
            self.report.add((*path, "count"), what, "that step would never end")
        if common.expect:
            what = f"what is repeated {FOREVER} has no result"
            self.report.add((*path[:-1], "expect"), what, "expect something of the steps inside")
        steps = self.inner(given.steps, (*path, "steps"))
        return None if steps is None else RepeatStep(*common, None, given.interval, steps)

    def make_parallel(self, given: Any, path: Path, common: Common) -> Step | None:
        steps = self.inner(given, path)
        return None if steps is None else ParallelStep(*common, steps)

    # --- one method for each verb ---

    def make_link(self, given: Any, path: Path, common: Common) -> Step | None:
        change = change_of(given)
        if given.state is not None:
            change["up"] = given.state == "up"
        if not change and given.to is None:
            hint = "write state: down, or a setting such as loss: 5%"
            self.report.add(path, "the step changes nothing", hint)
        if given.to is not None and not takes_plugs(given.to, (*path, "to"), self.directory):
            return None
        if given.end in self.ends:
            return LinkStep(*common, given.end, change, given.to)
        if self.directory.has_node(given.end.node, (*path, "end")) and self.links_known:
            ends = [str(end) for end in self.ends]
            hint = did_you_mean(str(given.end), ends, "links end at") or "there are no links"
            self.report.add((*path, "end"), f"no link ends at {given.end}", hint)
        return None

    def make_wait(self, given: int, path: Path, common: Common) -> Step | None:  # noqa: ARG002
        return WaitStep(*common, given)

    def make_move(self, given: Any, path: Path, common: Common) -> Step | None:
        nodes = self.directory.nodes
        known = self.directory.has_node(given.vm, (*path, "vm"))
        if known and given.vm not in nodes.vms:
            what = f"{quote(given.vm)} is no virtual machine"
            self.report.add((*path, "vm"), what, "only those move")
            known = False
        if not self.directory.has_node(given.to, (*path, "to")):
            return None
        host = nodes.hosts.get(given.to)
        if host is None:
            what = f"{quote(given.to)} is no host"
            self.report.add((*path, "to"), what, "virtual machines move from host to host")
            return None
        if not known or not self.names.can_plug(nodes.vms[given.vm], host, given.switch, path):
            return None
        return MoveStep(*common, given.vm, given.to, given.switch, given.announce)

    # --- switches ---

    def ovs_step(self, verb: str, given: Any, path: Path, common: Common) -> Step | None:
        """A step about a bridge of Open vSwitch."""
        switch = self.names.switch(given.switch, (*path, "switch"))
        if switch is None:
            return None
        if switch.ovs is None or self.openflow is None:
            what = f"{switch.name} is a Linux bridge, which has no {verb}"
            self.report.add((*path, "switch"), what, "write type: ovs")
            return None
        # Files without Open vSwitch do without all that it is made of.
        from vnet.topology.scenario.ovs_scenario import About, OvsStepMaker

        node, bridge = given.switch
        about = About(*common, node, bridge)
        return OvsStepMaker(self.openflow).make(verb, given, path, about)

    def make_fdb(self, given: Any, path: Path, common: Common) -> Step | None:
        mac = self.names.station(given.mac, (*path, "mac"))
        if self.names.switch(given.switch, (*path, "switch")) is None or mac is False:
            return None
        name, bridge = given.switch
        return FdbStep(*common, name, bridge, mac)
