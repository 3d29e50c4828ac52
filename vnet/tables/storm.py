"""Storms, told by what they are: flooded frames that come back.

A frame that circles in a loop reaches each switch again and again, and by another port than
the first time. In a sound network that happens once, when a station has moved and says the same
thing as before; a hundred times within a second of virtual time is a storm, whatever
circles: broadcasts, multicasts, or frames for a stranger.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

PortT = TypeVar("PortT")

STORM_COPIES = 100
"""Frames that come back within :data:`STORM_WINDOW_NS`, which nothing but a loop explains."""

STORM_WINDOW_NS = 1_000_000_000

MOST_COPIES_PER_INSTANT = 1000
"""More that come back while no time passes come from a loop that will not let it pass, or that
multiplies. Where the road of every station changes at once, a frame comes back as often as it is
said again, which is once at most in an instant; and :data:`MOST_FRAMES` are watched."""

MEMORY_NS = 500_000_000
"""A frame that was not seen for so long does not circle; it is being said again."""

MOST_FRAMES = 256
"""Different frames that are watched at once; of a storm of more, these are a sample."""

MOST_STORMS = 100
"""Storms that are remembered; what comes after is added to the last, which then seems to last."""


class Storm(Generic[PortT]):
    """From ``began_ns`` to ``ended_ns``, ``copies`` of flooded frames came back by ``ports``, with
    no second in between in which none did. ``mac`` sent the first of them.

    More may have come back than the ``copies`` of frames that were watched.
    """

    __slots__ = ("began_ns", "copies", "copies_in_instant", "ended_ns", "mac", "ports")

    def __init__(self, mac: bytes, began_ns: int) -> None:
        self.mac = mac
        self.began_ns = began_ns
        self.ended_ns = began_ns
        self.copies = 0
        self.copies_in_instant = 0
        self.ports: dict[PortT, None] = {}


class _Seen(Generic[PortT]):
    """A frame that was flooded: the port it came by first, and when it came last."""

    __slots__ = ("first_by", "last_ns")

    def __init__(self, first_by: PortT, now_ns: int) -> None:
        self.first_by = first_by
        self.last_ns = now_ns


class StormWatch(Generic[PortT]):
    """Sees every frame that a switch floods, and keeps the storms among them."""

    __slots__ = ("_latest", "_seen", "on_standstill", "on_storm", "storms")

    def __init__(self) -> None:
        self.storms: list[Storm[PortT]] = []
        self.on_storm: Callable[[Storm[PortT]], None] = _nothing
        """Called when a storm is known to be one."""
        self.on_standstill: Callable[[Storm[PortT]], None] = _nothing
        """Called whenever another :data:`MOST_COPIES_PER_INSTANT` came back in one instant."""
        self._seen: dict[bytes, _Seen[PortT]] = {}
        self._latest: Storm[PortT] | None = None

    def flooded(self, data: bytes, port: PortT, now_ns: int) -> None:
        """A frame that came in by ``port`` is being flooded."""
        # Bytes remember their hash, and are compared by identity first: a frame that is handed
        # on as it is costs little.
        watched = self._seen
        seen = watched.pop(data, None)
        if seen is not None and now_ns - seen.last_ns <= MEMORY_NS:
            seen.last_ns = now_ns
            watched[data] = seen  # To the end: the first is the one not seen for longest.
            if seen.first_by is not port:
                self._came_back(data[6:12], port, now_ns)
            return
        if len(watched) >= MOST_FRAMES:
            oldest = next(iter(watched))
            if now_ns - watched[oldest].last_ns <= MEMORY_NS:
                return  # All that are watched may circle, and suffice.
            del watched[oldest]
        watched[data] = _Seen(port, now_ns)

    def forget(self) -> None:
        """A cable or a machine was replugged: what was said before may now come another way."""
        self._seen.clear()

    def _came_back(self, mac: bytes, port: PortT, now_ns: int) -> None:
        latest = self._latest
        if latest is None or self._is_over(latest, now_ns):
            latest = self._latest = Storm(mac, now_ns)
        if now_ns != latest.ended_ns:
            latest.ended_ns, latest.copies_in_instant = now_ns, 0
        latest.copies += 1
        latest.copies_in_instant += 1
        latest.ports[port] = None
        if latest.copies == STORM_COPIES:
            self._record(latest)
        if not latest.copies_in_instant % MOST_COPIES_PER_INSTANT:
            self.on_standstill(latest)

    @staticmethod
    def _is_over(latest: Storm[PortT], now_ns: int) -> bool:
        since_ns = latest.ended_ns if latest.copies >= STORM_COPIES else latest.began_ns
        return now_ns - since_ns > STORM_WINDOW_NS

    def _record(self, storm: Storm[PortT]) -> None:
        if len(self.storms) < MOST_STORMS:
            self.storms.append(storm)
            self.on_storm(storm)
            return
        last = self._latest = self.storms[-1]
        last.ended_ns = storm.ended_ns
        last.copies += storm.copies
        last.ports |= storm.ports


def _nothing(_storm: object) -> None:
    return None
