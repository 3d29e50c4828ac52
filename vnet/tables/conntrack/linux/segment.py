"""A packet as tracking reads it, and the key that it has.

The kernel asks for much less than Open vSwitch does: ports are all it wants of a transport header,
and whether checksums hold is each protocol's to find out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vnet.tables.conntrack.extract import (
    ICMP,
    ICMPV6,
    REVERSE_TYPE_V4,
    REVERSE_TYPE_V6,
    TCP,
    UDP,
)
from vnet.tables.conntrack.key import NO_ID
from vnet.wire import icmp, ipv4, ipv6

DCCP, GRE, SCTP, UDPLITE = 33, 47, 132, 136
PORTED = frozenset((TCP, UDP, DCCP, SCTP, UDPLITE))
"""Protocols whose keys have ports."""

ADDRESS_MASK_REQUEST, ADDRESS_MASK_REPLY = 17, 18
_REVERSE_TYPE_V4: Mapping[int, int] = {
    **REVERSE_TYPE_V4,
    ADDRESS_MASK_REQUEST: ADDRESS_MASK_REPLY,
    ADDRESS_MASK_REPLY: ADDRESS_MASK_REQUEST,
}
_NODE_QUERY, _NODE_REPLY = 139, 140
_REVERSE_TYPE_V6: Mapping[int, int] = {
    **REVERSE_TYPE_V6,
    _NODE_QUERY: _NODE_REPLY,
    _NODE_REPLY: _NODE_QUERY,
}

ERRORS_V4 = icmp.ERRORS
_NO_PARTS = b"\0\0\0\0"
_TAILS = tuple(bytes((number,)) + NO_ID for number in range(256))


class Segment(NamedTuple):
    """A packet of IP version ``family``; the header of ``protocol`` starts at byte ``at``."""

    data: bytes
    family: int
    protocol: int
    at: int


def segment_of(data: bytes, family: int) -> Segment | None:
    """Where the transport header is; None of a later fragment, or where it cannot be found."""
    if family == 4:
        if (data[6] << 8 | data[7]) & ipv4.OFFSET_MASK:
            return None
        return Segment(data, 4, data[9], (data[0] & 0x0F) * 4)
    reached = ipv6.skip_headers(data[6], data, ipv6.HEADER_BYTES)
    if reached is None or reached.offset_more & ~7:
        return None
    return Segment(data, 6, reached.protocol, reached.at)


def key_of(segment: Segment, zone: bytes) -> bytes | None:
    """The packet's key in a zone (two bytes); None where what makes it up is cut off.

    None, too, of ICMP messages that nothing answers.
    """
    data, family, protocol, at = segment
    addresses = data[12:20] if family == 4 else data[8:40]
    if protocol in PORTED:
        ports = data[at : at + 4]
        return addresses + ports + zone + _TAILS[protocol] if len(ports) == 4 else None
    if protocol == (ICMP if family == 4 else ICMPV6):
        return _message_key(data, at, family, addresses, zone)
    return addresses + _NO_PARTS + zone + _TAILS[protocol]


def _message_key(data: bytes, at: int, family: int, addresses: bytes, zone: bytes) -> bytes | None:
    if len(data) < at + 8:
        return None
    kind, code = data[at], data[at + 1]
    answer = (_REVERSE_TYPE_V4 if family == 4 else _REVERSE_TYPE_V6).get(kind)
    if answer is None:
        return None
    protocol = ICMP if family == 4 else ICMPV6
    parts = bytes((kind, code, answer, code))
    return addresses + parts + zone + bytes((protocol,)) + data[at + 4 : at + 6]
