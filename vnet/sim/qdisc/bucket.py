"""A bucket of tokens, counted in nanoseconds of its rate, as the kernel's schedulers do."""

from __future__ import annotations

from vnet.base.units import NS_PER_S


class Bucket:
    """Full at first. ``rate_per_s`` and ``burst`` are both in bytes or both in frames."""

    __slots__ = ("_rate_per_s", "_size_ns", "tokens_ns")

    def __init__(self, rate_per_s: int, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._size_ns = self.tokens_ns = self._cost_ns(burst)

    def _cost_ns(self, amount: int) -> int:
        return amount * NS_PER_S // self._rate_per_s

    def left_ns(self, amount: int, refill_ns: int) -> int:
        """What would be left after ``refill_ns``; negative where there is not enough."""
        return min(self.tokens_ns + refill_ns, self._size_ns) - self._cost_ns(amount)
