"""IPv6 (RFC 8200) with its extension headers.

 0                       4                6      7      8      24     40
| ver | class | flow    | payload length | next | hops | src  | dst  | ...
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_HEADER = struct.Struct("!IHBB16s16s")
_FRAGMENT = struct.Struct("!BBHI")
HEADER_BYTES = _HEADER.size
MIN_MTU = 1280
FLOW_LABEL_MASK = 0xFFFFF

HOP_BY_HOP = 0
ROUTING = 43
FRAGMENT = 44
AUTHENTICATION = 51
NO_NEXT_HEADER = 59
DESTINATION_OPTIONS = 60

ROUTER_ALERT_MLD = b"\x05\x02\x00\x00\x01\x00"
"""Router alert with value 0, MLD (RFC 2711), and PadN to fill eight bytes with its header."""

_SKIPPABLE = (HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS)
_HEADERS = (*_SKIPPABLE, FRAGMENT, AUTHENTICATION, NO_NEXT_HEADER)


class Ipv6(NamedTuple):
    """A fixed header as read; ``payload`` starts at the first extension header."""

    traffic_class: int
    flow_label: int
    next_header: int
    hop_limit: int
    source: bytes
    target: bytes
    payload: bytes


class Upper(NamedTuple):
    """What stands behind the extension headers.

    ``fragment`` is set where the chain holds a fragment header; ``payload`` is then
    the piece behind it. ``offset`` is where the payload starts in ``Ipv6.payload``,
    and ``next_header_at`` where the byte stands that names ``protocol`` there (-1:
    in the fixed header).
    """

    protocol: int
    payload: bytes
    offset: int
    next_header_at: int
    fragment: FragmentHeader | None


class FragmentHeader(NamedTuple):
    next_header: int
    offset_bytes: int
    more: bool
    ident: int


def parse(packet: bytes, *, verify: bool = True) -> Ipv6 | None:
    """The header of ``packet``; None if short, not version 6, or, with ``verify``, cut off."""
    if len(packet) < HEADER_BYTES:
        return None
    word, payload_bytes, next_header, hop_limit, source, target = _HEADER.unpack_from(packet)
    if word >> 28 != 6 or (verify and HEADER_BYTES + payload_bytes > len(packet)):
        return None
    return Ipv6(
        word >> 20 & 0xFF,
        word & 0xFFFFF,
        next_header,
        hop_limit,
        source,
        target,
        packet[HEADER_BYTES : HEADER_BYTES + payload_bytes],
    )


def group_of(frame: bytes, at: int) -> bytes | None:
    """The group that the packet at ``at`` of a frame is for.

    None if :func:`parse` would find fault with it, its source cannot be one, or it is for a
    single machine. It is what a card asks of every frame of a flood, so it copies no more
    than the address.
    """
    start = at + HEADER_BYTES
    if len(frame) < start or frame[at] >> 4 != 6 or frame[at + 8] == 0xFF:
        return None
    if frame[at + 24] != 0xFF or start + (frame[at + 4] << 8 | frame[at + 5]) > len(frame):
        return None
    return frame[at + 24 : start]


def upper_layer(header: Ipv6) -> Upper | None:
    """Skip the extension headers; None where the chain is cut off.

    Stops behind the first fragment header: what follows is only a piece.
    """
    protocol, data, at, next_header_at = header.next_header, header.payload, 0, -1
    while protocol in _SKIPPABLE:
        if len(data) < at + 8:
            return None
        next_header_at = at
        protocol, at = data[at], at + 8 + data[at + 1] * 8
        if at > len(data):
            return None
    if protocol == FRAGMENT:
        if len(data) < at + 8:
            return None
        piece = parse_fragment(data, at)
        return Upper(piece.next_header, data[at + 8 :], at + 8, next_header_at, piece)
    return Upper(protocol, data[at:], at, next_header_at, None)


class Reached(NamedTuple):
    """Where a walk over the headers ended: at ``protocol``, ``at`` bytes into the payload.

    ``offset_more`` is the offset field of the fragment header on the way, 0 without one.
    """

    protocol: int
    at: int
    offset_more: int


def skip_headers(protocol: int, data: bytes, at: int = 0) -> Reached | None:
    """Walk from the header ``protocol`` at ``at`` to what is none; None where that cannot be.

    It goes by the lengths that headers tell, and past the end of ``data`` if they do. What
    follows a later fragment's header cannot be known, so the walk ends there.
    """
    offset_more = 0
    while protocol in _HEADERS:
        if protocol == NO_NEXT_HEADER or at + 2 > len(data):
            return None
        next_header, size = data[at], data[at + 1] * 8 + 8
        if protocol == FRAGMENT:
            if at + 4 > len(data):
                return None
            offset_more, size = data[at + 2] << 8 | data[at + 3], 8
            if offset_more & ~7:
                break
        elif protocol == AUTHENTICATION:
            size = data[at + 1] * 4 + 8
        protocol, at = next_header, at + size
    return Reached(protocol, at, offset_more)


def parse_fragment(packet: bytes, at: int) -> FragmentHeader:
    """The fragment header at ``at``, which is all there."""
    next_header, _reserved, offset_more, ident = _FRAGMENT.unpack_from(packet, at)
    return FragmentHeader(next_header, offset_more & 0xFFF8, bool(offset_more & 1), ident)


class Whole(NamedTuple):
    """A packet put together: its payload's first header is at ``at``, named by ``named_at``."""

    packet: bytes
    at: int
    named_at: int


