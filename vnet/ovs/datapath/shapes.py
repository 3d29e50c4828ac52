"""Short keys: the few bytes of a frame that say all that a flow could know of it.

A key is made for frames of clean shapes only: whole, without padding, without IP options or
fragments. For those this holds, and nothing else does the exact-match cache rely on: two frames
with the same short key have the same flow (``vnet.ovs.flow.extract``), and the same layers.

The plainest shape is TCP or UDP over IPv4 without a tag. Its keys are also made by the receiver
itself (``vnet.ovs.datapath.pipeline``). Where it finds such a key, all that :func:`_ipv4` checks
holds but for what is not in the key: the total length, and that TCP's header is whole.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from vnet.ovs.datapath.edit.checksums import ICMP, ICMPV6, TCP, TCP_HEADER_BYTES, UDP

ShortKey = tuple[object, ...]

PLAIN = Struct("!16sH2x3sB2x12s4x")
"""MACs, type, version and ToS; total length; fragment word and TTL; protocol; addresses and
ports. Left out are identification and checksums, which differ from frame to frame of one flow.
A UDP header's length is the least that it takes."""

PLAIN_TCP_WORD = slice(46, 48)
"""TCP's header length and flags, in a plain frame."""

_ETHERNET_BYTES = 14
_TAG_BYTES = 4
_TYPE_IPV4 = b"\x08\x00"
_TYPE_VLAN = (b"\x81\x00", b"\x88\xa8")

_PLAIN_PROTOCOL_AT = 23
_PLAIN_TCP_AT = 34
_ARP_BYTES = 42
_IPV6_AT = 54
_IPV6_TCP_WORD = slice(66, 68)
_TRANSPORT_LEAST_BYTES = 8
_NEIGHBOR_DISCOVERY = (b"\x87\0", b"\x88\0")


def _tcp_is_whole(data: bytes, l4: int) -> bool:
    """Whether the TCP header that an unpadded frame has at ``l4`` is as long as it says."""
    size = len(data) - l4
    return size >= TCP_HEADER_BYTES and TCP_HEADER_BYTES <= data[l4 + 12] >> 4 << 2 <= size


def _ipv4(data: bytes) -> ShortKey | None:
    if len(data) < PLAIN.size:
        return None
    head, total_bytes, middle, protocol, tail = PLAIN.unpack_from(data)
    is_clean = (
        head[14] & 0xF == 5
        and total_bytes + _ETHERNET_BYTES == len(data)
        and not middle[0] & 0x3F
        and not middle[1]
    )
    if not is_clean:
        return None
    if protocol == UDP:
        return head, middle, tail
    if protocol == TCP and _tcp_is_whole(data, _PLAIN_TCP_AT):
        return head, middle, tail, data[PLAIN_TCP_WORD]
    if protocol == ICMP:
        return head, middle, tail[:10], ICMP
    return None


def _arp(data: bytes) -> ShortKey | None:
    return (data[:_ARP_BYTES],) if len(data) >= _ARP_BYTES else None


def _ipv6(data: bytes) -> ShortKey | None:
    size = len(data) - _IPV6_AT
    if size < _TRANSPORT_LEAST_BYTES or data[18] << 8 | data[19] != size:
        return None
    protocol = data[20]
    if protocol == UDP:
        return data[:18], data[20:58]
    if protocol == TCP and _tcp_is_whole(data, _IPV6_AT):
        return data[:18], data[20:58], data[_IPV6_TCP_WORD]
    if protocol == ICMPV6 and data[54:56] not in _NEIGHBOR_DISCOVERY:
        return data[:18], data[20:56]
    return None


_SHAPES: dict[bytes, Callable[[bytes], ShortKey | None]] = {
    _TYPE_IPV4: _ipv4,
    b"\x08\x06": _arp,
    b"\x86\xdd": _ipv6,
}


def short_key(data: bytes, vlan_limit: int) -> ShortKey | None:
    """The short key of a frame, or None where it is of no clean shape."""
    ethertype = data[12:14]
    shape = _SHAPES.get(ethertype)
    if shape is not None:
        return shape(data)
    if ethertype not in _TYPE_VLAN or not vlan_limit:
        return None
    shape = _SHAPES.get(data[16:18])
    key = None if shape is None else shape(data[:12] + data[12 + _TAG_BYTES :])
    return None if key is None else (data[12:16], *key)


def plain_protocol(data: bytes) -> int | None:
    """TCP or UDP for a frame that is of the plainest shape, if of a clean one; None for others."""
    if data[12:14] != _TYPE_IPV4 or len(data) < PLAIN.size:
        return None
    protocol = data[_PLAIN_PROTOCOL_AT]
    return protocol if protocol in (TCP, UDP) else None


def plain_tcp_bytes(data: bytes) -> int:
    """How long a frame must be for its TCP header to be as long as that of a plain frame."""
    return _PLAIN_TCP_AT + (data[_PLAIN_TCP_AT + 12] >> 4 << 2)
