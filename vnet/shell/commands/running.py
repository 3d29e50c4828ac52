"""Letting virtual time pass: run, step, wait, time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from vnet.base.drops import DropReason
from vnet.base.errors import UsageError
from vnet.base.units import duration_text, parse_duration_ns
from vnet.lab.lab import LAST_NS
from vnet.netdev.device import NetDevice
from vnet.shell.context import ShellContext
from vnet.shell.options import Arguments, whole_number
from vnet.shell.output import Failed, Output, plural
from vnet.shell.registry import Group, command
from vnet.shell.tail import SeenFrame
from vnet.sim.scheduler import Scheduler

_MOST_STEPS = 1_000_000
_MOST_LINES = 200
"""More frames than this in one step are counted, not listed."""


@command(
    "run",
    "[UNTIL]",
    "run the scenario to its end, or to a virtual time, and show how it went",
    group=Group.RUNNING,
    words=(0, 1),
    options={},
    examples=["run", "run 1500ms"],
)
def run(context: ShellContext, arguments: Arguments) -> Output:
    """Fails when an expectation of the scenario did. What UNTIL cuts short goes on next time."""
    from vnet.cli.render import report_tables

    until = arguments.word(0)
    until_ns = None if until is None else _moment_ns(0, until)
    if until_ns is not None and until_ns < context.lab.now_ns:
        now = duration_text(context.lab.now_ns)
        raise UsageError(f"it is {now} already", "say a later time, or `wait DURATION`")
    report = context.lab.run(until_ns)
    ended = [outcome for outcome in report.steps if outcome.ended_ns is not None]
    shown: list[Output] = [*report_tables(replace(report, steps=ended))]
    if len(ended) < len(report.steps):
        to_go = plural(len(report.steps) - len(ended), "step")
        shown.append(f"{to_go} of the scenario to go")
    return shown if all(outcome.held for outcome in ended) else Failed(shown)


@command(
    "step",
    "[N]",
    "run the events that are due next, N times, and show the frames that moved",
    group=Group.RUNNING,
    words=(0, 1),
    options={},
    examples=["step", "step 20"],
)
def step(context: ShellContext, arguments: Arguments) -> Output:
    """One step is all events due next, but not those of the same instant that they cause.

    A frame thus moves by one device a step. The scenario is begun by ``run 0s``.
    """
    try:
        count = whole_number(1, _MOST_STEPS)(arguments.word(0) or "1")
    except ValueError as error:
        raise UsageError(f"step: {error}") from None
    scheduler = context.lab.scheduler
    if scheduler.next_event_ns is None:
        return "no event is pending; `run 0s` begins the scenario"
    lines: list[str] = []
    with _watching(context) as seen:
        for _ in range(count):
            if not _run_due_events(scheduler):
                break
            lines += seen.take(_MOST_LINES - len(lines))
    if seen.left_out:
        lines.append(f"... and {plural(seen.left_out, 'frame')} more")
    return "\n".join([*lines, _clock(scheduler)])


def _run_due_events(scheduler: Scheduler) -> bool:
    """Run what is due next; False when nothing is."""
    due_ns = scheduler.next_event_ns
    if due_ns is None:
        return False
    # It is queued behind what waits for this moment, and before what that will cause.
    barrier = _Barrier(scheduler)
    scheduler.at(due_ns, barrier)
    try:
        scheduler.run(due_ns)
    finally:
        barrier.armed = False
    return True


class _Barrier:
    """An event that stops the run it was made for, and no other."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.armed = True
        self._scheduler = scheduler

    def __call__(self) -> None:
        if self.armed:
            self._scheduler.stop()


class _Watch:
    """Every frame that passes any device of the lab, until it is taken."""

    def __init__(self) -> None:
        self.left_out = 0
        self._seen: list[tuple[str, SeenFrame]] = []

    def add(self, place: str, frame: SeenFrame) -> None:
        """A frame passed ``place``."""
        self._seen.append((place, frame))

    def take(self, room: int) -> list[str]:
        """What passed since the last time, as lines; what is beyond ``room`` is counted."""
        shown = self._seen[: max(room, 0)]
        self.left_out += len(self._seen) - len(shown)
        self._seen = []
        return [
            f"{duration_text(frame.time_ns):>12}  {place:<16} {frame.summary()}"
            for place, frame in shown
        ]


class _WatchedDevice:
    """The sniffer of one device."""

    def __init__(self, device: NetDevice, watch: _Watch) -> None:
        self._device = device
        self._watch = watch

    def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
        """A frame passed."""
        self._watch.add(self._device.label, SeenFrame(time_ns, outbound, data))

    def note_drop(self, time_ns: int, data: bytes, reason: DropReason, *_notes: object) -> None:
        """The frame's end is a line of its own, since its passing was one already."""
        if not reason.routine:
            self._watch.add(self._device.label, SeenFrame(time_ns, False, data, reason))


@contextmanager
def _watching(context: ShellContext) -> Iterator[_Watch]:
    watch = _Watch()
    watched = [(d, _WatchedDevice(d, watch)) for d in context.lab.network.devices()]
    for device, sniffer in watched:
        device.add_sniffer(sniffer)
    try:
        yield watch
    finally:
        for device, sniffer in watched:
            device.remove_sniffer(sniffer)


@command(
    "wait",
    "DURATION",
    "let virtual time pass; the scenario goes on if it has begun",
    group=Group.RUNNING,
    words=(1, 1),
    options={},
    examples=["wait 200ms"],
)
def wait(context: ShellContext, arguments: Arguments) -> Output:
    """Timers and ageing go on, as they do while nobody types."""
    scheduler = context.lab.scheduler
    until_ns = _moment_ns(scheduler.now_ns, arguments.words[0])
    context.lab.advance(until_ns - scheduler.now_ns)
    return _clock(scheduler)


@command(
    "time",
    "",
    "the virtual time, and what waits for its turn",
    group=Group.RUNNING,
    options={},
    examples=["time"],
)
def time(context: ShellContext, _arguments: Arguments) -> Output:
    """Counts cancelled timers too, which are events that will do nothing."""
    return _clock(context.lab.scheduler)


def _clock(scheduler: Scheduler) -> str:
    due_ns = scheduler.next_event_ns
    following = "" if due_ns is None else f", the next at {duration_text(due_ns)}"
    pending = plural(scheduler.pending, "event") if scheduler.pending else "no event"
    return f"{duration_text(scheduler.now_ns)}, {pending} pending{following}"


def _moment_ns(from_ns: int, duration: str) -> int:
    """The virtual time that is ``duration`` after ``from_ns``. Raises :class:`UsageError`."""
    try:
        moment_ns = from_ns + parse_duration_ns(duration)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if moment_ns > LAST_NS:
        raise UsageError("a lab runs for a century at most")
    return moment_ns