def unfragmented(first: bytes, payload: bytes) -> Whole:
    """The packet whose first fragment is ``first`` and whose fragments held ``payload``.

    The headers before the fragment header stay; the byte that named it names what it carried.
    """
    header = parse(first)
    upper = None if header is None else upper_layer(header)
    assert upper is not None
    assert upper.fragment is not None
    at = HEADER_BYTES + upper.offset - _FRAGMENT.size
    named_at = 6 if upper.next_header_at < 0 else HEADER_BYTES + upper.next_header_at
    head = bytearray(first[:at])
    head[named_at] = upper.fragment.next_header
    head[4:6] = (at - HEADER_BYTES + len(payload)).to_bytes(2, "big")
    return Whole(bytes(head) + payload, at, named_at)


def emit(
    source: bytes,
    target: bytes,
    next_header: int,
    payload: bytes,
    *,
    hop_limit: int = 64,
    traffic_class: int = 0,
    flow_label: int = 0,
) -> bytes:
    """A whole packet."""
    word = 6 << 28 | traffic_class << 20 | flow_label
    return _HEADER.pack(word, len(payload), next_header, hop_limit, source, target) + payload


def hop_by_hop(next_header: int, options: bytes) -> bytes:
    """A hop-by-hop options header around ``options``, which fill 8n - 2 bytes."""
    return bytes((next_header, (len(options) + 2) // 8 - 1)) + options


def decrement_hop_limit(packet: bytes) -> bytes:
    """The packet one hop on. IPv6 has no header checksum to mend."""
    return packet[:7] + bytes((packet[7] - 1,)) + packet[8:]


def fragment(
    packet: bytes, mtu_bytes: int, ident: int, sizes: Sequence[int] = ()
) -> Iterator[bytes]:
    """Cut a packet to fit ``mtu_bytes`` (RFC 8200 section 4.5).

    With ``sizes`` the pieces' payloads have those, if they fit. The headers before the payload
    (hop-by-hop, routing) are repeated in each piece. Yields nothing for what cannot be cut: a
    packet that is malformed or a piece already, or one whose headers leave no room.
    """
    header = parse(packet)
    upper = None if header is None else upper_layer(header)
    if upper is None or upper.fragment is not None:
        return
    head = bytearray(packet[: HEADER_BYTES + upper.offset])
    head[6 if upper.next_header_at < 0 else HEADER_BYTES + upper.next_header_at] = FRAGMENT
    total_bytes = len(upper.payload)
    room = (mtu_bytes - len(head) - 8) // 8 * 8
    if room <= 0:
        return
    if sum(sizes) != total_bytes or max(sizes) + len(head) + 8 > mtu_bytes:
        sizes = [min(room, total_bytes - at) for at in range(0, total_bytes, room)]
    at = 0
    for size in sizes:
        piece = upper.payload[at : at + size]
        more = at + size < total_bytes
        body = _FRAGMENT.pack(upper.protocol, 0, at | more, ident) + piece
        head[4:6] = (len(head) - HEADER_BYTES + len(body)).to_bytes(2, "big")
        yield bytes(head) + body
        at += size
