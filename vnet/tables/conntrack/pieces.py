"""What a fragment says of its place (RFC 791 section 3.2, RFC 8200 section 4.5), and how pieces
make one packet again."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from vnet.base.record import record
from vnet.tables.conntrack.headers import Headers, skip_extensions
from vnet.tables.conntrack.mangle import mend_checksum
from vnet.tables.conntrack.packet import IPV4, IPV6, CtPacket
from vnet.wire.checksum import checksum
from vnet.wire.ipv4 import MORE_FRAGMENTS, OFFSET_MASK

_IPV6_BYTES = 40
_FRAGMENT_HEADER_BYTES = 8
_V6_OFFSET_MASK = 0xFFF8
_V6_MORE = 0x0001
_MOST_BYTES = 0xFFFF
_U16 = 0xFFFF

_WORD = Struct("!H")
_FRAGMENT_HEADER = Struct("!2xHI")


class FragmentKey(NamedTuple):
    """What the fragments of one packet have in common. ``protocol`` is 0 for IPv6."""

    source: bytes
    target: bytes
    recirc_id: int
    ident: int
    ethertype: int
    zone: int
    protocol: int


class Place(NamedTuple):
    """Bytes ``start`` to ``end``, the last one included, of the packet with ``key``."""

    key: FragmentKey
    start: int
    end: int
    is_first: bool
    is_last: bool


@record(frozen=True, slots=True)
class Piece:
    """A fragment, and which bytes it has."""

    packet: CtPacket
    headers: Headers
    start: int
    end: int


def place_of(packet: CtPacket, headers: Headers, zone: int) -> Place | None:
    """Where a fragment belongs; None where its header only looks like one.

    Positions are counted in 16 bits, as Open vSwitch does, whatever the fragment claims.
    """
    data, l3 = headers.data, headers.l3
    if not headers.is_v6:
        ident, flags_offset = data[l3 + 4] << 8 | data[l3 + 5], data[l3 + 6] << 8 | data[l3 + 7]
        key = FragmentKey(
            data[l3 + 12 : l3 + 16],
            data[l3 + 16 : l3 + 20],
            packet.recirc_id,
            ident,
            IPV4,
            zone,
            data[l3 + 9],
        )
        offset, more = (flags_offset & OFFSET_MASK) * 8, flags_offset & MORE_FRAGMENTS
        start = offset
    else:
        chain = skip_extensions(data, data[l3 + 6], l3 + _IPV6_BYTES, headers.end)
        assert chain is not None, "whoever found the headers has gone along the chain"
        flags_offset, ident = _FRAGMENT_HEADER.unpack_from(data, chain.fragment_at)
        if not flags_offset & (_V6_OFFSET_MASK | _V6_MORE):
            return None
        key = FragmentKey(
            data[l3 + 8 : l3 + 24],
            data[l3 + 24 : l3 + 40],
            packet.recirc_id,
            ident,
            IPV6,
            zone,
            0,
        )
        offset, more = flags_offset & _V6_OFFSET_MASK, flags_offset & _V6_MORE
        start = offset + _FRAGMENT_HEADER_BYTES & _U16
    end = start + headers.end - headers.l4 - 1 & _U16
    return Place(key, start, end, offset == 0 and more != 0, offset != 0 and more == 0)


def header_holds(headers: Headers) -> bool:
    """Whether an IPv4 header's checksum is right; IPv6 has none."""
    return headers.is_v6 or checksum(headers.data[headers.l3 : headers.l4]) == 0


def join(pieces: list[Piece]) -> tuple[CtPacket, Headers] | None:
    """The packet that the pieces, in order and complete, make; None where it is too large.

    It has the first piece's metadata. The IPv6 fragment header stays where it is, out of the
    chain: the packet is only there to be looked at.
    """
    first = pieces[0]
    headers = first.headers
    data = bytearray(first.packet.data[: headers.end])
    rest_bytes = pieces[-1].end - pieces[1].start + 1
    for piece in pieces[1:]:
        l4 = piece.headers.l4
        data += piece.packet.data[l4 : l4 + piece.end - piece.start + 1]
    l3 = headers.l3
    if headers.is_v6:
        protocol = _join_ipv6(data, l3, rest_bytes)
    else:
        protocol = _join_ipv4(data, l3, rest_bytes)
    if protocol is None:
        return None
    whole = CtPacket(
        bytes(data),
        l3,
        first.packet.ethertype,
        first.packet.meta.copy(),
        first.packet.bearer,
        first.packet.recirc_id,
        first.packet.source_port,
        first.packet.target_port,
    )
    return whole, Headers(whole.data, l3, headers.l4, len(whole.data), protocol, headers.is_v6)


def _join_ipv4(data: bytearray, l3: int, rest_bytes: int) -> int | None:
    """Write the header of the whole; returns the protocol."""
    total, flags_offset = bytes(data[l3 + 2 : l3 + 4]), bytes(data[l3 + 6 : l3 + 8])
    length = int.from_bytes(total, "big") + rest_bytes
    if length > _MOST_BYTES:
        return None
    new_total = length.to_bytes(2, "big")
    new_flags = (int.from_bytes(flags_offset, "big") & ~MORE_FRAGMENTS).to_bytes(2, "big")
    mend_checksum(data, l3 + 10, flags_offset + total, new_flags + new_total)
    data[l3 + 2 : l3 + 4] = new_total
    data[l3 + 6 : l3 + 8] = new_flags
    return data[l3 + 9]


def _join_ipv6(data: bytearray, l3: int, rest_bytes: int) -> int | None:
    (payload_bytes,) = _WORD.unpack_from(data, l3 + 4)
    length = payload_bytes - _FRAGMENT_HEADER_BYTES + rest_bytes
    if length > _MOST_BYTES:
        return None
    start = l3 + _IPV6_BYTES
    chain = skip_extensions(bytes(data), data[l3 + 6], start, start + length)
    if chain is None or not chain.is_fragment:
        return None
    _WORD.pack_into(data, chain.fragment_at + 2, 0)
    _WORD.pack_into(data, l3 + 4, length)
    data[l3 + 6] = chain.protocol
    return chain.protocol
