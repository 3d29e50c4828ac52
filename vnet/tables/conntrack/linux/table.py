"""Connections by the key of either direction, and by their source.

Time is an argument, in nanoseconds. A connection whose time is up is gone as soon as somebody
looks; those that nobody looks at are swept out when the table has grown.
"""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from vnet.tables.conntrack.extract import ICMP, ICMPV6
from vnet.tables.conntrack.key import parts_of
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.entry import Entry

_LEAST_SWEEP = 1024
_EVICTION_RANGE = 8
"""How many neighbouring buckets are searched for something to evict."""


def source_of(key: bytes) -> bytes:
    """What tells a key's source: address, port or identifier, protocol and zone."""
    parts = parts_of(key)
    part = parts.ident if parts.protocol in (ICMP, ICMPV6) else parts.source_part
    tail = part.to_bytes(2, "big") + bytes((parts.protocol,)) + parts.zone.to_bytes(2, "big")
    return parts.source + tail


class EntryTable:
    """Every confirmed connection. ``index`` is open for the road; ``find`` is what it means."""

    __slots__ = ("_by_bucket", "_by_source", "_count", "_sweep_at", "buckets", "index")

    def __init__(self, buckets: int) -> None:
        self.index: dict[bytes, Entry] = {}
        self.buckets = buckets
        self._by_source: dict[bytes, list[Entry]] = {}
        self._by_bucket: dict[int, list[Entry]] | None = None
        self._count = 0
        self._sweep_at = _LEAST_SWEEP

    def find(self, key: bytes, now_ns: int) -> Entry | None:
        """The living connection with this key, either way."""
        entry = self.index.get(key)
        if entry is not None and entry.expires_ns <= now_ns:
            self.remove(entry)
            return None
        return entry

    def add(self, entry: Entry, now_ns: int) -> None:
        """Take in a connection, neither of whose keys is there."""
        if self._count >= self._sweep_at:
            self.sweep(now_ns)
            self._sweep_at = max(_LEAST_SWEEP, self._count * 2)
        self._count += 1
        entry.status |= status.CONFIRMED
        self.index[entry.key] = self.index[entry.reply_key] = entry
        if self._by_bucket is not None:
            self._place(entry)

    def remove(self, entry: Entry) -> None:
        """Forget a connection, if it is there at all."""
        if self.index.get(entry.key) is not entry:
            return
        self._count -= 1
        entry.status |= status.DYING
        del self.index[entry.key]
        self.index.pop(entry.reply_key, None)
        self.unbind(entry)
        if self._by_bucket is not None:
            for bucket in (self._bucket(entry.key), self._bucket(entry.reply_key)):
                self._by_bucket[bucket].remove(entry)

    def sweep(self, now_ns: int) -> None:
        """Forget all whose time is up."""
        for entry in [entry for entry in self if entry.expires_ns <= now_ns]:
            self.remove(entry)

    def __iter__(self) -> Iterator[Entry]:
        """In the order in which they were confirmed; some may have expired."""
        for key, entry in self.index.items():
            if key is entry.key:
                yield entry

    def __len__(self) -> int:
        return self._count

    # -- by source

    def bind(self, entry: Entry) -> None:
        """The connection's source has been settled, whether it is confirmed or not."""
        self._by_source.setdefault(source_of(entry.key), []).append(entry)

    def unbind(self, entry: Entry) -> None:
        """Its source is nobody's any more."""
        source = source_of(entry.key)
        bound = self._by_source.get(source)
        if bound is not None and entry in bound:
            bound.remove(entry)
            if not bound:
                del self._by_source[source]

    def from_source(self, key: bytes, now_ns: int) -> Iterator[Entry]:
        """Connections with the source of ``key``, the youngest first."""
        for entry in reversed(self._by_source.get(source_of(key), ())):
            if not entry.status & status.CONFIRMED or entry.expires_ns > now_ns:
                yield entry

    # -- when it is full

    def evict(self, key: bytes, now_ns: int) -> bool:
        """Give up connections that were never assured, of the first buckets that have some.

        Buckets are those that the kernel would search for a new connection of ``key``; which key
        is in which is a matter of chance there, and of a fixed hash here.
        """
        if self._by_bucket is None:
            self._by_bucket = {}
            for entry in self:
                self._place(entry)
        first = self._bucket(key)
        for number in range(first, first + _EVICTION_RANGE):
            found = self._by_bucket.get(number % self.buckets, ())
            weak = [e for e in found if not e.status & status.ASSURED or e.expires_ns <= now_ns]
            for entry in weak:
                self.remove(entry)
            if weak:
                return True
        return False

    def forget_buckets(self) -> None:
        """There is room again."""
        self._by_bucket = None

    def _place(self, entry: Entry) -> None:
        assert self._by_bucket is not None
        for key in (entry.key, entry.reply_key):
            self._by_bucket.setdefault(self._bucket(key), []).append(entry)

    def _bucket(self, key: bytes) -> int:
        return crc32(key) * self.buckets >> 32
