"""Where a packet's headers are, and the key they make.

Lengths are judged as Open vSwitch does on extraction, checksums as its tracker does: what does
not add up is of no connection. IPv6 extension headers are those of RFC 8200 and the
authentication header (RFC 4302).
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from vnet.tables.conntrack.packet import IPV4, IPV6

_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION = 0, 43, 44, 51, 60
_EXTENSIONS = frozenset((_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION))

_IPV4_BYTES = 20
_IPV6_BYTES = 40
_MAX_PADDING_BYTES = 0xFFFF
_V6_OFFSET_MASK = 0xFFF8

_WORD = Struct("!H")


class Chain(NamedTuple):
    """Behind IPv6's extension headers: ``protocol`` starts at ``at``.

    ``fragment_at`` is where the last fragment header is, or -1. Behind the header of a later
    fragment the chain ends, with ``protocol`` 44.
    """

    protocol: int
    at: int
    fragment_at: int
    is_fragment: bool


class Headers:
    """The layout of one packet: transport header at ``l4``, padding from ``end``.

    ``key`` is the packet's own, or, with ``is_related`` set, that of the connection whose
    packet an ICMP error quotes, from the side of whoever sent the error. ``is_reply`` says
    which way the packet goes in its connection.
    """

    __slots__ = (
        "data",
        "end",
        "is_fragment",
        "is_related",
        "is_reply",
        "is_v6",
        "key",
        "l3",
        "l4",
        "protocol",
    )

    def __init__(
        self,
        data: bytes,
        l3: int,
        l4: int,
        end: int,
        protocol: int,
        is_v6: bool,
        is_fragment: bool = False,
    ) -> None:
        self.data = data
        self.l3 = l3
        self.l4 = l4
        self.end = end
        self.protocol = protocol
        self.is_v6 = is_v6
        self.is_fragment = is_fragment
        self.key = b""
        self.is_related = False
        self.is_reply = False


def locate(data: bytes, l3: int, ethertype: int) -> Headers | None:
    """Find the headers; None where lengths do not add up or it is no IP packet."""
    if ethertype == IPV4:
        return _locate_ipv4(data, l3)
    if ethertype == IPV6:
        return _locate_ipv6(data, l3)
    return None


def _locate_ipv4(data: bytes, l3: int) -> Headers | None:
    available = len(data) - l3
    if available < _IPV4_BYTES:
        return None
    header_bytes = (data[l3] & 0x0F) * 4
    total = data[l3 + 2] << 8 | data[l3 + 3]
    if header_bytes < _IPV4_BYTES or header_bytes > total or total > available:
        return None
    if available - total > _MAX_PADDING_BYTES:
        return None
    is_fragment = bool(data[l3 + 6] & 0x3F or data[l3 + 7])
    return Headers(data, l3, l3 + header_bytes, l3 + total, data[l3 + 9], False, is_fragment)


def _locate_ipv6(data: bytes, l3: int) -> Headers | None:
    start = l3 + _IPV6_BYTES
    if len(data) < start:
        return None
    end = start + (data[l3 + 4] << 8 | data[l3 + 5])
    if end > len(data) or len(data) - end > _MAX_PADDING_BYTES:
        return None
    chain = skip_extensions(data, data[l3 + 6], start, end)
    if chain is None:
        return None
    return Headers(data, l3, chain.at, end, chain.protocol, True, chain.is_fragment)


def skip_extensions(data: bytes, protocol: int, at: int, end: int) -> Chain | None:
    """Go along the extension headers from ``at``; None where the chain is cut off at ``end``."""
    fragment_at, is_fragment = -1, False
    while protocol in _EXTENSIONS:
        if end - at < 8:
            return None
        kind, protocol = protocol, data[at]
        if kind == _FRAGMENT:
            fragment_at, at = at, at + 8
            (offset_flags,) = _WORD.unpack_from(data, fragment_at + 2)
            if offset_flags:
                is_fragment = True
                if offset_flags & _V6_OFFSET_MASK:
                    return Chain(_FRAGMENT, at, fragment_at, True)
            continue
        size = (data[at + 1] + 2) * 4 if kind == _AUTHENTICATION else (data[at + 1] + 1) * 8
        if end - at < size:
            return None
        at += size
    return Chain(protocol, at, fragment_at, is_fragment)
