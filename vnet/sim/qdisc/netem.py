"""A queue that behaves as a bad wire does (tc-netem(8)): it delays, loses, doubles, mixes up.

What chance does to a frame is :class:`vnet.sim.netem.Netem`'s to say, as on a link; here is when
it leaves. Frames wait sorted by that, so that one with less delay overtakes, and one that is
``reorder``-ed goes before all others.
"""

from __future__ import annotations

from bisect import insort_right
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from vnet.base.drops import drop_reason
from vnet.base.units import NS_PER_S
from vnet.sim.frame import Frame
from vnet.sim.netem import UNIMPAIRED, Fate, Impairments, Netem, with_bit_flipped
from vnet.sim.qdisc.discipline import Discipline, Surroundings
from vnet.sim.qdisc.qdisc import QUEUE_FULL, QUEUE_REMOVED
from vnet.wire.ecn import marked

NETEM_LOSS = drop_reason(
    "netem-loss",
    cause="a netem queue is set to lose a share of its frames, and this was one of them",
    cure="lower its loss, or delete the qdisc",
)

DEFAULT_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Rate:
    """Frames leave one after the other at a rate, each ``overhead_bytes`` longer than it is.

    With ``cell_bytes`` a frame takes whole cells, each with ``cell_overhead_bytes`` besides.
    """

    bytes_per_s: int
    overhead_bytes: int = 0
    cell_bytes: int = 0
    cell_overhead_bytes: int = 0

    def time_ns(self, n_bytes: int) -> int:
        """How long a frame takes."""
        n_bytes += self.overhead_bytes
        if self.cell_bytes:
            cells = -(-n_bytes // self.cell_bytes)
            n_bytes = cells * (self.cell_bytes + self.cell_overhead_bytes)
        return n_bytes * NS_PER_S // self.bytes_per_s


@dataclass(frozen=True, slots=True)
class NetemSettings:
    """``limit`` frames may wait. ``ecn`` marks congestion in packets that allow it, instead of
    losing them."""

    impairments: Impairments = UNIMPAIRED
    delay_ns: int = 0
    limit: int = DEFAULT_LIMIT
    rate: Rate | None = None
    ecn: bool = False


class _Waiting(NamedTuple):
    leaves_ns: int
    frame: Frame


class NetemQueue(Discipline):
    """Frames wait here until their time, and then in the class 1, where anybody grafted one."""

    kind = "netem"
    has_classes = True

    def __init__(
        self, around: Surroundings, settings: NetemSettings, law: Netem, handle: int = 0
    ) -> None:
        super().__init__(around, handle)
        self._law = law
        self._first: deque[Frame] = deque()
        self._waiting: list[_Waiting] = []
        self._child: Discipline | None = None
        self._is_copying = False
        self.configure(settings)

    def configure(self, settings: NetemSettings) -> None:
        """Other settings from the next frame on."""
        self.settings = settings
        self._law.change(settings.impairments)

    @property
    def children(self) -> Mapping[int, Discipline]:
        return {} if self._child is None else {1: self._child}

    def graft(self, number: int, child: Discipline | None, now_ns: int) -> None:  # noqa: ARG002
        if self._child is not None:
            self._dismiss(self._child, now_ns)
        self._child = None if child is None else self._adopt(child)

    # -- in

    def enqueue(self, frame: Frame, now_ns: int) -> bool:
        size = len(frame.data)
        fate = self._law.fate(size, copy=self._is_copying)
        twice = not self._is_copying and self._law.duplicates()
        lost = fate.lost
        if lost and self.settings.ecn and (data := marked(frame.data)) is not None:
            lost = False
            frame = Frame(data, frame.meta)
            self.stats.drops += 1  # The kernel counts a mark as if it were a loss.
        if lost and not twice:
            return self._drop(frame, NETEM_LOSS)
        plain = frame
        if fate.flipped_bit is not None:
            frame = self._corrupted(frame, fate.flipped_bit, now_ns)
        if self._n_waiting >= self.settings.limit:
            return self._drop(frame, QUEUE_FULL)
        if twice and not lost:
            self._copy(plain, now_ns)
        self._arrives(frame)
        self._queue(frame, fate, now_ns)
        return True

    @property
    def _n_waiting(self) -> int:
        return len(self._first) + len(self._waiting)

    def _copy(self, frame: Frame, now_ns: int) -> None:
        """A copy comes in at the top of the tree, and is not copied again."""
        self._is_copying = True
        try:
            self.around.once_more(Frame(frame.data, frame.meta), now_ns)
        finally:
            self._is_copying = False

    def _queue(self, frame: Frame, fate: Fate, now_ns: int) -> None:
        if fate.reordered:
            self._first.appendleft(frame)
            self.stats.requeues += 1
            return
        delay_ns = self.settings.delay_ns + fate.jitter_ns
        starts_ns = now_ns
        if self.settings.rate is not None:
            if self._waiting:
                # The rate is free again when the last one leaves; waiting for that is delay, too.
                starts_ns = self._waiting[-1].leaves_ns
                delay_ns = max(0, delay_ns - (starts_ns - now_ns))
            delay_ns += self.settings.rate.time_ns(len(frame.data))
        waiting = _Waiting(starts_ns + delay_ns, frame)
        insort_right(self._waiting, waiting, key=lambda other: other.leaves_ns)

    def _corrupted(self, frame: Frame, bit: int, now_ns: int) -> Frame:
        data = with_bit_flipped(frame.data, bit)
        meta = frame.meta
        if meta is not None:
            meta = meta.add(now_ns, self.around.label, "corrupted", data)
        return Frame(data, meta)

    # -- out

    def _next(self, now_ns: int) -> Frame | None:
        if self._first:
            return self._gone(self._first.popleft())
        while self._waiting and self._waiting[0].leaves_ns <= now_ns:
            frame = self._waiting.pop(0).frame
            if self._child is None:
                return self._gone(frame)
            if not self._child.enqueue(frame, now_ns):
                self.lost_in_child(1, len(frame.data))
        if self._child is not None:
            passed = self._child.dequeue(now_ns)
            if passed is not None:
                return self._gone(passed)
        if self._waiting:
            self.around.wake(self._waiting[0].leaves_ns)
        return None

    def _gone(self, frame: Frame) -> Frame:
        self._sent(frame)
        return frame

    def _forget(self, now_ns: int) -> None:  # noqa: ARG002
        for frame in (*self._first, *(waiting.frame for waiting in self._waiting)):
            self.around.lost(frame, QUEUE_REMOVED)
        self._first.clear()
        self._waiting.clear()
