"""When a database's file is worth to be written anew, as short as can be (ovsdb-server(8))."""

from __future__ import annotations

from collections.abc import Callable

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS

_LEAST_RECORDS = 100
_LEAST_BYTES = 10 * 1024 * 1024


class CompactionTimer:
    """Compaction is not before 10 to 20 minutes after the last, and then once the file has grown.

    After a day, any record is enough. ``random_below`` gives a number of milliseconds below its
    argument, so that servers started together do not all compact at once.
    """

    def __init__(self, now_ms: int, random_below: Callable[[int], int]) -> None:
        self._random_below = random_below
        self._earliest_ms = 0
        self._latest_ms = 0
        self.restart(now_ms)

    def restart(self, now_ms: int) -> None:
        """The file was just compacted, or opened."""
        self._wait(now_ms, 10 * MINUTE_MS)
        self._latest_ms = now_ms + DAY_MS

    def retry_soon(self, now_ms: int) -> None:
        """It could not be compacted: try again in a minute or two."""
        self._wait(now_ms, MINUTE_MS)

    def _wait(self, now_ms: int, base_ms: int) -> None:
        self._earliest_ms = now_ms + base_ms + self._random_below(base_ms)

    def is_due(self, now_ms: int, *, n_records: int, size_bytes: int, base_bytes: int) -> bool:
        """Whether to compact now a file that had ``base_bytes`` when it was last compacted."""
        if now_ms < self._earliest_ms:
            return False
        if now_ms < self._latest_ms:
            has_grown = size_bytes > _LEAST_BYTES and size_bytes // 2 > base_bytes
            is_worth_it = n_records >= _LEAST_RECORDS and has_grown
        else:
            is_worth_it = n_records > 0
        if not is_worth_it:
            self.retry_soon(now_ms)
        return is_worth_it
