"""A bucket of tokens, counted in nanoseconds of its rate, as the kernel's schedulers do."""

from __future__ import annotations

from vnet.sim.qdisc.psched import TransmitTime


class Bucket:
    """Full at first. ``rate_per_s`` and ``burst`` are both in bytes or both in frames."""

    __slots__ = ("_time", "size_ns", "tokens_ns")

    def __init__(self, rate_per_s: int | TransmitTime, burst: int) -> None:
        self._time = TransmitTime(rate_per_s) if isinstance(rate_per_s, int) else rate_per_s
        self.size_ns = self.tokens_ns = self._time.ns(burst)

    def left_ns(self, amount: int, refill_ns: int) -> int:
        """What would be left after ``refill_ns``; negative where there is not enough."""
        return min(self.tokens_ns + refill_ns, self.size_ns) - self._time.ns(amount)
