"""The order in which Open vSwitch goes through things that it keeps by name.

It shows: which of two faults is told, and which column rows are sorted by first.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_bytes

_LONGEST_KEPT = 64
_MOST_ORDERED = 1000
"""Names come from peers as well: what is kept of them, and done for them, has its bounds."""


def in_hash_order(names: Iterable[str]) -> list[str]:
    """Names, given in the order of their coming, in the order of a table that is keyed by them.

    More of them than any schema has stay in the order in which they came.
    """
    given = list(names)
    if len(given) > _MOST_ORDERED:
        return given
    return [given[position] for position in hash_table_order(map(_hash_of, given))]


def _hash_of(name: str) -> int:
    return _kept_hash(name) if len(name) <= _LONGEST_KEPT else _name_hash(name)


def _name_hash(name: str) -> int:
    return hash_bytes(name.encode("utf-8", "surrogateescape"), 0)


_kept_hash = lru_cache(maxsize=2048)(_name_hash)
