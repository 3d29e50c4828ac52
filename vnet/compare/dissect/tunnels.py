"""VXLAN (RFC 7348), Geneve (RFC 8926) and GRE (RFC 2784, 2890), with what is inside."""

from __future__ import annotations

from vnet.compare.cursor import Cursor
from vnet.compare.dissect.packet import Layers, Packet
from vnet.compare.field import Field, hexadecimal, labelled
from vnet.wire import geneve as geneve_header
from vnet.wire import gre as gre_header
from vnet.wire import ipv4
from vnet.wire.ether import TYPE_IPV4, TYPE_IPV6

_DEEPEST = 4
"""A tunnel in more tunnels than that is left as bytes."""

_TUNNEL_HEADER_BYTES = 8
_FRAGMENT = ipv4.MORE_FRAGMENTS | ipv4.OFFSET_MASK
_TOLD_APART = {1: 2, 6: 4, 17: 4, 58: 2}
"""How many bytes of what a packet carries may be in a flow's hash, by its protocol."""
_UDP_HEADER_BYTES = 8
_MACS_AND_TYPE = 14
_HEADERS_BYTES = _MACS_AND_TYPE + ipv4.HEADER_BYTES
_IPV4_ADDRESSES, _IPV6_ADDRESSES = slice(26, 34), slice(22, 54)


def tunnel_port(cursor: Cursor, begin: int, port: int) -> Field:
    """The source port of a tunnel's packet, whose UDP header begins at ``begin``.

    A hash of the flow inside, so it is the same for a flow, and with another key for the hash it
    is another. Which flows happen to share one says nothing.
    """
    inner = begin + _UDP_HEADER_BYTES + _TUNNEL_HEADER_BYTES
    head = cursor.peek(inner, 54)
    addresses = _IPV6_ADDRESSES if head[12:14] == b"\x86\xdd" else _IPV4_ADDRESSES
    flow = head[:_MACS_AND_TYPE] + head[addresses] + _ports(cursor, inner, head)
    return labelled("udp.srcport", port, "tunnel.port", flow)


def _ports(cursor: Cursor, inner: int, head: bytes) -> bytes:
    """The ports of a packet inside without options, or the type and code of its ICMP message.

    Of fragments whether they are the first, which alone has any.
    """
    if len(head) < _HEADERS_BYTES:
        return b""  # Cut off within IPv4's header, and so within IPv6's.
    if head[12:15] == b"\x08\x00\x45" and int.from_bytes(head[20:22], "big") & _FRAGMENT:
        return b"later" if int.from_bytes(head[20:22], "big") & ipv4.OFFSET_MASK else b"first"
    if head[12:15] == b"\x08\x00\x45" and head[23] in _TOLD_APART:
        return head[23:24] + cursor.peek(inner + 34, _TOLD_APART[head[23]])
    if head[12:14] == b"\x86\xdd" and head[20] in _TOLD_APART:
        return head[20:21] + cursor.peek(inner + 54, _TOLD_APART[head[20]])
    return b""


def vxlan(cursor: Cursor, layers: Layers) -> None:
    cursor.number("vxlan.flags", 4, hexadecimal)
    cursor.number("vxlan.vni", 3)
    cursor.number("vxlan.reserved", 1)
    _frame_inside(cursor, layers)


def geneve(cursor: Cursor, layers: Layers) -> None:
    _, option_words = cursor.bits(("geneve.version", 2), ("geneve.option_words", 6))
    cursor.number("geneve.flags", 1, hexadecimal)
    kind = cursor.number("geneve.protocol", 2, hexadecimal)
    cursor.number("geneve.vni", 3)
    cursor.number("geneve.reserved", 1)
    cursor.raw("geneve.options", option_words * 4)
    if kind == geneve_header.TYPE_ETHERNET:
        _frame_inside(cursor, layers)


def gre(cursor: Cursor, _packet: Packet, layers: Layers) -> None:
    flags = cursor.number("gre.flags", 2, hexadecimal)
    kind = cursor.number("gre.protocol", 2, hexadecimal)
    if flags & ~gre_header.FLAGS_KNOWN:
        return
    if flags & gre_header.FLAG_CHECKSUM:
        cursor.number("gre.checksum", 4, hexadecimal)
    if flags & gre_header.FLAG_KEY:
        cursor.number("gre.key", 4, hexadecimal)
    if flags & gre_header.FLAG_SEQUENCE:
        cursor.number("gre.sequence", 4)
    if kind == gre_header.TYPE_ETHERNET:
        _frame_inside(cursor, layers)
    elif kind in (TYPE_IPV4, TYPE_IPV6):
        with cursor.inside("inner."):
            (layers.ipv4 if kind == TYPE_IPV4 else layers.ipv6)(cursor, layers)


def _frame_inside(cursor: Cursor, layers: Layers) -> None:
    if cursor.prefix.count("inner.") < _DEEPEST:
        with cursor.inside("inner."):
            layers.ethernet(cursor)
