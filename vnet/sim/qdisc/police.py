"""A policer: what comes faster than it may is dropped, and nothing waits (tc-police(8))."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.base.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate a second and a burst, both in bytes or both in frames."""

    rate_per_s: int
    burst: int


class _Bucket:
    """Tokens in nanoseconds of the rate; what does not fit takes none."""

    def __init__(self, limit: Limit, now_ns: int) -> None:
        self._rate_per_s = limit.rate_per_s
        self._size_ns = self._tokens_ns = self._cost_ns(limit.burst)
        self._checked_ns = now_ns

    def _cost_ns(self, amount: int) -> int:
        return amount * NS_PER_S // self._rate_per_s

    def left_ns(self, amount: int, now_ns: int) -> int:
        """What would be left; negative where there is not enough."""
        tokens_ns = min(self._tokens_ns + now_ns - self._checked_ns, self._size_ns)
        return tokens_ns - self._cost_ns(amount)

    def take(self, amount: int, now_ns: int) -> None:
        self._tokens_ns = self.left_ns(amount, now_ns)
        self._checked_ns = now_ns


class Policer:
    """Judges frames by a limit of bytes, of frames, or by both; a frame must be within each."""

    def __init__(self, of_bytes: Limit | None, of_frames: Limit | None, now_ns: int) -> None:
        self._bytes = None if of_bytes is None else _Bucket(of_bytes, now_ns)
        self._frames = None if of_frames is None else _Bucket(of_frames, now_ns)

    def passes(self, n_bytes: int, now_ns: int) -> bool:
        """Whether a frame may pass; one that may not costs nothing."""
        asked = [(self._bytes, n_bytes), (self._frames, 1)]
        buckets = [(bucket, amount) for bucket, amount in asked if bucket is not None]
        if any(bucket.left_ns(amount, now_ns) < 0 for bucket, amount in buckets):
            return False
        for bucket, amount in buckets:
            bucket.take(amount, now_ns)
        return True
