"""Round-trip times, and the retransmission timeout that follows from them (RFC 6298).

Linux's variant: the variance term never falls below 200 ms, a sudden fall of the round-trip
time does not raise it, and it decays once per round trip rather than with every sample.
"""

from __future__ import annotations

US_PER_S = 1_000_000
INITIAL_RTO_US = US_PER_S
LEAST_RTO_US = 200_000
MOST_RTO_US = 120 * US_PER_S

_NO_RTT = 1 << 62


class RttEstimator:
    """All times in microseconds; ``smoothed_us`` is 0 while nothing has been measured."""

    __slots__ = (
        "_deviation_x4",
        "_most_deviation",
        "_round_ends",
        "_smoothed_x8",
        "_variance",
        "least_us",
        "rto_us",
    )

    def __init__(self) -> None:
        self._smoothed_x8 = 0
        self._deviation_x4 = 0
        self._most_deviation = 0
        self._variance = 0
        self._round_ends = 0
        self.least_us = _NO_RTT
        self.rto_us = INITIAL_RTO_US

    @property
    def smoothed_us(self) -> int:
        return self._smoothed_x8 >> 3

    @property
    def smoothed_x8_us(self) -> int:
        """Eight times the smoothed round-trip time, as it is kept."""
        return self._smoothed_x8

    @property
    def deviation_us(self) -> int:
        """What ``ss`` prints behind the slash of ``rtt:``."""
        return self._deviation_x4 >> 2

    def sample(self, rtt_us: int, acknowledged: int, next_sequence: int) -> None:
        """A segment came and its acknowledgement took ``rtt_us``.

        ``acknowledged`` and ``next_sequence`` tell when one round trip ends and another begins.
        """
        rtt_us = max(rtt_us, 1)
        self.least_us = min(self.least_us, rtt_us)
        if self._smoothed_x8 == 0:
            self._smoothed_x8 = rtt_us << 3
            self._deviation_x4 = rtt_us << 1
            self._variance = max(self._deviation_x4, LEAST_RTO_US)
            self._most_deviation = self._variance
            self._round_ends = next_sequence
        else:
            self._update(rtt_us, acknowledged, next_sequence)
        self.rto_us = min((self._smoothed_x8 >> 3) + self._variance, MOST_RTO_US)

    def _update(self, rtt_us: int, acknowledged: int, next_sequence: int) -> None:
        error = rtt_us - (self._smoothed_x8 >> 3)
        self._smoothed_x8 = max(1, self._smoothed_x8 + error)
        growth = abs(error) - (self._deviation_x4 >> 2)
        if error < 0 < growth:
            growth >>= 3
        self._deviation_x4 += growth
        if self._deviation_x4 > self._most_deviation:
            self._most_deviation = self._deviation_x4
            self._variance = max(self._variance, self._most_deviation)
        if acknowledged > self._round_ends:
            if self._most_deviation < self._variance:
                self._variance -= self._variance - self._most_deviation >> 2
            self._round_ends = next_sequence
            self._most_deviation = LEAST_RTO_US

    def back_off(self) -> None:
        """The timeout passed: the next one is twice as long."""
        self.rto_us = min(self.rto_us << 1, MOST_RTO_US)

    def restart(self) -> None:
        """Forget the backing off, once something has come through."""
        if self._smoothed_x8:
            self.rto_us = min((self._smoothed_x8 >> 3) + self._variance, MOST_RTO_US)
