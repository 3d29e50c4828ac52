"""Virtual time: one heap of events, in integer nanoseconds.

An event is the tuple ``(time_ns, sequence, callback, args)``. The sequence number
breaks ties in the order of scheduling, so two runs never differ; it also keeps
``heapq`` from ever comparing callbacks. Tuples are used because they compare in C:
an event class with ``__lt__`` is three times slower.

Events cannot be removed from the heap. What may be called off uses :class:`Timer`,
which lets a stale event fire into nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from vnet.base.errors import ReentryError

_FOREVER_NS = 1 << 62


class Scheduler:
    """The lab's clock and its queue of events."""

    __slots__ = ("_heap", "_limit_ns", "_running", "_sequence", "now_ns")

    def __init__(self) -> None:
        self.now_ns = 0
        self._heap: list[tuple[int, int, Callable[..., object], tuple[Any, ...]]] = []
        self._sequence = 0
        self._limit_ns = 0
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

        With None, run until nothing is left. Ends early when an event calls
        :meth:`stop`; the clock then stands at that event. Raises
        :class:`ReentryError` when called from inside an event.
        """
        if self._running:
            raise ReentryError(
                "the lab cannot be run forward from inside one of its own events",
                "answer from a callback instead of waiting",
            )
        self._running = True
        self._limit_ns = _FOREVER_NS if until_ns is None else until_ns
        heap = self._heap
        pop = heappop
        try:
            while heap:
                event = pop(heap)
                time_ns = event[0]
                if time_ns > self._limit_ns:
                    heappush(heap, event)
                    break
                self.now_ns = time_ns
                event[2](*event[3])
        finally:
            self._running = False
        if until_ns is not None and self._limit_ns == until_ns and self.now_ns < until_ns:
            self.now_ns = until_ns

    def stop(self) -> None:
        """End the current :meth:`run` once the present event returns."""
        self._limit_ns = -1

    @property
    def running(self) -> bool:
        """Whether an event is being run right now."""
        return self._running

    @property
    def pending(self) -> int:
        """How many events wait, those of cancelled timers included."""
        return len(self._heap)

    @property
    def next_event_ns(self) -> int | None:
        """When the next event is due, or None when nothing is left to happen."""
        return self._heap[0][0] if self._heap else None


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
