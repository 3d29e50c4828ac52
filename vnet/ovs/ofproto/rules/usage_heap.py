"""Who has the most of something, as counts go up and down one by one.

Of those who have equally many, Open vSwitch takes whoever stands first in its heap, and that
follows from all that went before; so here is the same binary heap (lib/heap.c).
"""

from __future__ import annotations

from typing import Generic, TypeVar

OwnerT = TypeVar("OwnerT")


class UsageHeap(Generic[OwnerT]):
    """Owners by how many they have, the one with the most on top."""

    __slots__ = ("_counts", "_heap", "_places")

    def __init__(self) -> None:
        self._heap: list[OwnerT] = []
        self._places: dict[OwnerT, int] = {}
        self._counts: dict[OwnerT, int] = {}

    def top(self) -> OwnerT:
        """Who has the most; there must be somebody."""
        return self._heap[0]

    def add(self, owner: OwnerT) -> None:
        """The owner has one more."""
        if owner not in self._counts:
            self._counts[owner] = 0
            self._put(owner, len(self._heap))
        self._counts[owner] += 1
        self._float_up(self._places[owner])

    def remove(self, owner: OwnerT) -> None:
        """The owner has one less; who has none is forgotten."""
        self._counts[owner] -= 1
        place = self._places[owner]
        if not self._counts[owner]:
            last = self._heap[-1]
            self._put(last, place)
            self._heap.pop()
            del self._counts[owner], self._places[owner]
            if last is owner:
                return
        if not self._float_up(place):
            self._float_down(place)

    def _put(self, owner: OwnerT, place: int) -> None:
        self._heap[place : place + 1] = [owner]
        self._places[owner] = place

    def _count_at(self, place: int) -> int:
        return self._counts[self._heap[place]]

    def _swap(self, one: int, other: int) -> None:
        at_one, at_other = self._heap[one], self._heap[other]
        self._put(at_other, one)
        self._put(at_one, other)

    def _float_up(self, place: int) -> bool:
        moved = False
        while place and self._count_at((place - 1) // 2) < self._count_at(place):
            self._swap(place, (place - 1) // 2)
            place = (place - 1) // 2
            moved = True
        return moved

    def _float_down(self, place: int) -> None:
        while True:
            # The first of those who have the most: who stands here, then left, then right.
            below = range(2 * place + 1, min(2 * place + 3, len(self._heap)))
            fullest = max((place, *below), key=self._count_at)
            if fullest == place:
                return
            self._swap(place, fullest)
            place = fullest
