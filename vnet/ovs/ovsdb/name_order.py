"""The order in which Open vSwitch goes through things that it keeps by name.

It shows: which of two faults is told, and which column rows are sorted by first.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_bytes


@cache
def _name_hash(name: str) -> int:
    return hash_bytes(name.encode("utf-8", "surrogateescape"), 0)


def in_hash_order(names: Iterable[str]) -> list[str]:
    """Names, given in the order of their coming, in the order of a table that is keyed by them."""
    given = list(names)
    return [given[position] for position in hash_table_order(map(_name_hash, given))]
