"""UDP (RFC 768).

 0          2          4        6          8
| src port | dst port | length | checksum | data ...
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from vnet.wire.checksum import checksum, pseudo_header_sum

PROTOCOL = 17
_HEADER = struct.Struct("!HHHH")
HEADER_BYTES = _HEADER.size


class Udp(NamedTuple):
    source_port: int
    target_port: int
    checksum: int
    payload: bytes


def parse(segment: bytes, *, jumbo: bool = False) -> Udp | None:
    """The header of ``segment``; None if cut off or its length field is impossible.

    With ``jumbo`` a length of zero means all of it, as in IPv6 (RFC 2675 section 4).
    """
    if len(segment) < HEADER_BYTES:
        return None
    source_port, target_port, length, check = _HEADER.unpack_from(segment)
    if jumbo and not length:
        length = len(segment)
    if length < HEADER_BYTES or length > len(segment):
        return None
    return Udp(source_port, target_port, check, segment[HEADER_BYTES:length])


def checksum_holds(source: bytes, target: bytes, segment: bytes) -> bool:
    """Whether the datagram is whole. Zero means "none" on IPv4 and is wrong on IPv6."""
    if segment[6:8] == b"\0\0":
        return len(source) == 4
    length = segment[4] << 8 | segment[5] or len(segment)
    return checksum(segment[:length], pseudo_header_sum(source, target, PROTOCOL, length)) == 0


def emit(source: bytes, target: bytes, source_port: int, target_port: int, data: bytes) -> bytes:
    """A datagram between two addresses, with its checksum."""
    length = HEADER_BYTES + len(data)
    segment = _HEADER.pack(source_port, target_port, length, 0) + data
    check = checksum(segment, pseudo_header_sum(source, target, PROTOCOL, length))
    return segment[:6] + (check or 0xFFFF).to_bytes(2, "big") + data
