"""The token bucket filter: a rate, and a burst above it (tc-tbf(8)).

Tokens are nanoseconds. A frame leaves when the bucket holds the time that it takes at the rate;
with a peak rate there is a second bucket, of at most one ``mtu``, that must have enough as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vnet.base.drops import drop_reason
from vnet.sim.frame import Frame
from vnet.sim.qdisc.bucket import Bucket
from vnet.sim.qdisc.discipline import Discipline, Noop, Surroundings
from vnet.sim.qdisc.fifo import BFIFO, Fifo
from vnet.sim.qdisc.psched import TransmitTime

OVER_BURST = drop_reason(
    "over-burst",
    cause="the frame is larger than the bucket of its token bucket filter, and could never leave",
    cure="give the tbf a burst of at least the device's mtu and 14 bytes",
)


@dataclass(frozen=True, slots=True)
class TbfSettings:
    """``limit_bytes`` may wait; ``mtu_bytes`` is the burst of the peak rate, where there is one."""

    rate_bytes_per_s: int
    burst_bytes: int
    limit_bytes: int
    peak_bytes_per_s: int = 0
    mtu_bytes: int = 0
    overhead_bytes: int = 0
    least_bytes: int = 0

    def is_sound(self) -> bool:
        """Whether the kernel takes it."""
        return (
            self.rate_bytes_per_s > 0
            and self.longest_bytes > 0
            and (not self.peak_bytes_per_s or self.peak_bytes_per_s > self.rate_bytes_per_s)
        )

    @property
    def longest_bytes(self) -> int:
        """No longer frame ever has its tokens together."""
        return min(self.burst_bytes, self.mtu_bytes) if self.peak_bytes_per_s else self.burst_bytes

    def bucket(self) -> Bucket:
        """The bucket of the rate, full."""
        return self._bucket(self.rate_bytes_per_s, self.burst_bytes)

    def peak_bucket(self) -> Bucket | None:
        """The bucket of the peak rate, full."""
        if not self.peak_bytes_per_s:
            return None
        return self._bucket(self.peak_bytes_per_s, self.mtu_bytes)

    def _bucket(self, bytes_per_s: int, burst_bytes: int) -> Bucket:
        time = TransmitTime(bytes_per_s, self.overhead_bytes, self.least_bytes)
        return Bucket(time, burst_bytes)


class Tbf(Discipline):
    """The one class, number 1, holds what waits: a queue of bytes if nobody grafts another."""

    kind = "tbf"
    has_classes = True

    def __init__(
        self, around: Surroundings, settings: TbfSettings, now_ns: int, handle: int = 0
    ) -> None:
        super().__init__(around, handle)
        self._child = self._adopt(Fifo(around, settings.limit_bytes, BFIFO))
        self.configure(settings, now_ns)

    def configure(self, settings: TbfSettings, now_ns: int) -> None:
        """Other rates, with full buckets; what waits goes on waiting."""
        self.settings = settings
        if isinstance(self._child, Fifo):
            # Whoever grafted it: the kernel sets the limit of any, even one that counts frames.
            self._child.configure(settings.limit_bytes)
        self._fill(now_ns)

    def _fill(self, now_ns: int) -> None:
        self._rate, self._peak = self.settings.bucket(), self.settings.peak_bucket()
        self._checked_ns = now_ns

    @property
    def children(self) -> Mapping[int, Discipline]:
        return {1: self._child}

    def graft(self, number: int, child: Discipline | None, now_ns: int) -> None:  # noqa: ARG002
        self._dismiss(self._child, now_ns)
        self._child = self._adopt(Noop(self.around) if child is None else child)

    def enqueue(self, frame: Frame, now_ns: int) -> bool:
        if len(frame.data) > self.settings.longest_bytes:
            return self._drop(frame, OVER_BURST)
        return self._hand_down(self._child, frame, now_ns)

    def _next(self, now_ns: int) -> Frame | None:
        waiting = self._child.peek(now_ns)
        if waiting is None:
            return None
        n_bytes = len(waiting.data)
        refill_ns = now_ns - self._checked_ns
        left_ns = self._rate.left_ns(n_bytes, refill_ns)
        peak_left_ns = 0 if self._peak is None else self._peak.left_ns(n_bytes, refill_ns)
        if left_ns < 0 or peak_left_ns < 0:
            self.around.wake(now_ns - min(left_ns, peak_left_ns))
            self.stats.overlimits += 1
            return None
        frame = self._child.dequeue(now_ns)
        assert frame is waiting, "what was peeked at is what leaves"
        self._checked_ns = now_ns
        self._rate.tokens_ns = left_ns
        if self._peak is not None:
            self._peak.tokens_ns = peak_left_ns
        self._sent(frame)
        return frame

    def _forget(self, now_ns: int) -> None:
        self._fill(now_ns)
