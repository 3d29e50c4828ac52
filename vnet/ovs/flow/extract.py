"""From a frame to its flow (``flow_extract``): the rules by which Open vSwitch reads headers.

Any bytes are a frame: what cannot be read stays 0 in the flow, and reading ends there. The
switch never judges checksums or versions here, only lengths.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from vnet.ovs.flow.extract_network import (
    IPV4_FRAGMENT,
    NETWORK,
    ip_payload,
    unread_network,
)
from vnet.ovs.flow.extract_transport import TCP_FLAGS_MASK
from vnet.ovs.flow.flow import CFI, DL_TYPE_NONE, Flow
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_VLAN_8021AD,
    ETH_TYPE_VLAN_8021Q,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PT_ETHERNET,
)

DEFAULT_VLAN_LIMIT = 1
"""How many tags ovs-vswitchd reads unless ``other_config:vlan-limit`` says more."""

_PACKET_TYPE = Flow.packet_type.shift
_DL_TYPE = Flow.dl_type.shift
_DL_SRC = Flow.dl_src.shift
_NW_DST = Flow.nw_dst.shift
_NW_PROTO = Flow.nw_proto.shift
_VLANS = (
    (Flow.vlan_tpid.shift, Flow.vlan_tci.shift),
    (Flow.vlan1_tpid.shift, Flow.vlan1_tci.shift),
)
_MPLS = tuple(bits.shift for bits in Flow.mpls_lse)

_ETHERNET_BYTES = 14
_ADDRESSES_BYTES = 12
_VLAN_BYTES = 4
_VLAN_TPIDS = frozenset((ETH_TYPE_VLAN_8021Q, ETH_TYPE_VLAN_8021AD))
_MPLS_TYPES = frozenset((ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST))
_MPLS_BYTES = 4
_MPLS_BOTTOM = 0x1
"""The bottom-of-stack bit, in the third byte of a label stack entry."""
_ETH_TYPE_MIN = 0x600
_LLC_SNAP_ETHERNET = b"\xaa\xaa\x03\x00\x00\x00"
_LLC_SNAP_BYTES = 8

_PLAIN_IPV4 = b"\x08\x00\x45"
"""EtherType IPv4, version 4, no options."""
_PLAIN_IPV4_HEADERS = Struct("!14sxBHxxHBBxx8s4s4x")
_PLAIN_IPV4_BYTES = _PLAIN_IPV4_HEADERS.size
"""As long as the headers of UDP."""
_PLAIN_IPV4_FLOW = Struct("!H4sxBBB8s14s8x")
"""The low end of a flow: TCP flags, ports, (no fragment,) TTL, ToS, protocol, addresses, MACs and
type, and room for the metadata. To pack them takes half the time of shifting each to its place."""
_PLAIN_TCP_AT = 34
_TCP_HEADER_BYTES = 20


def extract(
    frame: bytes,
    in_port: int = 0,
    *,
    packet_type: int = PT_ETHERNET,
    vlan_limit: int = DEFAULT_VLAN_LIMIT,
) -> int:
    """The flow of a frame, as a key of :class:`~vnet.ovs.flow.flow.Flow`.

    Other metadata (tunnel, recirculation, connection state) is 0: add the bits. A packet that
    starts with a network header has its type in ``packet_type``. Never raises on any bytes.
    """
    if packet_type:
        return _extract_any(frame, packet_type, vlan_limit) | in_port
    return extract_ethernet(frame, in_port, vlan_limit)


def extract_ethernet(frame: bytes, in_port: int, vlan_limit: int) -> int:
    """The same for frames with an Ethernet header: the road of nearly all of them."""
    n_bytes = len(frame)
    if frame[12:15] == _PLAIN_IPV4 and n_bytes >= _PLAIN_IPV4_BYTES:
        ethernet, tos, total_bytes, fragment, ttl, nw_proto, addresses, ports = (
            _PLAIN_IPV4_HEADERS.unpack_from(frame)
        )
        if total_bytes + _ETHERNET_BYTES == n_bytes and not fragment & IPV4_FRAGMENT:
            flags = 0
            is_whole = nw_proto == IPPROTO_UDP
            if nw_proto == IPPROTO_TCP and n_bytes >= _PLAIN_TCP_AT + _TCP_HEADER_BYTES:
                word = frame[46] << 8 | frame[47]
                is_whole = _TCP_HEADER_BYTES <= word >> 12 << 2 <= n_bytes - _PLAIN_TCP_AT
                flags = word & TCP_FLAGS_MASK
            if is_whole:
                packed = _PLAIN_IPV4_FLOW.pack(
                    flags, ports, ttl, tos, nw_proto, addresses, ethernet
                )
                return int.from_bytes(packed, "big") | in_port
    return _extract_any(frame, PT_ETHERNET, vlan_limit) | in_port


def _extract_any(frame: bytes, packet_type: int, vlan_limit: int) -> int:
    if packet_type != PT_ETHERNET:
        dl_type = packet_type & 0xFFFF
        bits = packet_type << _PACKET_TYPE | dl_type << _DL_TYPE
        at = 0
    elif len(frame) < _ETHERNET_BYTES:
        return 0
    else:
        bits, dl_type, at = _link_layer(frame, vlan_limit)
    if dl_type in _MPLS_TYPES:
        return bits | _mpls(frame, at)
    return bits | NETWORK.get(dl_type, unread_network)(frame, at)


def _link_layer(frame: bytes, vlan_limit: int) -> tuple[int, int, int]:
    """The link layer's bits, the EtherType, and where the header behind it starts."""
    dl_type = int.from_bytes(frame[_ADDRESSES_BYTES:_ETHERNET_BYTES], "big")
    if dl_type >= _ETH_TYPE_MIN and dl_type not in _VLAN_TPIDS:
        bits = int.from_bytes(frame[:_ETHERNET_BYTES], "big") << _DL_TYPE
        return bits, dl_type, _ETHERNET_BYTES
    bits = int.from_bytes(frame[:_ADDRESSES_BYTES], "big") << _DL_SRC
    at = _ADDRESSES_BYTES
    for tpid_shift, tci_shift in _VLANS[:vlan_limit]:
        tpid = int.from_bytes(frame[at : at + 2], "big")
        if tpid not in _VLAN_TPIDS or len(frame) - at < _VLAN_BYTES + 2:
            break
        tci = int.from_bytes(frame[at + 2 : at + 4], "big") | CFI
        bits |= tpid << tpid_shift | tci << tci_shift
        at += _VLAN_BYTES
    dl_type = int.from_bytes(frame[at : at + 2], "big")
    at += 2
    if dl_type < _ETH_TYPE_MIN:
        dl_type, at = _snap(frame, at)
    return bits | dl_type << _DL_TYPE, dl_type, at


