"""Equal-cost paths: which of several next hops a flow takes (RFC 2992, net/ipv4/fib_semantics.c).

The space of hashes is cut into one piece for each next hop, as large as its weight; a flow keeps
to its piece, and losing a next hop moves few of the others' flows.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2s
from typing import TypeVar

from vnet.tables.fib import Nexthop
from vnet.tables.policy import Flow

DeviceT = TypeVar("DeviceT")

_HASH_BITS = 31


def flow_hash(flow: Flow, *, by_ports: bool, secret: bytes) -> int:
    """A number of 31 bits that is the same for all packets of a flow.

    By its addresses (fib_multipath_hash_policy 0), or ``by_ports`` as well (policy 1). ``secret``
    is a machine's own, lest all routers in a row choose alike.
    """
    data = flow.source + flow.target
    if by_ports:
        ports = flow.source_port << 16 | flow.target_port
        data += ports.to_bytes(4, "big") + bytes((flow.protocol,))
    digest = blake2s(data, digest_size=4, key=secret).digest()
    return int.from_bytes(digest, "big") >> 32 - _HASH_BITS


def choose(nexthops: Sequence[Nexthop[DeviceT]], hash_bits: int) -> Nexthop[DeviceT]:
    """The next hop in whose piece a hash falls."""
    total = sum(hop.weight for hop in nexthops)
    passed = 0
    for hop in nexthops:
        passed += hop.weight
        # Rounded to the nearest, as the kernel does.
        bound = ((passed << _HASH_BITS) + total // 2) // total
        if hash_bits < bound:
            return hop
    return nexthops[-1]
