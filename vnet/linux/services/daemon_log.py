"""What a daemon writes to the log of its machine: the last lines, with their times."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from vnet.sim.scheduler import Scheduler

_MOST_LINES = 4_096


class DaemonLog:
    """One daemon's lines, oldest first: moment in nanoseconds and text."""

    __slots__ = ("_lines", "_scheduler")

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._lines: deque[tuple[int, str]] = deque(maxlen=_MOST_LINES)

    def write(self, text: str) -> None:
        """Say something now."""
        self._lines.append((self._scheduler.now_ns, text))

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return iter(self._lines)
