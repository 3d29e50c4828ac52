"""Virtual time: order, ties, limits, stopping, and timers that change their mind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.base.errors import ReentryError
from vnet.sim.scheduler import Scheduler, Timer


class Log:
    """Remembers which names fired, and when."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.fired: list[tuple[int, str]] = []

    def __call__(self, name: str) -> None:
        self.fired.append((self.scheduler.now_ns, name))

    @property
    def names(self) -> str:
        return "".join(name for _, name in self.fired)


def each(*steps: Callable[[], object]) -> Callable[[], None]:
    """An event that does several things in turn."""

    def event() -> None:
        for step in steps:
            step()

    return event


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler()


@pytest.fixture
def log(scheduler: Scheduler) -> Log:
    return Log(scheduler)


# Order


def test_events_fire_in_order_of_time(scheduler: Scheduler, log: Log) -> None:
    scheduler.at(30, log, "c")
    scheduler.at(10, log, "a")
    scheduler.after(20, log, "b")
    scheduler.run()
    assert log.fired == [(10, "a"), (20, "b"), (30, "c")]
    assert scheduler.now_ns == 30


def test_ties_fire_in_order_of_scheduling(scheduler: Scheduler, log: Log) -> None:
    for name in "abcdefgh":
        scheduler.at(5, log, name)
    scheduler.run()
    assert log.names == "abcdefgh"


def test_after_zero_is_later_in_the_same_instant(scheduler: Scheduler, log: Log) -> None:
    scheduler.at(5, each(lambda: scheduler.after(0, log, "c"), lambda: log("a")))
    scheduler.at(5, log, "b")
    scheduler.at(6, log, "d")
    scheduler.run()
    assert log.fired == [(5, "a"), (5, "b"), (5, "c"), (6, "d")]


def test_arguments_are_handed_on_and_never_compared(scheduler: Scheduler) -> None:
    seen: list[object] = []
    for value in (object(), None, {"a": 1}):
        scheduler.at(1, seen.append, value)
    scheduler.run()
    assert len(seen) == 3


@given(st.lists(st.integers(0, 20), max_size=60), st.integers(-1, 21))
def test_any_schedule_equals_a_stable_sort(times: list[int], until_ns: int) -> None:
    scheduler = Scheduler()
    fired: list[tuple[int, int]] = []
    for number, time_ns in enumerate(times):
        scheduler.at(time_ns, lambda *event: fired.append(event), time_ns, number)
    events = sorted((time_ns, number) for number, time_ns in enumerate(times))
    due = [event for event in events if event[0] <= until_ns]
    scheduler.run(until_ns)
    assert fired == due
    assert scheduler.pending == len(times) - len(due)
    assert scheduler.next_event_ns == (events[len(due)][0] if len(due) < len(times) else None)
    scheduler.run()
    assert fired == events


# Limits


def test_run_until_includes_the_limit_and_ends_there(scheduler: Scheduler, log: Log) -> None:
    scheduler.at(10, log, "a")
    scheduler.at(11, log, "b")
    scheduler.run(10)
    assert log.names == "a"
    assert (scheduler.now_ns, scheduler.pending, scheduler.next_event_ns) == (10, 1, 11)
    scheduler.run(10)
    scheduler.run(25)
    assert log.fired == [(10, "a"), (11, "b")]
    assert scheduler.now_ns == 25


def test_the_clock_advances_when_nothing_happens(scheduler: Scheduler) -> None:
    scheduler.run()
    assert scheduler.now_ns == 0
    scheduler.run(1_000)
    assert scheduler.now_ns == 1_000
    assert scheduler.next_event_ns is None
    assert scheduler.pending == 0


def test_a_limit_in_the_past_does_nothing(scheduler: Scheduler, log: Log) -> None:
    scheduler.run(100)
    scheduler.after(0, log, "a")
    scheduler.run(50)
    assert (scheduler.now_ns, log.names) == (100, "")


def test_a_limit_beyond_all_time_ends_too(scheduler: Scheduler, log: Log) -> None:
    scheduler.at(5, log, "a")
    for _ in range(2):
        scheduler.run(1 << 70)
        assert (log.names, scheduler.pending, scheduler.next_event_ns) == ("a", 0, None)


def test_an_event_may_schedule_up_to_the_limit_of_its_own_run(
    scheduler: Scheduler, log: Log
) -> None:
    scheduler.at(
        10, each(lambda: scheduler.after(5, log, "a"), lambda: scheduler.after(6, log, "b"))
    )
    scheduler.run(15)
    assert log.fired == [(15, "a")]


# Stopping


def test_stop_ends_the_run_at_that_event(scheduler: Scheduler, log: Log) -> None:
    scheduler.at(10, each(scheduler.stop, scheduler.stop, lambda: log("a")))
    scheduler.at(10, log, "b")
    scheduler.at(20, log, "c")
    scheduler.run(100)
    assert log.fired == [(10, "a")]
    assert (scheduler.now_ns, scheduler.pending, scheduler.next_event_ns) == (10, 2, 10)
    scheduler.run(100)
    assert log.fired == [(10, "a"), (10, "b"), (20, "c")]
    assert scheduler.now_ns == 100


