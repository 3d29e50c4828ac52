"""What the kernel says (dmesg(1)): the last lines, with the times at which they were said."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from vnet.sim.scheduler import Scheduler

_MOST_LINES = 4096
"""The kernel's ring holds some hundred kilobytes; the oldest lines make room."""


class KernelLog:
    """One machine's lines, oldest first: moment in nanoseconds and text."""

    __slots__ = ("_lines", "_scheduler")

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._lines: deque[tuple[int, str]] = deque(maxlen=_MOST_LINES)

    def write(self, text: str) -> None:
        """Say something now."""
        self._lines.append((self._scheduler.now_ns, text))

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return iter(self._lines)
