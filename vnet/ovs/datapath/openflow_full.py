"""What OpenFlow can do with headers and Open vSwitch cannot: backbone headers (IEEE 802.1Q clause
6.10), and TTLs that are copied from header to header (OpenFlow 1.3.5, section 5.12).

What is too short without a header that was taken off is filled up (IEEE 802.3 clause 4.2.3.3).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from vnet.ovs.datapath.edit.checksums import put, updated
from vnet.ovs.datapath.edit.layout import Layout
from vnet.ovs.datapath.packet import Packet
from vnet.ovs.dpif.actions import CopyTtlIn, CopyTtlOut, Pad, PopPbb, PushPbb
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_PBB, IPPROTO_IPIP, IPPROTO_IPV6

_ADDRESSES_BYTES = 12
_TYPE = ETH_TYPE_PBB.to_bytes(2, "big")
_TCI_BYTES = 4
_INSIDE_PBB = Layout(None, 14, None)

_LABEL_BYTES = 4
_BOTTOM = 0x01
_IPV4_BYTES = 20
_IPV6_BYTES = 40
_IP_IN_IP = (IPPROTO_IPIP, IPPROTO_IPV6)

# -- backbone headers


def push_pbb(packet: Packet, action: PushPbb) -> None:
    """The frame inside stays as it is, tags and all."""
    data = packet.data
    tag = _TYPE + action.tci.to_bytes(_TCI_BYTES, "big")
    packet.data = data[:_ADDRESSES_BYTES] + tag + data
    packet.replace_layers(_INSIDE_PBB)


def pop_pbb(packet: Packet, _action: PopPbb) -> None:
    """Nobody knows what is inside until it is looked up again."""
    l3, is_ethernet, data = packet.layout.l3, packet.layout.is_ethernet, packet.data
    if is_ethernet and l3 is not None and data[l3 - 2 : l3] == _TYPE:
        packet.data = data[l3 + _TCI_BYTES :]
        packet.replace_layers(None)


MIN_FRAME_BYTES = 60
"""Without the frame check sequence."""


def pad(packet: Packet, _action: Pad) -> None:
    """Zeros to the least that Ethernet carries."""
    if packet.layout.is_ethernet:
        packet.fill_up(MIN_FRAME_BYTES)


# -- TTLs


class _Kind(Enum):
    """Where a header has its TTL, in bytes from its first."""

    MPLS = 3
    IPV4 = 8
    IPV6 = 7


class _Header(NamedTuple):
    kind: _Kind
    at: int


def copy_ttl_out(packet: Packet, _action: CopyTtlOut) -> None:
    """Nothing happens where there are no two headers with a TTL."""
    headers = _two_with_ttl(packet.data, packet.layout)
    if headers is not None:
        outer, inner = headers
        packet.data = _with_ttl(packet.data, outer, _ttl(packet.data, inner))


def copy_ttl_in(packet: Packet, _action: CopyTtlIn) -> None:
    """Nothing happens where there are no two headers with a TTL."""
    headers = _two_with_ttl(packet.data, packet.layout)
    if headers is not None:
        outer, inner = headers
        packet.data = _with_ttl(packet.data, inner, _ttl(packet.data, outer))


def _two_with_ttl(data: bytes, layout: Layout) -> tuple[_Header, _Header] | None:
    """The outermost headers that have one, labels or IP's."""
    if layout.l2_5 is not None:
        outer, inner = _label_at(data, layout.l2_5), None
        behind = layout.l2_5 + _LABEL_BYTES
        if outer is not None:
            is_bottom = data[behind - 2] & _BOTTOM
            inner = _ip_at(data, behind) if is_bottom else _label_at(data, behind)
    elif layout.l3 is not None:
        outer = _ip_at(data, layout.l3)
        inner = None if outer is None else _ip_inside(data, outer, layout.l4)
    else:
        return None
    return None if outer is None or inner is None else (outer, inner)


def _label_at(data: bytes, at: int) -> _Header | None:
    return _Header(_Kind.MPLS, at) if at + _LABEL_BYTES <= len(data) else None


def _ip_at(data: bytes, at: int) -> _Header | None:
    """An IP header, by the version that it says it has."""
    size = len(data) - at
    version = data[at] >> 4 if size > 0 else 0
    if version == 4 and size >= _IPV4_BYTES:
        return _Header(_Kind.IPV4, at)
    return _Header(_Kind.IPV6, at) if version == 6 and size >= _IPV6_BYTES else None


def _ip_inside(data: bytes, outer: _Header, l4: int | None) -> _Header | None:
    protocol = data[outer.at + (9 if outer.kind is _Kind.IPV4 else 6)]
    return None if l4 is None or protocol not in _IP_IN_IP else _ip_at(data, l4)


def _ttl(data: bytes, header: _Header) -> int:
    return data[header.at + header.kind.value]


def _with_ttl(data: bytes, header: _Header, ttl: int) -> bytes:
    at = header.at + header.kind.value
    if header.kind is not _Kind.IPV4:
        return put(data, at, bytes((ttl,)))
    rest = data[at + 1 : at + 2]
    fall = (data[at] - ttl) << 8
    checksum = int.from_bytes(data[at + 2 : at + 4], "big")
    # TTL and protocol are one word of the checksum.
    return put(data, at, bytes((ttl,)) + rest + updated(checksum, -fall).to_bytes(2, "big"))
