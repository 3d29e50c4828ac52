"""How often ICMP errors may be sent to one destination (inet_peer_xrlim_allow())."""

from __future__ import annotations

_BURST = 6

_LEAST_SWEPT = 1024
_MOST_BUCKETS = 65_536 + 128
"""inet_peer_threshold, for a machine with 512 MB or more."""


class RateLimit:
    """A token bucket per destination: six at once, then one per interval.

    Buckets that are full again are indistinguishable from new ones, so they are dropped
    whenever the table has doubled. There is room for as many peers as the kernel remembers;
    when it is full, the older half goes.
    """

    __slots__ = ("_buckets", "_sweep_at")

    def __init__(self) -> None:
        self._buckets: dict[bytes, tuple[int, int]] = {}
        self._sweep_at = _LEAST_SWEPT

    def allow(self, target: bytes, now_ns: int, interval_ns: int) -> bool:
        """Whether one more may go to ``target`` now; takes a token if so."""
        full_ns = _BURST * interval_ns
        tokens_ns, last_ns = self._buckets.get(target, (full_ns, now_ns))
        tokens_ns = min(full_ns, tokens_ns + now_ns - last_ns)
        allowed = tokens_ns >= interval_ns
        if allowed:
            tokens_ns -= interval_ns
        self._buckets[target] = (tokens_ns, now_ns)
        if len(self._buckets) > self._sweep_at:
            self._sweep(now_ns, full_ns)
        return allowed

    def _sweep(self, now_ns: int, full_ns: int) -> None:
        self._buckets = {
            ip: (tokens, at)
            for ip, (tokens, at) in self._buckets.items()
            if tokens + now_ns - at < full_ns
        }
        while len(self._buckets) > _MOST_BUCKETS // 2:
            del self._buckets[next(iter(self._buckets))]
        self._sweep_at = max(2 * len(self._buckets), _LEAST_SWEPT)
