"""A policer: what comes faster than it may is dropped, and nothing waits (tc-police(8))."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.sim.qdisc.bucket import Bucket


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate a second and a burst, both in bytes or both in frames."""

    rate_per_s: int
    burst: int


class _Limited:
    """A bucket, and when it was looked at last; what does not fit takes none."""

    def __init__(self, limit: Limit | Bucket, now_ns: int) -> None:
        if isinstance(limit, Limit):
            limit = Bucket(limit.rate_per_s, limit.burst)
        self._bucket = limit
        self._checked_ns = now_ns

    def left_ns(self, amount: int, now_ns: int) -> int:
        """What would be left; negative where there is not enough."""
        return self._bucket.left_ns(amount, now_ns - self._checked_ns)

    def take(self, amount: int, now_ns: int) -> None:
        self._bucket.tokens_ns = self.left_ns(amount, now_ns)
        self._checked_ns = now_ns


class Policer:
    """Judges frames by a limit of bytes, of frames, or by both; a frame must be within each."""

    def __init__(
        self, of_bytes: Limit | Bucket | None, of_frames: Limit | Bucket | None, now_ns: int
    ) -> None:
        self._bytes = None if of_bytes is None else _Limited(of_bytes, now_ns)
        self._frames = None if of_frames is None else _Limited(of_frames, now_ns)

    def passes(self, n_bytes: int, now_ns: int) -> bool:
        """Whether a frame may pass; one that may not costs nothing."""
        asked = [(self._bytes, n_bytes), (self._frames, 1)]
        buckets = [(bucket, amount) for bucket, amount in asked if bucket is not None]
        if any(bucket.left_ns(amount, now_ns) < 0 for bucket, amount in buckets):
            return False
        for bucket, amount in buckets:
            bucket.take(amount, now_ns)
        return True