def test_stop_beats_what_the_same_event_schedules(scheduler: Scheduler, log: Log) -> None:
    scheduler.at(10, each(scheduler.stop, lambda: scheduler.after(0, log, "a")))
    scheduler.run()
    assert log.names == ""
    scheduler.run()
    assert log.fired == [(10, "a")]


def test_stop_outside_a_run_is_nothing(scheduler: Scheduler, log: Log) -> None:
    scheduler.at(10, log, "a")
    scheduler.stop()
    assert scheduler.pending == 1
    scheduler.run(20)
    assert (log.names, scheduler.now_ns) == ("a", 20)


def test_what_waits_is_told_from_inside_an_event(scheduler: Scheduler) -> None:
    seen: list[tuple[int, int | None]] = []

    def look() -> None:
        seen.append((scheduler.pending, scheduler.next_event_ns))

    scheduler.at(1, each(look, scheduler.stop, look))
    scheduler.at(9, each(look, scheduler.stop, look))
    scheduler.run()
    scheduler.run()
    assert seen == [(1, 9), (1, 9), (0, None), (0, None)]


# Re-entry and errors


def test_running_from_inside_an_event_is_refused(scheduler: Scheduler, log: Log) -> None:
    def inside() -> None:
        assert scheduler.running
        with pytest.raises(ReentryError, match="from inside one of its own events"):
            scheduler.run(100)
        log("a")

    scheduler.at(1, inside)
    scheduler.at(2, log, "b")
    assert not scheduler.running
    scheduler.run()
    assert not scheduler.running
    assert log.fired == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("stop_first", [False, True])
def test_an_error_leaves_the_rest_to_be_run(
    scheduler: Scheduler, log: Log, stop_first: bool
) -> None:
    def fail() -> None:
        if stop_first:
            scheduler.stop()
        raise RuntimeError("an event failed")

    scheduler.at(5, fail)
    scheduler.at(6, log, "a")
    with pytest.raises(RuntimeError, match="an event failed"):
        scheduler.run(100)
    assert (scheduler.now_ns, scheduler.running, scheduler.pending) == (5, False, 1)
    scheduler.run(100)
    assert log.fired == [(6, "a")]


# Timers


@pytest.fixture
def timer(scheduler: Scheduler, log: Log) -> Timer:
    return Timer(scheduler, log, "t")


def test_a_timer_fires_once(scheduler: Scheduler, log: Log, timer: Timer) -> None:
    timer.arm(10)
    assert timer.due_ns == 10
    scheduler.run()
    assert log.fired == [(10, "t")]
    assert timer.due_ns is None


@pytest.mark.parametrize("second_ns", [5, 10, 20])
def test_arming_again_moves_it(
    scheduler: Scheduler, log: Log, timer: Timer, second_ns: int
) -> None:
    timer.arm(10)
    timer.arm(second_ns)
    scheduler.run()
    assert log.fired == [(second_ns, "t")]


def test_a_cancelled_timer_is_silent_and_may_be_armed_again(
    scheduler: Scheduler, log: Log, timer: Timer
) -> None:
    timer.cancel()
    timer.arm(10)
    timer.cancel()
    assert timer.due_ns is None
    scheduler.run(15)
    assert log.fired == []
    timer.arm(10)
    scheduler.run()
    assert log.fired == [(25, "t")]


def test_a_timer_may_arm_itself(scheduler: Scheduler) -> None:
    fired: list[int] = []

    def tick() -> None:
        fired.append(scheduler.now_ns)
        assert ticker.due_ns is None
        if len(fired) < 3:
            ticker.arm(10)

    ticker = Timer(scheduler, tick)
    ticker.arm(10)
    scheduler.run()
    assert fired == [10, 20, 30]


def test_one_event_can_cancel_another_of_the_same_instant(
    scheduler: Scheduler, log: Log, timer: Timer
) -> None:
    scheduler.at(10, timer.cancel)
    timer.arm(10)
    scheduler.run()
    assert log.fired == []


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 30)), max_size=20))
def test_only_the_last_word_counts(steps: list[tuple[int, int | None]]) -> None:
    """Waits, arms and cancels in any order: a model with one variable says what fires."""
    scheduler = Scheduler()
    fired: list[int] = []
    expected: list[int] = []
    timer = Timer(scheduler, lambda: fired.append(scheduler.now_ns))
    due_ns: int | None = None
    for wait_ns, delay_ns in steps:
        scheduler.run(scheduler.now_ns + wait_ns)
        if due_ns is not None and due_ns <= scheduler.now_ns:
            expected.append(due_ns)
            due_ns = None
        if delay_ns is None:
            timer.cancel()
            due_ns = None
        else:
            timer.arm(delay_ns)
            due_ns = scheduler.now_ns + delay_ns
        assert timer.due_ns == due_ns
    scheduler.run()
    assert fired == expected + ([] if due_ns is None else [due_ns])
