"""The order in which ``flood`` and ``all`` go through a bridge's ports.

Open vSwitch keeps ports in a hash table that doubles as it fills, and floods in the order of its
buckets. Frames leave by different ports, so a network hardly notices; whoever compares datapath
actions does.
"""

from __future__ import annotations

from functools import lru_cache

from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_int


@lru_cache(maxsize=256)
def port_order(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Port numbers, given in the order of their coming, in the order of the table."""
    order = hash_table_order(hash_int(number, 0) for number in numbers)
    return tuple(numbers[position] for position in order)
