"""The order in which Open vSwitch goes through its hash tables.

Wherever it does so for all members (to flood, to give out numbers), the order shows. A table
doubles as it fills; new members stand at the front of their bucket. Source: ``hmap`` of Open
vSwitch 3.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_LEAST_MASK = 3


class HashOrder(Generic[T]):
    """Members that come and go, in the order of a table that has seen them do so."""

    def __init__(self) -> None:
        self._mask = 0
        self._n_members = 0
        self._buckets: dict[int, list[tuple[int, T]]] = {}

    def add(self, member: T, hash_: int) -> None:
        """A member comes. The table doubles when it has twice as many as buckets."""
        self._insert(member, hash_)
        self._n_members += 1
        fill = self._n_members // 2
        if fill > self._mask:
            self._mask = max(_LEAST_MASK, (1 << fill.bit_length()) - 1)
            moved = self._in_order()
            self._buckets = {}
            for other_hash, other in moved:
                self._insert(other, other_hash)

    def remove(self, member: T, hash_: int) -> None:
        """A member goes; the table stays as large as it is. Raises ``ValueError``."""
        self._buckets[hash_ & self._mask].remove((hash_, member))
        self._n_members -= 1

    def __iter__(self) -> Iterator[T]:
        return (member for _, member in self._in_order())

    def _insert(self, member: T, hash_: int) -> None:
        self._buckets.setdefault(hash_ & self._mask, []).insert(0, (hash_, member))

    def _in_order(self) -> list[tuple[int, T]]:
        return [entry for bucket in sorted(self._buckets) for entry in self._buckets[bucket]]


def hash_table_order(hashes: Iterable[int]) -> list[int]:
    """The positions of members, given by their hashes in the order of their coming, in the order
    of the table.
    """
    order: HashOrder[int] = HashOrder()
    for position, hash_ in enumerate(hashes):
        order.add(position, hash_)
    return list(order)
