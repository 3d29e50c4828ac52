"""IPv4 (RFC 791) and IPv6 (RFC 8200) packets, whole, in fragments or quoted by an ICMP error."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from vnet.compare.cursor import Cursor
from vnet.compare.dissect.packet import Layers, Packet
from vnet.compare.dissect.protocols import BY_NUMBER
from vnet.compare.field import exact, hexadecimal, labelled
from vnet.wire import ipv4 as v4
from vnet.wire import ipv6 as v6
from vnet.wire import tcp, udp
from vnet.wire.checksum import checksum

_EXTENSIONS = (v6.HOP_BY_HOP, v6.ROUTING, v6.DESTINATION_OPTIONS)
_FRAGMENT_RESERVED = 0b110


def ipv4(cursor: Cursor, layers: Layers) -> None:
    """A packet up to its total length; what follows that is the caller's."""
    begin, end = cursor.at, cursor.end
    header = _peek(cursor)
    if header is None:
        cursor.rest("data")
        return
    cursor.bits(("ip.version", 4), ("ip.header_words", 4))
    cursor.bits(("ip.dscp", 6), ("ip.ecn", 2))
    cursor.number("ip.length", 2)
    cursor.label("ip.id", 2, "ip.id", header.scope)
    cursor.bits(("ip.flags", 3), ("ip.offset", 13))
    cursor.number("ip.ttl", 1)
    cursor.number("ip.protocol", 1)
    cursor.take(2)
    holds = checksum(cursor.data[begin : begin + header.header_bytes]) == 0
    cursor.add(exact("ip.checksum", "correct" if holds else "wrong"))
    source = cursor.ip("ip.src", 4)
    target = cursor.ip("ip.dst", 4)
    cursor.raw("ip.options", begin + header.header_bytes - cursor.at)
    is_whole = begin + header.total_bytes <= end
    cursor.end = min(end, begin + header.total_bytes)
    packet = Packet(
        source,
        target,
        header.protocol,
        is_whole=is_whole and not header.is_fragment,
        is_fragment=is_whole and header.is_fragment,
    )
    _carried(cursor, packet, layers, is_later_fragment=header.offset > 0)
    cursor.end = end


class _Header(NamedTuple):
    """What must be known of an IPv4 header before its fields are."""

    header_bytes: int
    total_bytes: int
    is_fragment: bool
    offset: int
    protocol: int
    scope: Hashable


def _peek(cursor: Cursor) -> _Header | None:
    """None for a header that cannot be one."""
    data = cursor.data[cursor.at : min(cursor.end, cursor.at + 64)]
    if len(data) < v4.HEADER_BYTES or data[0] >> 4 != 4:
        return None
    header_bytes = (data[0] & 15) * 4
    total_bytes = int.from_bytes(data[2:4], "big")
    if not v4.HEADER_BYTES <= header_bytes <= min(len(data), total_bytes):
        return None
    fragment = int.from_bytes(data[6:8], "big") & (v4.MORE_FRAGMENTS | v4.OFFSET_MASK)
    # Each connection counts for itself; the pieces of a packet share its number.
    has_ports = data[9] in (tcp.PROTOCOL, udp.PROTOCOL) and not fragment
    ports = data[header_bytes : header_bytes + 4] if has_ports else b""
    return _Header(
        header_bytes,
        total_bytes,
        fragment != 0,
        fragment & v4.OFFSET_MASK,
        data[9],
        (data[9], data[12:20], ports),
    )


def ipv6(cursor: Cursor, layers: Layers) -> None:
    """A packet up to the end its header names; what follows that is the caller's."""
    end = cursor.end
    if cursor.left_bytes < v6.HEADER_BYTES or cursor.data[cursor.at] >> 4 != 6:
        cursor.rest("data")
        return
    word = int.from_bytes(cursor.take(4), "big")
    label = word & v6.FLOW_LABEL_MASK
    cursor.add(exact("ipv6.version", word >> 28))
    cursor.add(exact("ipv6.traffic_class", word >> 20 & 0xFF, hexadecimal))
    cursor.add(labelled("ipv6.flow_label", label, "ipv6.flow_label", None, hexadecimal))
    payload_bytes = cursor.number("ipv6.length", 2)
    protocol = cursor.number("ipv6.next_header", 1)
    cursor.number("ipv6.hop_limit", 1)
    source = cursor.ip("ipv6.src", 16)
    target = cursor.ip("ipv6.dst", 16)
    is_whole = cursor.at + payload_bytes <= end
    cursor.end = min(end, cursor.at + payload_bytes)
    protocol, fragment = _extensions(cursor, protocol)
    is_fragment = fragment & ~_FRAGMENT_RESERVED != 0
    packet = Packet(
        source,
        target,
        protocol,
        is_whole=is_whole and not is_fragment,
        is_fragment=is_whole and is_fragment,
    )
    _carried(cursor, packet, layers, is_later_fragment=fragment >> 3 > 0)
    cursor.end = end


def _extensions(cursor: Cursor, protocol: int) -> tuple[int, int]:
    """The headers between; the protocol behind them, and a fragment's word of offset and flag."""
    fragment = 0
    while fragment >> 3 == 0:
        if protocol in _EXTENSIONS and cursor.left_bytes >= 2:
            size_bytes = (cursor.data[cursor.at + 1] + 1) * 8
            protocol = cursor.number("ipv6.extension.next", 1)
            cursor.raw("ipv6.extension", size_bytes - 1)
        elif protocol == v6.FRAGMENT:
            protocol = cursor.number("ipv6.fragment.next", 1)
            cursor.number("ipv6.fragment.reserved", 1)
            fragment = cursor.number("ipv6.fragment.offset", 2, hexadecimal)
            cursor.label("ipv6.fragment.id", 4, "ipv6.fragment.id", None, hexadecimal)
        else:
            break
    return protocol, fragment


def _carried(cursor: Cursor, packet: Packet, layers: Layers, *, is_later_fragment: bool) -> None:
    known = BY_NUMBER.get(packet.protocol)
    if known is not None and not is_later_fragment:
        known(cursor, packet, layers)
    cursor.rest("ip.fragment" if is_later_fragment else "data")
