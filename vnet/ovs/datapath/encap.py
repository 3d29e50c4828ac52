"""Headers that are put in front of a packet, and taken off (lib/packets.c)."""

from __future__ import annotations

from vnet.ovs.datapath.edit.checksums import put
from vnet.ovs.datapath.edit.layout import Layout
from vnet.ovs.datapath.packet import PACKET_TYPE, PT_ETHERNET, PT_ETHERTYPE, Packet
from vnet.ovs.dpif.actions import (
    AddMpls,
    PopEth,
    PopMpls,
    PopVlan,
    PushEth,
    PushMpls,
    PushNsh,
    PushVlan,
)
from vnet.ovs.flow.flow import CFI
from vnet.wire.ether import HEADER_BYTES, TYPE_QINQ, TYPE_VLAN

ADDRESSES_BYTES = 12
TAG_BYTES = 4
_TAGGED_BYTES = HEADER_BYTES + TAG_BYTES
VLAN_TYPES = frozenset((TYPE_VLAN.to_bytes(2, "big"), TYPE_QINQ.to_bytes(2, "big")))

_MPLS_TYPES = frozenset((0x8847, 0x8848))
_MPLS_BYTES = 4
_MPLS_BOTTOM = 0x01
_TYPE_TEB = 0x6558
"""Transparent Ethernet bridging: the packet inside has an Ethernet header."""

_TYPE_NSH = 0x894F
_NSH_BASE_BYTES = 8
_NSH_LENGTH_BITS = 0x3F
_PROTOCOL_OF_PACKET_TYPE = {
    PT_ETHERTYPE | 0x0800: 1,
    PT_ETHERTYPE | 0x86DD: 2,
    PT_ETHERNET: 3,
    PT_ETHERTYPE | _TYPE_NSH: 4,
}
_PACKET_TYPE_OF_PROTOCOL = {proto: kind for kind, proto in _PROTOCOL_OF_PACKET_TYPE.items()}
"""NSH's next protocol (RFC 8300 section 2.2) and the packet type it means."""


def tag_of(action: PushVlan) -> bytes:
    """The four bytes of a tag; the flow's CFI bit only says that there is one."""
    return (action.tpid << 16 | action.tci & ~CFI).to_bytes(TAG_BYTES, "big")


def push_vlan(packet: Packet, action: PushVlan) -> None:
    """Insert a tag outermost."""
    layout, data = packet.layout, packet.data
    packet.data = data[:ADDRESSES_BYTES] + tag_of(action) + data[ADDRESSES_BYTES:]
    packet.layout = layout.shifted(TAG_BYTES)


def pop_vlan(packet: Packet, _action: PopVlan) -> None:
    """Take the outer tag off, if there is one."""
    layout, data = packet.layout, packet.data
    if layout.is_ethernet and len(data) >= _TAGGED_BYTES and data[12:14] in VLAN_TYPES:
        packet.data = data[:ADDRESSES_BYTES] + data[ADDRESSES_BYTES + TAG_BYTES :]
        packet.layout = layout.shifted(-TAG_BYTES)


def _with_ethertype(data: bytes, layout: Layout, ethertype: int) -> bytes:
    """The type of what the packet carries stands before that, behind any tags."""
    if not layout.is_ethernet:
        return data
    at = ADDRESSES_BYTES
    if data[12:14] in VLAN_TYPES:
        payload = layout.l3 if layout.l2_5 is None else layout.l2_5
        at = ADDRESSES_BYTES if payload is None else payload - 2
    return put(data, at, ethertype.to_bytes(2, "big"))


def push_mpls(packet: Packet, action: PushMpls) -> None:
    """Insert a label stack entry, outermost."""
    l2_5, l3, l4, is_ethernet = packet.layout
    at = l3 if l2_5 is None else l2_5
    if action.ethertype not in _MPLS_TYPES or at is None or l3 is None:
        return
    data = _with_ethertype(packet.data, Layout(at, l3, l4, is_ethernet), action.ethertype)
    packet.data = data[:at] + action.lse.to_bytes(_MPLS_BYTES, "big") + data[at:]
    l4 = None if l4 is None else l4 + _MPLS_BYTES
    packet.layout = Layout(at, l3 + _MPLS_BYTES, l4, is_ethernet)


