"""The IPv4 identification field (ip_select_ident() of the kernel).

A counter per bucket of (source, target, protocol), started at a secret place: two flows
seldom share one, and a packet's value tells little about the others'. A packet with DF set
that cannot be fragmented on the way needs none and gets 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace

_BUCKETS = 2048


class Identifications:
    """A namespace's counters; a bucket comes into being when it is first used."""

    __slots__ = ("_next", "_prefix")

    def __init__(self, namespace: Namespace) -> None:
        self._prefix = f"{namespace.chance.seed}/{namespace.name}/".encode()
        self._next: dict[int, int] = {}

    def next(self, source: bytes, target: bytes, protocol: int) -> int:
        """The identification of the next packet of a flow; never 0."""
        key = crc32(self._prefix + target + source + bytes((protocol,)))
        bucket = key % _BUCKETS
        value = self._next.get(bucket, key >> 11 & 0xFFFF) or 1
        self._next[bucket] = value + 1 & 0xFFFF
        return value
