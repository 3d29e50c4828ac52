"""Explicit congestion notification (RFC 3168): the two lowest bits of the type of service."""

from __future__ import annotations

from vnet.wire.checksum import checksum_rewritten
from vnet.wire.ether import HEADER_BYTES, TYPE_IPV4, TYPE_IPV6, type_of
from vnet.wire.ipv4 import HEADER_BYTES as IPV4_BYTES
from vnet.wire.ipv6 import HEADER_BYTES as IPV6_BYTES

_CONGESTED = 0b11


def marked(data: bytes) -> bytes | None:
    """A frame with congestion experienced; None where its ends do not know of that."""
    kind, packet = type_of(data), data[HEADER_BYTES:]
    if kind == TYPE_IPV4 and len(packet) >= IPV4_BYTES:
        if not packet[1] & _CONGESTED:
            return None
        old, new = packet[:2], bytes((packet[0], packet[1] | _CONGESTED))
        total = checksum_rewritten(int.from_bytes(packet[10:12], "big"), old, new)
        rest = packet[2:10] + total.to_bytes(2, "big") + packet[12:]
        return data[:HEADER_BYTES] + new + rest
    if kind == TYPE_IPV6 and len(packet) >= IPV6_BYTES:
        ecn = _CONGESTED << 4
        if not packet[1] & ecn:
            return None
        return data[:HEADER_BYTES] + packet[:1] + bytes((packet[1] | ecn,)) + packet[2:]
    return None
