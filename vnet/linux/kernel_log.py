"""What the kernel says (dmesg(1)): the last lines, with the times at which they were said."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from vnet.sim.scheduler import Scheduler

_MOST_LINES = 4096
"""The kernel's ring holds some hundred kilobytes; the oldest lines make room."""

_WINDOW_NS = 5_000_000_000
_MOST_IN_WINDOW = 10


class KernelLog:
    """One machine's lines, oldest first: moment in nanoseconds and text."""

    __slots__ = ("_lines", "_n_said", "_n_withheld", "_scheduler", "_window_ns")

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._lines: deque[tuple[int, str]] | None = None
        self._window_ns: int | None = None
        self._n_said = self._n_withheld = 0

    def write(self, text: str) -> None:
        """Say something now."""
        if self._lines is None:
            # Most machines never say anything, and an empty ring takes its room.
            self._lines = deque(maxlen=_MOST_LINES)
        self._lines.append((self._scheduler.now_ns, text))

    def write_limited(self, *lines: str) -> None:
        """Say something that anybody on the wire can cause (net_ratelimit()).

        Ten such things may be said within five seconds; of the rest only the number is told.
        """
        now_ns = self._scheduler.now_ns
        if self._window_ns is None or now_ns > self._window_ns + _WINDOW_NS:
            if self._n_withheld:
                self.write(f"net_ratelimit: {self._n_withheld} callbacks suppressed")
            self._window_ns, self._n_said, self._n_withheld = now_ns, 0, 0
        if self._n_said < _MOST_IN_WINDOW:
            self._n_said += 1
            for line in lines:
                self.write(line)
        else:
            self._n_withheld += 1

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return iter(self._lines or ())
