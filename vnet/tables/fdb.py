"""The forwarding database of a learning bridge (IEEE 802.1D clause 7.9, 802.1Q clause 8.8).

Maps a MAC address, and the VLAN it was heard in, to the port it was last seen on. Dynamic
entries age: one that has not been refreshed for ``ageing_ns`` goes with the next sweep
(:meth:`Fdb.expire`), and counts until then, as in the Linux kernel. Permanent entries are the
bridge's own addresses; static ones are the user's.

VLAN 0 stands for a bridge that knows no VLANs; there a MAC is its own key.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from typing import Generic, TypeVar

PortT = TypeVar("PortT")


class FdbKind(Enum):
    DYNAMIC = auto()  # learned; ages
    STATIC = auto()  # set by the user; never ages, but moves with its station unless sticky
    LOCAL = auto()  # an address of the bridge itself: frames for it go up the stack


def fdb_key(mac: bytes, vid: int) -> bytes:
    """What a station goes by: its MAC, and behind it the VLAN unless that is 0."""
    return mac + vid.to_bytes(2, "big") if vid else mac


class FdbEntry(Generic[PortT]):
    """Where a MAC lives. ``updated_ns`` is when a frame from it was last seen.

    ``sticky`` keeps it where it is though its station is heard elsewhere; ``by_user`` says that
    somebody has set it, and that it is none of the bridge's own doing.
    """

    __slots__ = (
        "by_user",
        "is_dynamic",
        "is_local",
        "kind",
        "mac",
        "port",
        "sticky",
        "updated_ns",
        "used_ns",
        "vid",
    )

    def __init__(self, mac: bytes, port: PortT, kind: FdbKind, now_ns: int, vid: int = 0) -> None:
        self.mac = mac
        self.vid = vid
        self.port = port
        self.sticky = False
        self.by_user = False
        self.updated_ns = now_ns
        self.used_ns = now_ns
        self.become(kind)

    def become(self, kind: FdbKind) -> None:
        """Be of another kind from now on."""
        self.kind = kind
        # Told apart on the fast road, where an attribute is cheaper than an enum compare.
        self.is_local = kind is FdbKind.LOCAL
        self.is_dynamic = kind is FdbKind.DYNAMIC


class Fdb(Generic[PortT]):
    """Stations to :class:`FdbEntry`, by :func:`fdb_key`.

    ``entries`` is open for the bridge's fast road, which looks up, compares the port and
    refreshes the time in place; everything else goes through the methods.
    """

    __slots__ = ("ageing_ns", "entries", "moves")

    def __init__(self, ageing_ns: int) -> None:
        self.ageing_ns = ageing_ns
        self.moves = 0
        """How often a station was learned on another port than before."""
        self.entries: dict[bytes, FdbEntry[PortT]] = {}

    def get(self, mac: bytes, vid: int = 0) -> FdbEntry[PortT] | None:
        """Where a station is, or None."""
        return self.entries.get(fdb_key(mac, vid))

    @property
    def learned(self) -> int:
        """How many stations have been learned and not yet forgotten."""
        return sum(entry.is_dynamic for entry in self)

    def learn(self, mac: bytes, port: PortT, now_ns: int, vid: int = 0) -> FdbEntry[PortT]:
        """A frame from ``mac`` came in on ``port``: create, refresh or move its entry.

        Local and sticky entries stay where they are.
        """
        key = fdb_key(mac, vid)
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = FdbEntry(mac, port, FdbKind.DYNAMIC, now_ns, vid)
        elif not entry.is_local:
            if entry.port is not port and not entry.sticky:
                entry.port = port
                self.moves += 1
            entry.updated_ns = now_ns
        return entry

    def add(
        self, mac: bytes, port: PortT, kind: FdbKind, now_ns: int, vid: int = 0
    ) -> FdbEntry[PortT]:
        """Set an entry, replacing whatever was there; it is the newest then."""
        key = fdb_key(mac, vid)
        self.entries.pop(key, None)
        entry = self.entries[key] = FdbEntry(mac, port, kind, now_ns, vid)
        return entry

    def remove(self, mac: bytes, vid: int = 0) -> None:
        """Forget a station; harmless when unknown."""
        self.entries.pop(fdb_key(mac, vid), None)

    def flush_port(self, port: PortT, *, local: bool = False, vid: int | None = None) -> None:
        """Forget what was learned on ``port``, in VLAN ``vid`` if one is named; with ``local``,
        everything on it."""
        gone = [
            key
            for key, entry in self.entries.items()
            if entry.port is port
            and (local or entry.is_dynamic)
            and (vid is None or entry.vid == vid)
        ]
        for key in gone:
            del self.entries[key]

    def expire(self, now_ns: int) -> int | None:
        """Remove what has aged; return when the next entry will, or None."""
        horizon = now_ns - self.ageing_ns
        gone = [k for k, e in self.entries.items() if e.is_dynamic and e.updated_ns <= horizon]
        for key in gone:
            del self.entries[key]
        oldest = min((e.updated_ns for e in self.entries.values() if e.is_dynamic), default=None)
        return None if oldest is None else oldest + self.ageing_ns

    def __iter__(self) -> Iterator[FdbEntry[PortT]]:
        return iter(self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)
