"""The forwarding database of a learning bridge (IEEE 802.1D clause 7.9).

Maps a MAC address to the port it was last seen on. Dynamic entries age: one that has
not been refreshed for ``ageing_ns`` no longer counts, even before the sweep removes
it. Permanent entries are the bridge's own addresses; static ones are the user's.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from typing import Generic, TypeVar

PortT = TypeVar("PortT")


class FdbKind(Enum):
    DYNAMIC = auto()  # learned; ages
    STATIC = auto()  # set by the user; never ages, never moves by learning
    LOCAL = auto()  # an address of the bridge itself: frames for it go up the stack


class FdbEntry(Generic[PortT]):
    """Where a MAC lives. ``updated_ns`` is when a frame from it was last seen."""

    __slots__ = ("is_dynamic", "is_local", "kind", "mac", "port", "updated_ns", "used_ns")

    def __init__(self, mac: bytes, port: PortT, kind: FdbKind, now_ns: int) -> None:
        self.mac = mac
        self.port = port
        self.kind = kind
        # Told apart on the fast road, where an attribute is cheaper than an enum compare.
        self.is_local = kind is FdbKind.LOCAL
        self.is_dynamic = kind is FdbKind.DYNAMIC
        self.updated_ns = now_ns
        self.used_ns = now_ns


class Fdb(Generic[PortT]):
    """MAC address to :class:`FdbEntry`.

    ``entries`` is open for the bridge's fast road, which looks up, compares the port and
    refreshes the time in place; everything else goes through the methods.
    """

    __slots__ = ("ageing_ns", "entries", "moves")

    def __init__(self, ageing_ns: int) -> None:
        self.ageing_ns = ageing_ns
        self.moves = 0
        """How often a station was learned on another port than before."""
        self.entries: dict[bytes, FdbEntry[PortT]] = {}

    def lookup(self, mac: bytes, now_ns: int) -> FdbEntry[PortT] | None:
        """The entry that counts at ``now_ns``, or None."""
        entry = self.entries.get(mac)
        return None if entry is None or self._has_aged(entry, now_ns) else entry

    def learned(self, now_ns: int) -> int:
        """How many stations have been learned and not yet forgotten at ``now_ns``."""
        return sum(entry.is_dynamic and not self._has_aged(entry, now_ns) for entry in self)

    def _has_aged(self, entry: FdbEntry[PortT], now_ns: int) -> bool:
        return entry.is_dynamic and now_ns - entry.updated_ns > self.ageing_ns

    def learn(self, mac: bytes, port: PortT, now_ns: int) -> FdbEntry[PortT]:
        """A frame from ``mac`` came in on ``port``: create, refresh or move its entry.

        Local and static entries stay where they are.
        """
        entry = self.entries.get(mac)
        if entry is None:
            entry = self.entries[mac] = FdbEntry(mac, port, FdbKind.DYNAMIC, now_ns)
        elif entry.is_dynamic:
            if entry.port is not port:
                entry.port = port
                self.moves += 1
            entry.updated_ns = now_ns
        return entry

    def add(self, mac: bytes, port: PortT, kind: FdbKind, now_ns: int) -> None:
        """Set an entry, replacing whatever was there."""
        self.entries[mac] = FdbEntry(mac, port, kind, now_ns)

    def remove(self, mac: bytes) -> None:
        """Forget ``mac``; harmless when unknown."""
        self.entries.pop(mac, None)

    def flush_port(self, port: PortT, *, local: bool = False) -> None:
        """Forget what was learned on ``port``; with ``local``, everything on it."""
        gone = [
            mac
            for mac, entry in self.entries.items()
            if entry.port is port and (local or entry.is_dynamic)
        ]
        for mac in gone:
            del self.entries[mac]

    def expire(self, now_ns: int) -> int | None:
        """Remove what has aged; return when the next entry will, or None."""
        horizon = now_ns - self.ageing_ns
        gone = [m for m, e in self.entries.items() if e.is_dynamic and e.updated_ns <= horizon]
        for mac in gone:
            del self.entries[mac]
        oldest = min((e.updated_ns for e in self.entries.values() if e.is_dynamic), default=None)
        return None if oldest is None else oldest + self.ageing_ns

    def __iter__(self) -> Iterator[FdbEntry[PortT]]:
        return iter(self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)
