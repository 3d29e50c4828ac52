"""Connections by key."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.key import zone_of


class ConnTable:
    """Every connection, by the key of either direction.

    Expired connections stay until they are removed, and may share a key with a living one:
    the youngest is found first. A translated connection that has expired still holds its
    reply key, so that nobody else is translated to the same.

    ``index`` is open for the tracker's fast road; ``find`` is what it means.
    """

    __slots__ = ("_count", "_elders", "index")

    def __init__(self) -> None:
        self.index: dict[bytes, Conn] = {}
        self._elders: dict[bytes, list[Conn]] = {}
        self._count = 0

    def find(self, key: bytes, now_ms: int) -> Conn | None:
        """The connection that a packet of ``key`` belongs to.

        One that has expired is returned only where it is translated and holds the key.
        """
        conn = self.index.get(key)
        if conn is None or now_ms < conn.expires_ms or (conn.is_translated and conn.key != key):
            return conn
        for elder in reversed(self._elders.get(key, ())):
            if now_ms < elder.expires_ms or (elder.is_translated and elder.key != key):
                return elder
        return None

    def add(self, conn: Conn) -> None:
        """Take a connection in."""
        self._count += 1
        self._put(conn.key, conn)
        if conn.reply_key != conn.key:
            self._put(conn.reply_key, conn)

    def _put(self, key: bytes, conn: Conn) -> None:
        other = self.index.get(key)
        if other is not None:
            self._elders.setdefault(key, []).append(other)
        self.index[key] = conn

    def remove(self, conn: Conn) -> None:
        """Take a connection out that was taken in."""
        self._count -= 1
        self._drop(conn.key, conn)
        if conn.reply_key != conn.key:
            self._drop(conn.reply_key, conn)

    def _drop(self, key: bytes, conn: Conn) -> None:
        elders = self._elders.get(key)
        if self.index[key] is not conn:
            assert elders is not None
            elders.remove(conn)
        elif elders:
            self.index[key] = elders.pop()
        else:
            del self.index[key]
        if elders is not None and not elders:
            del self._elders[key]

    def expired(self, now_ms: int) -> list[Conn]:
        """Connections whose time is up."""
        return [conn for conn in self if conn.expires_ms <= now_ms]

    def in_zone(self, zone: int) -> list[Conn]:
        """A zone's connections, expired ones as well."""
        return [conn for conn in self if zone_of(conn.key) == zone]

    def __iter__(self) -> Iterator[Conn]:
        """All connections; the youngest of each key in the order in which keys came up."""
        for key, conn in self.index.items():
            if conn.key == key:
                yield conn
        for key, elders in self._elders.items():
            for conn in elders:
                if conn.key == key:
                    yield conn

    def __len__(self) -> int:
        return self._count
