"""What a daemon writes to the log of its machine: the last lines, with their times."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from vnet.sim.scheduler import Scheduler

_MOST_LINES = 4_096


class DaemonLog:
    """One daemon's lines, oldest first: moment in nanoseconds and text."""

    __slots__ = ("_lines", "_scheduler", "n_written")

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.n_written = 0
        """How many lines there have been, those included that are forgotten."""
        self._lines: deque[tuple[int, str]] = deque(maxlen=_MOST_LINES)

    def write(self, text: str) -> None:
        """Say something now."""
        self.n_written += 1
        self._lines.append((self._scheduler.now_ns, text))

    def since(self, n_written: int) -> list[str]:
        """The text of what came behind the first ``n_written`` lines, as far as it is kept."""
        left = self.n_written - n_written
        return [text for _time, text in self._lines][-left:] if left else []

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return iter(self._lines)
