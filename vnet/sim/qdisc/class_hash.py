"""The order in which the kernel lists classes: that of its hash table (qdisc_class_hash)."""

from __future__ import annotations

from collections.abc import Iterator

_FIRST_SIZE = 4


class ClassHash:
    """Handles of classes, the newest of a bucket first. The table doubles as it fills."""

    def __init__(self) -> None:
        self._buckets: list[list[int]] = [[] for _ in range(_FIRST_SIZE)]
        self._count = 0

    def __iter__(self) -> Iterator[int]:
        for bucket in self._buckets:
            yield from bucket

    def add(self, handle: int) -> None:
        """A class came."""
        self._bucket(handle).insert(0, handle)
        self._count += 1
        if self._count * 4 > len(self._buckets) * 3:
            before = list(self)
            self._buckets = [[] for _ in range(2 * len(self._buckets))]
            for each in before:
                self._bucket(each).insert(0, each)

    def remove(self, handle: int) -> None:
        """A class went."""
        self._bucket(handle).remove(handle)
        self._count -= 1

    def _bucket(self, handle: int) -> list[int]:
        key = handle ^ handle >> 8
        key ^= key >> 4
        return self._buckets[key & len(self._buckets) - 1]
