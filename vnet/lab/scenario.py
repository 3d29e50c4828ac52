"""Running a scenario: each step an app or an act, judged by what it saw.

A step with ``at`` begins at that time, whatever else is going on; one without begins when the
step before it in the list has ended. Inside ``repeat`` and ``parallel`` there are more steps,
each with an outcome of its own that stands for all its rounds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from vnet.base.errors import Problem, TopologyError, VnetError
from vnet.base.text import escaped
from vnet.guest.apps.app import App
from vnet.lab.acts import FrameCounter, Listenable, device_at
from vnet.lab.groups import Parallel, Repeat, Then
from vnet.lab.network import Network
from vnet.lab.report import Failure, StepOutcome
from vnet.lab.step_apps import make_app
from vnet.sim.scheduler import Scheduler
from vnet.topology import model, steps
from vnet.topology.packets.expression import build_packet

_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class NotJudgedError(VnetError):
    """A step that has no counterpart where the scenario plays: it neither holds nor fails."""


class Stage(Protocol):
    """Where a scenario plays: a lab in virtual time, or something real that is like it."""

    @property
    def scheduler(self) -> Scheduler:
        """Whose time the steps go by."""

    def make_app(self, step: steps.Step) -> App:
        """The app that does a step. Raises :class:`VnetError` where it cannot be done."""

    def listenable(self, point: model.Endpoint) -> Listenable:
        """A device, to count frames at."""

    def catch_up(self) -> None:
        """Tell of every frame that has passed by now."""

    def tells(self, step: steps.Step, key: str) -> bool:
        """Whether it can be known there what ``key`` of a step asks for."""


class VirtualStage:
    """The devices and machines of ``network``."""

    def __init__(self, network: Network) -> None:
        self.scheduler = network.scheduler
        self._network = network

    def make_app(self, step: steps.Step) -> App:
        """The app of the machine, or what does it to the network."""
        return make_app(self._network, step)

    def listenable(self, point: model.Endpoint) -> Listenable:
        """The device."""
        return device_at(self._network, point)

    def catch_up(self) -> None:
        """Frames are told of as they pass."""

    def tells(self, _step: steps.Step, _key: str) -> bool:
        """Nothing is hidden here."""
        return True


class _Attempt:
    """A step under way: its app, its outcome so far, and what counts frames for it."""

    def __init__(self, outcome: StepOutcome, then: Then) -> None:
        self.outcome = outcome
        self.then = then
        self.app: App | None = None
        self.counters: dict[str, FrameCounter] = {}
        self.counts_whole_run = isinstance(outcome.step, steps.CheckStep)

    def take_stock(self) -> None:
        """Write down what was seen; nothing is counted after that."""
        if self.app is not None:
            self.outcome.seen = self.app.seen()
            self.outcome.remarks = self.app.remarks()
        for key, counter in self.counters.items():
            self.outcome.seen[key] = counter.frames
            if not self.counts_whole_run:
                counter.close()


class ScenarioRunner:
    """Starts the steps of a scenario and collects their outcomes.

    ``on_end`` is called, in an event, when the last step has ended.
    """

    def __init__(
        self, stage: Stage, scenario: Sequence[steps.Step], on_end: Callable[[], None]
    ) -> None:
        self._stage = stage
        self._scheduler = stage.scheduler
        self._on_end = on_end
        self._running: dict[int, _Attempt] = {}
        self._inner: dict[int, list[StepOutcome]] = {}
        self._within_endless: set[int] = set()
        self.outcomes: list[StepOutcome] = []
        self._top = self._plan(scenario, depth=0)
        self._open = sum(not outcome.is_endless for outcome in self._top)
        self._whole_run: dict[int, dict[str, FrameCounter]] = {
            outcome.number: self._counters(outcome.step)
            for outcome in self.outcomes
            if isinstance(outcome.step, steps.CheckStep)
        }

    def _plan(self, scenario: Sequence[steps.Step], depth: int) -> list[StepOutcome]:
        """An outcome for each step, those of inner steps behind the one they are in."""
        planned = []
        for step in scenario:
            outcome = StepOutcome(len(self.outcomes), step, step.title, depth)
            self.outcomes.append(outcome)
            planned.append(outcome)
            if isinstance(step, steps.RepeatStep | steps.ParallelStep):
                self._inner[outcome.number] = self._plan(step.steps, depth + 1)
                if outcome.is_endless:
                    self._within_endless.update(range(outcome.number + 1, len(self.outcomes)))
        return planned

    def start(self) -> None:
        """Begin; steps whose time has passed begin at once."""
        for index, outcome in enumerate(self._top):
            at_ns = outcome.step.at_ns
            if at_ns is not None:
                when_ns = max(at_ns, self._scheduler.now_ns)
                self._scheduler.at(when_ns, self._begin_top, index)
        if self._top and self._top[0].step.at_ns is None:
            self._scheduler.after(0, self._begin_top, 0)

    @property
    def done(self) -> bool:
        """Whether every step has ended, but for those that never do."""
        return self._open == 0

    def close(self) -> None:
        """Take down what is still running, and judge it as it stands."""
        self._stage.catch_up()
        for attempt in tuple(self._running.values()):
            attempt.take_stock()
            if attempt.app is not None:
                attempt.app.on_done = None
                attempt.app.finish()
            self._judge_at_end(attempt.outcome)
        self._running.clear()
        for counters in self._whole_run.values():
            for counter in counters.values():
                counter.close()
        for outcome in self.outcomes:
            if outcome.ended_ns is None and not outcome.error:
                judge(outcome, finished=False)

    def _judge_at_end(self, outcome: StepOutcome) -> None:
        """Judge a step that is under way at the end. What goes on for ever may end at any time."""
        entered = self.outcomes[outcome.number]
        if outcome.is_endless:
            outcome.ended_ns = self._scheduler.now_ns
            entered.take(outcome)
        elif not (outcome.number in self._within_endless and entered.rounds):
            judge(outcome, finished=False)
            entered.break_off(outcome)

    # -- the life of a step

    def _begin_top(self, index: int) -> None:
        outcome = self._top[index]
        self._begin(outcome, partial(self._ended_top, index))
        if outcome.is_endless:
            self._begin_following(index)

    def _begin_following(self, index: int) -> None:
        following = index + 1
        if following < len(self._top) and self._top[following].step.at_ns is None:
            self._begin_top(following)

    def _ended_top(self, index: int) -> None:
        self._open -= 1
        self._begin_following(index)
        if self.done:
            self._on_end()

    def _begin(self, planned: StepOutcome, then: Then) -> None:
        if not planned.rounds:
            planned.started_ns = self._scheduler.now_ns
        attempt = _Attempt(planned.fresh(self._scheduler.now_ns), then)
        self._running[planned.number] = attempt
        try:
            whole_run = self._whole_run.get(planned.number)
            attempt.counters = self._counters(planned.step) if whole_run is None else whole_run
            attempt.app = self._make_app(planned)
            attempt.outcome.untold = [
                e.key
                for e in planned.step.expect
                if e.frames is None and not self._stage.tells(planned.step, e.key)
            ]
            attempt.app.on_done = lambda _app: self._settle(attempt)
            attempt.app.start()
        except NotJudgedError as error:
            attempt.outcome.unjudged = str(error)
            self._scheduler.after(0, self._settle, attempt)
        except VnetError as error:
            attempt.outcome.error = str(error)
            self._scheduler.after(0, self._settle, attempt)

    def _settle(self, attempt: _Attempt) -> None:
        self._stage.catch_up()
        attempt.take_stock()
        outcome = attempt.outcome
        outcome.ended_ns = self._scheduler.now_ns
        judge(outcome, finished=True)
        del self._running[outcome.number]
        self.outcomes[outcome.number].take(outcome)
        attempt.then()

    def _begin_inner(self, outcomes: list[StepOutcome], then: Then, at: int = 0) -> None:
        """Do ``outcomes`` one after the other, from number ``at`` on, and then ``then``."""
        if at == len(outcomes):
            return then()
        return self._begin(outcomes[at], partial(self._begin_inner, outcomes, then, at + 1))

    def _counters(self, step: steps.Step) -> dict[str, FrameCounter]:
        counters = {}
        for expectation in step.expect:
            query = expectation.frames
            if query is not None:
                from vnet.wire.filter import compile_filter

                device = self._stage.listenable(query.point)
                counters[expectation.key] = FrameCounter(device, compile_filter(query.filter))
        return counters

    def _make_app(self, outcome: StepOutcome) -> App:
        step = outcome.step
        if isinstance(step, steps.RepeatStep):
            one_round = partial(self._begin_inner, self._inner[outcome.number])
            return Repeat(self._scheduler, step.count, step.interval_ns, one_round)
        if isinstance(step, steps.ParallelStep):
            inner = self._inner[outcome.number]
            return Parallel(self._scheduler, [partial(self._begin, one) for one in inner])
        return self._stage.make_app(step)


def check_packets(topology: model.Topology) -> None:
    """Build every packet that the scenario will send, so that one that cannot be is told now.

    Raises :class:`TopologyError`. It costs the import of Scapy, which a load does without.
    """
    problems = []
    for step in steps.all_steps(topology.scenario):
        if isinstance(step, steps.SendStep):
            try:
                bytes(build_packet(step.packet))
            except VnetError as error:
                place = step.packet_place
                problems.append(Problem(escaped(topology.file), *place, error.what, error.hint))
    if problems:
        raise TopologyError(problems)


def judge(outcome: StepOutcome, *, finished: bool) -> None:
    """Hold what a step saw against what was expected."""
    if outcome.unjudged:
        return
    step = outcome.step
    named = {expectation.key for expectation in step.expect}
    implied = (e for e in step.implied if finished and not outcome.error and e.key not in named)
    for expectation in (*step.expect, *implied):
        if expectation.key in outcome.untold:
            continue
        actual = outcome.seen.get(expectation.key)
        held = finished and actual is not None
        if held:
            try:
                held = _RELATIONS[expectation.relation](actual, expectation.value)
            except TypeError:
                held = False
        if not held:
            outcome.failures.append(Failure(expectation, actual))
    if not finished and outcome.error == "":
        begun = outcome.started_ns is not None
        outcome.error = f"not {'finished' if begun else 'begun'} when the run ended"
