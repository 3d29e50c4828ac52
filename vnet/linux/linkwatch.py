"""When the kernel acts on a carrier that came or went (net/core/link_watch.c).

A device knows its carrier at once, but the rest of the kernel (bridges, IPv6) hears of it
from a work item, so that a flapping cable cannot keep the machine busy. The item serves
everything in its queue at most once a second. An urgent event is served at once in any case:
one that would let a stopped device send, or one of a device whose other end has another
index, which says that the two are not the same thing seen twice.

So a bridge port may stay deaf for up to a second after its cable was plugged in, and of two
ports plugged in together one may wait while the other does not. A namespace without a
:class:`Linkwatch` is told at once, which is what a lab wants; those of one kernel that is to
be followed to the millisecond share one.
"""

from __future__ import annotations

from typing import Protocol

from vnet.linux.timer_wheel import expiry_ns
from vnet.sim.scheduler import Scheduler

_INTERVAL_NS = 1_000_000_000

_TURN_NS = 10_000
"""The work item waits until whoever set the device up has let go of the configuration lock;
what that sent at once is past by then."""


class WatchedLink(Protocol):
    """A device whose carrier may have changed."""

    @property
    def is_urgent(self) -> bool:
        """Whether it must be served even though the last second's turn was taken."""

    def serve(self) -> None:
        """Tell bridge and stack what has become of the link."""


class Linkwatch:
    """One kernel's queue of carrier events. ``next_ns`` is when all of it may be served again."""

    __slots__ = ("_queue", "_scheduler", "next_ns")

    def __init__(self, scheduler: Scheduler, next_ns: int = 0) -> None:
        self._scheduler = scheduler
        self._queue: list[WatchedLink] = []
        self.next_ns = next_ns

    def fire(self, link: WatchedLink) -> None:
        """The carrier of ``link`` changed; it is served in a moment, or when its turn comes."""
        if link not in self._queue:
            self._queue.append(link)
            self._scheduler.after(_TURN_NS, self._run)

    def _run(self) -> None:
        if not self._queue:
            return
        now_ns = self._scheduler.now_ns
        all_of_it = now_ns >= self.next_ns
        if all_of_it:
            self.next_ns = now_ns + _INTERVAL_NS
        queue, self._queue = self._queue, []
        kept = []
        for link in queue:
            if all_of_it or link.is_urgent:
                link.serve()
            else:
                kept.append(link)
        # What was fired meanwhile has a run of its own coming.
        self._queue[:0] = kept
        if kept:
            self._scheduler.at(expiry_ns(now_ns, self.next_ns - now_ns), self._run)
