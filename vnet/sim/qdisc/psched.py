"""How long bytes take at a rate, reckoned as the kernel's packet schedulers reckon it.

Dividing by the rate for every frame would be slow, so the kernel multiplies by a whole number of
32 bits and shifts. What that rounds off is part of what it does: a frame may cost one nanosecond
less than the exact time.
"""

from __future__ import annotations

from vnet.base.units import NS_PER_S

TICK_NS = 64
"""tc and the kernel tell each other times in ticks of so many nanoseconds."""

_MULTIPLIER_BITS = 32
_FACTOR_BITS = 64


class TransmitTime:
    """A rate, in bytes or in frames a second, as a multiplier and a shift.

    ``overhead_bytes`` come on top of every frame, and none counts for less than ``least_bytes``
    (tc's ``overhead`` and ``mpu``).
    """

    __slots__ = ("_multiplier", "_shift", "least_bytes", "overhead_bytes", "rate_per_s")

    def __init__(self, rate_per_s: int, overhead_bytes: int = 0, least_bytes: int = 0) -> None:
        assert rate_per_s > 0, "nothing ever leaves at rate 0"
        self.rate_per_s = rate_per_s
        self.overhead_bytes = overhead_bytes
        self.least_bytes = least_bytes
        factor, self._shift = NS_PER_S, 0
        # As fine as it gets: until the multiplier has all its bits, or the factor has.
        while factor // rate_per_s < 1 << _MULTIPLIER_BITS - 1 and factor < 1 << _FACTOR_BITS - 1:
            factor <<= 1
            self._shift += 1
        self._multiplier = factor // rate_per_s & (1 << _MULTIPLIER_BITS) - 1

    def ns(self, amount: int) -> int:
        """The time that ``amount`` bytes, or frames, take."""
        counted = max(amount + self.overhead_bytes, self.least_bytes)
        return counted * self._multiplier >> self._shift

    def most(self, time_ns: int) -> int:
        """How many bytes, or frames, a time is enough for."""
        return max(time_ns * self.rate_per_s // NS_PER_S - self.overhead_bytes, 0)