def _snap(frame: bytes, at: int) -> tuple[int, int]:
    """The type of an IEEE 802.2 frame: SNAP's EtherType if it has one, else none."""
    if len(frame) - at < _LLC_SNAP_BYTES or frame[at : at + 6] != _LLC_SNAP_ETHERNET:
        return DL_TYPE_NONE, at
    snap_type = int.from_bytes(frame[at + 6 : at + 8], "big")
    return (snap_type if snap_type >= _ETH_TYPE_MIN else DL_TYPE_NONE), at + _LLC_SNAP_BYTES


def _mpls_end(frame: bytes, at: int) -> int:
    """Where the label stack that starts at ``at`` ends."""
    while len(frame) - at >= _MPLS_BYTES:
        at += _MPLS_BYTES
        if frame[at - 2] & _MPLS_BOTTOM:
            break
    return at


def _mpls(frame: bytes, at: int) -> int:
    """The outermost labels; what they carry is not read."""
    bits = 0
    end = _mpls_end(frame, at)
    for shift in _MPLS[: (end - at) // _MPLS_BYTES]:
        bits |= int.from_bytes(frame[at : at + _MPLS_BYTES], "big") << shift
        at += _MPLS_BYTES
    return bits


class Layers(NamedTuple):
    """Where a frame's layers start, in bytes from its first; None where it has no such layer.

    ``l2_5`` is the MPLS label stack, ``l3`` whatever follows link layer and labels, ``l4`` the
    payload of a well-formed IP packet. ``end`` is where the packet ends and padding begins.
    """

    l2_5: int | None
    l3: int | None
    l4: int | None
    end: int


def layers(
    frame: bytes, *, packet_type: int = PT_ETHERNET, vlan_limit: int = DEFAULT_VLAN_LIMIT
) -> Layers:
    """Find the layers of a frame, by the rules of :func:`extract`."""
    if packet_type != PT_ETHERNET:
        dl_type, at = packet_type & 0xFFFF, 0
    elif len(frame) < _ETHERNET_BYTES:
        return Layers(None, None, None, len(frame))
    else:
        _bits, dl_type, at = _link_layer(frame, vlan_limit)
    if dl_type in _MPLS_TYPES:
        return Layers(at, _mpls_end(frame, at), None, len(frame))
    payload = ip_payload(frame, dl_type, at)
    if payload is None:
        return Layers(None, at, None, len(frame))
    _nw_proto, _nw_frag, start, end = payload
    return Layers(None, at, start, end)
