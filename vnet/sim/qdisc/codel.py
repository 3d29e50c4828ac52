"""CoDel's law: when to drop from a queue in which frames have stood too long (RFC 8289).

As long as frames wait longer than ``target`` for a whole ``interval``, one is dropped, and then
the next ones ever sooner: ``interval`` divided by the root of how many there were. Reckoned as
Linux does, in units of 1,024 ns and with a root of 16 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vnet.sim.frame import Frame

_SHIFT = 10
_ROOT_BITS = 16
_ALL_ONES = (1 << _ROOT_BITS) - 1
_MANY_INTERVALS = 16


def ticks(time_ns: int) -> int:
    """A time as CoDel counts it."""
    return time_ns >> _SHIFT


@dataclass(slots=True)
class Waiting:
    """A frame and when it came."""

    frame: Frame
    since: int


@dataclass(frozen=True, slots=True)
class CodelSettings:
    """``target`` and ``interval`` in ticks, and how many bytes may always stand."""

    target: int
    interval: int
    longest_bytes: int


class Codel:
    """The state of one queue. ``take`` gives its next frame, ``backlog`` how many bytes wait."""

    __slots__ = (
        "_above_since",
        "_drop_next",
        "_last_count",
        "_root",
        "count",
        "delay",
        "dropping",
        "max_packet",
    )

    def __init__(self) -> None:
        self.count = self._last_count = 0
        self.dropping = False
        self.delay = 0
        self.max_packet = 0
        self._root = 0
        self._above_since = 0
        self._drop_next = 0

    def next(
        self,
        settings: CodelSettings,
        now: int,
        take: Callable[[], Waiting | None],
        backlog: Callable[[], int],
        mark_or_drop: Callable[[Waiting], bool],
    ) -> Waiting | None:
        """The frame that leaves. ``mark_or_drop`` says True where it was marked and may leave."""
        waiting = take()
        if waiting is None:
            self.dropping = False
            return None
        is_late = self._is_late(settings, waiting, now, backlog)
        if self.dropping:
            if not is_late:
                self.dropping = False
            while self.dropping and now >= self._drop_next:
                self.count += 1
                self._newton_step()
                assert waiting is not None, "who drops has a frame"
                if mark_or_drop(waiting):
                    self._drop_next = self._after(self._drop_next, settings)
                    return waiting
                waiting = take()
                if not self._is_late(settings, waiting, now, backlog):
                    self.dropping = False
                else:
                    self._drop_next = self._after(self._drop_next, settings)
        elif is_late:
            if not mark_or_drop(waiting):
                waiting = take()
                self._is_late(settings, waiting, now, backlog)
            self._begin(settings, now)
        return waiting

    def _begin(self, settings: CodelSettings, now: int) -> None:
        """Enter the state of dropping, as fast as it was left if that was not long ago."""
        self.dropping = True
        more = self.count - self._last_count
        if more > 1 and now - self._drop_next < _MANY_INTERVALS * settings.interval:
            self.count = more
            self._newton_step()
        else:
            self.count = 1
            self._root = _ALL_ONES
        self._last_count = self.count
        self._drop_next = self._after(now, settings)

    def _is_late(
        self,
        settings: CodelSettings,
        waiting: Waiting | None,
        now: int,
        backlog: Callable[[], int],
    ) -> bool:
        """Whether frames have waited too long for long enough."""
        if waiting is None:
            self._above_since = 0
            return False
        self.delay = now - waiting.since
        self.max_packet = max(self.max_packet, len(waiting.frame.data))
        if self.delay < settings.target or backlog() <= settings.longest_bytes:
            self._above_since = 0
            return False
        if not self._above_since:
            self._above_since = now + settings.interval
            return False
        return now > self._above_since

    def _newton_step(self) -> None:
        """One step towards 1 / sqrt(count)."""
        root = self._root << _ROOT_BITS
        squared = root * root >> 32
        value = ((3 << 32) - self.count * squared) >> 2
        self._root = (value * root >> 31) >> _ROOT_BITS & _ALL_ONES

    def _after(self, time: int, settings: CodelSettings) -> int:
        return time + (settings.interval * (self._root << _ROOT_BITS) >> 32)
