"""The order in which Open vSwitch goes through its hash tables.

Wherever it does so for all members (to flood, to give out numbers), the order shows. A table
doubles as it fills; new members stand at the front of their bucket. Source: ``hmap`` of Open
vSwitch 3.1.
"""

from __future__ import annotations

from collections.abc import Iterable

_LEAST_MASK = 3


def hash_table_order(hashes: Iterable[int]) -> list[int]:
    """The positions of members, given by their hashes in the order of their coming, in the order
    of the table.
    """
    members = list(hashes)
    mask = 0
    buckets: dict[int, list[int]] = {}
    for position, hash_ in enumerate(members):
        buckets.setdefault(hash_ & mask, []).insert(0, position)
        fill = (position + 1) // 2
        if fill > mask:
            mask = max(_LEAST_MASK, (1 << fill.bit_length()) - 1)
            moved = _in_order(buckets)
            buckets = {}
            for other in moved:
                buckets.setdefault(members[other] & mask, []).insert(0, other)
    return _in_order(buckets)


def _in_order(buckets: dict[int, list[int]]) -> list[int]:
    return [position for bucket in sorted(buckets) for position in buckets[bucket]]