def add_mpls(packet: Packet, action: AddMpls) -> None:
    """Put a label stack entry before the whole packet, Ethernet header and all."""
    if action.ethertype not in _MPLS_TYPES:
        return
    packet.data = action.lse.to_bytes(_MPLS_BYTES, "big") + packet.data
    packet.metadata = PACKET_TYPE.set(packet.metadata, PT_ETHERTYPE | action.ethertype)
    _, l3, l4, _ = packet.layout.shifted(_MPLS_BYTES)
    packet.layout = Layout(0, _MPLS_BYTES if l3 is None else l3, l4, is_ethernet=False)


def pop_mpls(packet: Packet, action: PopMpls) -> None:
    """Take the outer label off; below the last one is a packet of the action's type."""
    l2_5, l3, l4, is_ethernet = layout = packet.layout
    if l2_5 is None or l3 is None or len(packet.data) < l2_5 + _MPLS_BYTES:
        return
    data = _with_ethertype(packet.data, layout, action.ethertype)
    is_bottom = data[l2_5 + 2] & _MPLS_BOTTOM
    packet.data = data[:l2_5] + data[l2_5 + _MPLS_BYTES :]
    if not l2_5:
        is_ethernet = action.ethertype == _TYPE_TEB
        kind = PT_ETHERNET if is_ethernet else PT_ETHERTYPE | action.ethertype
        packet.metadata = PACKET_TYPE.set(packet.metadata, kind)
    packet.layout = Layout(
        None if is_bottom else l2_5,
        l3 - _MPLS_BYTES,
        None if l4 is None else l4 - _MPLS_BYTES,
        is_ethernet,
    )


def push_eth(packet: Packet, action: PushEth) -> None:
    """Put an Ethernet header before a packet that has none; its type is the packet's."""
    layout, kind = packet.layout, packet.packet_type
    if layout.is_ethernet:
        return
    addresses = (action.dst << 48 | action.src).to_bytes(ADDRESSES_BYTES, "big")
    packet.data = addresses + (kind & 0xFFFF).to_bytes(2, "big") + packet.data
    packet.metadata = PACKET_TYPE.set(packet.metadata, PT_ETHERNET)
    packet.layout = layout.shifted(HEADER_BYTES)._replace(is_ethernet=True)


def pop_eth(packet: Packet, _action: PopEth) -> None:
    """Take the Ethernet header off, with its tags; the packet is of its type then."""
    layout, data = packet.layout, packet.data
    n_bytes = layout.l3 if layout.l2_5 is None else layout.l2_5
    if not layout.is_ethernet or n_bytes is None:
        return
    ethertype = int.from_bytes(data[n_bytes - 2 : n_bytes], "big")
    packet.data = data[n_bytes:]
    packet.metadata = PACKET_TYPE.set(packet.metadata, PT_ETHERTYPE | ethertype)
    packet.layout = layout.shifted(-n_bytes)._replace(is_ethernet=False)


def push_nsh(packet: Packet, action: PushNsh) -> None:
    """Put a service header before the packet; what it says of the next is the packet's type."""
    n_bytes = _NSH_BASE_BYTES + len(action.metadata)
    word = (action.flags & 0x3) << 12 | (action.ttl & 0x3F) << 6 | n_bytes >> 2 & _NSH_LENGTH_BITS
    protocol = _PROTOCOL_OF_PACKET_TYPE.get(packet.packet_type, action.np)
    header = word.to_bytes(2, "big") + bytes((action.mdtype, protocol))
    header += action.path_hdr.to_bytes(4, "big") + action.metadata
    packet.data = header + packet.data
    packet.metadata = PACKET_TYPE.set(packet.metadata, PT_ETHERTYPE | _TYPE_NSH)
    packet.replace_layers(Layout(None, 0, None, is_ethernet=False))


def pop_nsh(packet: Packet) -> bool:
    """Take the service header off; False where nobody knows what is behind it.

    The packet's layers are unknown until it is looked up again.
    """
    l3, data = packet.layout.l3, packet.data
    if packet.packet_type != PT_ETHERTYPE | _TYPE_NSH or l3 is None or len(data) < _NSH_BASE_BYTES:
        return True
    kind = _PACKET_TYPE_OF_PROTOCOL.get(data[3])
    if kind is None:
        return False
    packet.data = data[(data[1] & _NSH_LENGTH_BITS) << 2 :]
    packet.metadata = PACKET_TYPE.set(packet.metadata, kind)
    packet.replace_layers(Layout(None, None, None, is_ethernet=kind == PT_ETHERNET))
    return True
