"""Virtual time: one heap of events, in integer nanoseconds.

An event is the tuple ``(time_ns, sequence, callback, args)``. The sequence number
breaks ties in the order of scheduling, so two runs never differ; it also keeps
``heapq`` from ever comparing callbacks. Tuples are used because they compare in C:
an event class with ``__lt__`` is three times slower.

Events cannot be removed from the heap. What may be called off uses :class:`Timer`,
which lets a stale event fire into nothing.

Two events of the scheduler's own keep its loop short. One, at the end of time, stays
in the heap for good, so that the loop need not ask whether anything is left; the other,
before all time, is what :meth:`Scheduler.stop` adds, so that the loop need not look at
a flag. Neither has a callback.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from vnet.base.errors import ReentryError

_Event = tuple[int, int, Callable[..., object] | None, tuple[Any, ...]]

_FOREVER_NS = 1 << 62
_END: _Event = (_FOREVER_NS, 0, None, ())
_STOP: _Event = (-1, 0, None, ())


class Scheduler:
    """The lab's clock and its queue of events."""

    __slots__ = ("_heap", "_running", "_sequence", "now_ns")

    def __init__(self) -> None:
        self.now_ns = 0
        self._heap: list[_Event] = [_END]
        self._sequence = 0
        self._running = False

    def at(self, time_ns: int, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` at ``time_ns``, which must not lie in the past."""
        self._sequence = sequence = self._sequence + 1
        heappush(self._heap, (time_ns, sequence, callback, args))

    def after(self, delay_ns: int, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` ``delay_ns`` from now; 0 means later in this same instant."""
        self._sequence = sequence = self._sequence + 1
        heappush(self._heap, (self.now_ns + delay_ns, sequence, callback, args))

    def run(self, until_ns: int | None = None) -> None:
        """Run every event due up to and including ``until_ns``; the clock ends there.

        The end of time, some 146 years after the start, is as far as it goes.

        With None, run until nothing is left. Ends early when an event calls
        :meth:`stop`; the clock then stands at that event. What an event raises passes
        through, and the rest can be run later. Raises :class:`ReentryError` when called
        from inside an event.
        """
        if self._running:
            raise ReentryError(
                "the lab cannot be run forward from inside one of its own events",
                "answer from a callback instead of waiting",
            )
        self._running = True
        limit_ns = _FOREVER_NS - 1 if until_ns is None else min(until_ns, _FOREVER_NS - 1)
        heap = self._heap
        pop = heappop
        try:
            # `while True`, because CPython 3.11 speeds up a loop that is entered once only
            # if it closes with a plain jump: a condition here would cost a tenth.
            while True:
                time_ns, sequence, callback, args = pop(heap)
                if time_ns > limit_ns:
                    heappush(heap, (time_ns, sequence, callback, args))
                    if until_ns is not None and self.now_ns < limit_ns:
                        self.now_ns = limit_ns
                    break
                if callback is None:
                    break
                self.now_ns = time_ns
                callback(*args)
        finally:
            self._running = False
            if heap[0] is _STOP:  # an event that called stop() has raised, too
                pop(heap)

    def stop(self) -> None:
        """End the current :meth:`run` once the present event returns."""
        if self._running and self._heap[0] is not _STOP:
            heappush(self._heap, _STOP)

    @property
    def running(self) -> bool:
        """Whether an event is being run right now."""
        return self._running

    @property
    def pending(self) -> int:
        """How many events wait, those of cancelled timers included."""
        return len(self._heap) - (2 if self._heap[0] is _STOP else 1)

    @property
    def next_event_ns(self) -> int | None:
        """When the next event is due, or None when nothing is left to happen."""
        heap = self._heap
        # Below the stop mark, the smallest of a heap is one of the next two.
        time_ns = min(heap[1:3])[0] if heap[0] is _STOP else heap[0][0]
        return None if time_ns == _FOREVER_NS else time_ns


class Timer:
    """A one-shot alarm that can be moved and called off.

    Re-arming leaves the old event in the heap; its generation no longer matches, so
    it does nothing when its time comes.
    """

    __slots__ = ("_args", "_callback", "_generation", "_scheduler", "due_ns")

    def __init__(self, scheduler: Scheduler, callback: Callable[..., object], *args: Any) -> None:
        self._scheduler = scheduler
        self._callback = callback
        self._args = args
        self._generation = 0
        self.due_ns: int | None = None

    def arm(self, delay_ns: int) -> None:
        """Fire once, ``delay_ns`` from now, instead of whenever it was due before."""
        self._generation += 1
        self.due_ns = self._scheduler.now_ns + delay_ns
        self._scheduler.at(self.due_ns, self._fire, self._generation)

    def cancel(self) -> None:
        """Do not fire; harmless when not armed."""
        self._generation += 1
        self.due_ns = None

    def _fire(self, generation: int) -> None:
        if generation == self._generation:
            self.due_ns = None
            self._callback(*self._args)
