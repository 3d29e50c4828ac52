"""The order in which ``flood`` and ``all`` go through a bridge's ports.

Open vSwitch keeps ports in a hash table that doubles as it fills, and floods in the order of its
buckets. Frames leave by different ports, so a network hardly notices; whoever compares datapath
actions does.
"""

from __future__ import annotations

from functools import lru_cache

from vnet.ovs.flow.hashing import hash_int

_LEAST_MASK = 3


@lru_cache(maxsize=256)
def hash_table_order(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Port numbers, given in the order of their coming, in the order of the table."""
    mask = 0
    buckets: dict[int, list[int]] = {}
    for n_ports, number in enumerate(numbers, start=1):
        _insert(buckets, mask, number)
        if n_ports // 2 > mask:
            mask = max(_LEAST_MASK, (1 << (n_ports // 2).bit_length()) - 1)
            moved = [other for bucket in sorted(buckets) for other in buckets[bucket]]
            buckets.clear()
            for other in moved:
                _insert(buckets, mask, other)
    return tuple(number for bucket in sorted(buckets) for number in buckets[bucket])


def _insert(buckets: dict[int, list[int]], mask: int, number: int) -> None:
    """New ones stand at the front of their bucket."""
    buckets.setdefault(hash_int(number, 0) & mask, []).insert(0, number)
