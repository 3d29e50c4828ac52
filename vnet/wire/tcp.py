"""The TCP header (RFC 9293 section 3.1); the protocol itself lives elsewhere.

 0          2          4     8     12              14       16         18       20
| src port | dst port | seq | ack | offset, flags | window | checksum | urgent | options ...
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from vnet.wire.checksum import transport_checksum, transport_holds

PROTOCOL = 6
_HEADER = struct.Struct("!HHIIHHHH")
HEADER_BYTES = _HEADER.size

FIN = 0x01
SYN = 0x02
RST = 0x04
PSH = 0x08
ACK = 0x10
URG = 0x20


class Tcp(NamedTuple):
    source_port: int
    target_port: int
    sequence: int
    acknowledgement: int
    flags: int
    window: int
    urgent: int
    options: bytes
    payload: bytes


def parse(segment: bytes) -> Tcp | None:
    """The header of ``segment``; None if cut off or the data offset is impossible."""
    if len(segment) < HEADER_BYTES:
        return None
    source_port, target_port, seq, ack, offset_flags, window, _sum, urgent = _HEADER.unpack_from(
        segment
    )
    header_bytes = (offset_flags >> 12) * 4
    if header_bytes < HEADER_BYTES or header_bytes > len(segment):
        return None
    return Tcp(
        source_port,
        target_port,
        seq,
        ack,
        offset_flags & 0x0FFF,
        window,
        urgent,
        segment[HEADER_BYTES:header_bytes],
        segment[header_bytes:],
    )


def checksum_holds(source: bytes, target: bytes, segment: bytes) -> bool:
    """Whether the segment is whole."""
    return transport_holds(source, target, PROTOCOL, segment)


def emit(source: bytes, target: bytes, segment: Tcp) -> bytes:
    """A segment between two addresses, with its checksum. Options are padded with zeros."""
    (source_port, target_port, sequence, acknowledgement, flags, window, urgent, options, data) = (
        segment
    )
    if len(options) & 3:
        options += bytes(-len(options) % 4)
    flags |= HEADER_BYTES + len(options) << 10
    rest = options + data
    head = (source_port, target_port, sequence, acknowledgement, flags, window)
    blank = _HEADER.pack(*head, 0, urgent) + rest
    check = transport_checksum(source, target, PROTOCOL, blank)
    return _HEADER.pack(*head, check, urgent) + rest
