"""Messages that may come in numbers are let through at a rate, and those dropped are counted.

A bucket holds tokens: a message takes one, and time brings new ones.
"""

from __future__ import annotations

_TOKENS_A_MESSAGE = 60_000
"""So many that a rate of messages a minute is the same number of tokens a millisecond."""


class RateLimit:
    """``per_minute`` messages, and up to ``burst`` at once. It begins full."""

    __slots__ = (
        "_burst",
        "_filled_ms",
        "_per_ms",
        "_tokens",
        "first_dropped_ms",
        "last_dropped_ms",
        "n_dropped",
    )

    def __init__(self, per_minute: int, burst: int) -> None:
        self._per_ms = per_minute
        self._burst = self._tokens = burst * _TOKENS_A_MESSAGE
        self._filled_ms: int | None = None
        self.n_dropped = 0
        self.first_dropped_ms = 0
        self.last_dropped_ms = 0

    def take(self, now_ms: int) -> bool:
        """Whether one more may pass now; if not, it is counted as dropped."""
        if self._tokens < _TOKENS_A_MESSAGE:
            elapsed_ms = now_ms - self._filled_ms if self._filled_ms is not None else 0
            self._tokens = min(self._burst, self._tokens + elapsed_ms * self._per_ms)
        self._filled_ms = now_ms
        if self._tokens >= _TOKENS_A_MESSAGE:
            self._tokens -= _TOKENS_A_MESSAGE
            return True
        if not self.n_dropped:
            self.first_dropped_ms = now_ms
        self.last_dropped_ms = now_ms
        self.n_dropped += 1
        return False

    def summary(self, now_ms: int) -> str | None:
        """The sentence about those dropped since the last one; None where there were none."""
        if not self.n_dropped:
            return None
        n_dropped, self.n_dropped = self.n_dropped, 0
        return (
            f"Dropped {n_dropped} log messages in last "
            f"{now_ms // 1000 - self.first_dropped_ms // 1000} seconds (most recently, "
            f"{now_ms // 1000 - self.last_dropped_ms // 1000} seconds ago) due to excessive rate"
        )
