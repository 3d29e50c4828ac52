"""From a flow to a frame that would be read as it (``flow_compose``), for tracing and testing.

The frame is whole, with lengths and checksums, but what a flow does not say is 0: there are no
sequence numbers, IPv6 has no extension headers, and what MPLS or an unknown type carries is
left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vnet.ovs.flow.extract_transport import TCP_FLAGS_MASK
from vnet.ovs.flow.flow import CFI, DL_TYPE_NONE, FRAG_ANY, FRAG_LATER, N_MPLS_LABELS, Flow
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_PBB,
    ETH_TYPE_RARP,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IGMP,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
)
from vnet.wire.checksum import checksum, pseudo_header_sum

DEFAULT_L7 = bytes(range(64))
"""The payload of protocols that carry one, unless something else is asked for."""

_TCP_SYN_FIN_RST = 0x007
_TCP_OFFSET_5_WORDS = 5 << 12
_UDP_HEADER_BYTES = 8
_SCTP_REST = bytes(8)
_ICMP_ECHOES = frozenset(((0, 0), (8, 0)))
_ICMPV6_ECHOES = frozenset(((128, 0), (129, 0)))
_ND_MESSAGES = frozenset(((ND_NEIGHBOR_SOLICIT, 0), (ND_NEIGHBOR_ADVERT, 0)))
_ND_SOURCE_LINK_ADDRESS = b"\x01\x01"
_ND_TARGET_LINK_ADDRESS = b"\x02\x01"

_ETHERNET_BYTES = 14
_IPV4_MORE_FRAGMENTS = 0x2000
_IPV4_LATER_OFFSET = 100
_ARP_REQUEST = 1
_ARP_REPLY = 2
_ARP_ETHERNET_IPV4 = b"\x00\x01\x08\x00\x06\x04"
_MPLS_BOTTOM = 0x100


def compose(flow: Flow, l7: bytes = DEFAULT_L7) -> bytes:
    """A frame with this flow. ``l7`` is the payload where the protocol carries any."""
    return _compose(flow, l7, 0)


def compose_sized(flow: Flow, size_bytes: int) -> bytes:
    """A frame with this flow and no payload, filled up with zeros to ``size_bytes``.

    The zeros count as part of the packet. A size that is too small raises ``ValueError``.
    """
    shortest = _compose(flow, b"", 0)
    if size_bytes < len(shortest):
        raise ValueError(f"a frame with this flow takes {len(shortest)} bytes, not {size_bytes}")
    return _compose(flow, b"", size_bytes - len(shortest))


def _compose(flow: Flow, l7: bytes, extra_bytes: int) -> bytes:
    addresses = _mac(flow.dl_dst) + _mac(flow.dl_src)
    dl_type = flow.dl_type
    if dl_type == DL_TYPE_NONE:
        size_bytes = _ETHERNET_BYTES + extra_bytes
        return addresses + _word(size_bytes) + bytes(extra_bytes)
    link = addresses + _tags(flow) + _word(dl_type)
    if dl_type == ETH_TYPE_IP:
        return link + _ipv4(flow, l7, extra_bytes)
    if dl_type == ETH_TYPE_IPV6:
        return link + _ipv6(flow, l7, extra_bytes)
    body = b""
    if dl_type in (ETH_TYPE_ARP, ETH_TYPE_RARP):
        body = _arp(flow)
    elif dl_type in (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST):
        body = _labels(flow)
    elif dl_type == ETH_TYPE_PBB and flow.pbb_tci:
        body = flow.pbb_tci.to_bytes(4, "big")
    return link + body + bytes(extra_bytes)


def _mac(address: int) -> bytes:
    return address.to_bytes(6, "big")


def _word(number: int) -> bytes:
    """16 bits; a length that does not fit loses its upper bits, as in the header it is for."""
    return (number & 0xFFFF).to_bytes(2, "big")


def _tags(flow: Flow) -> bytes:
    tags = b""
    for tpid, tci in ((flow.vlan_tpid, flow.vlan_tci), (flow.vlan1_tpid, flow.vlan1_tci)):
        if tci & CFI:
            tags += _word(tpid) + _word(tci & ~CFI)
    return tags


def _labels(flow: Flow) -> bytes:
    """Labels up to the bottom of the stack; all there is room for where no bottom is marked."""
    labels = b""
    for bits in Flow.mpls_lse[:N_MPLS_LABELS]:
        lse = flow.get(bits)
        labels += lse.to_bytes(4, "big")
        if lse & _MPLS_BOTTOM:
            break
    return labels


def _arp(flow: Flow) -> bytes:
    """Addresses are filled in for requests and replies only."""
    head = _ARP_ETHERNET_IPV4 + _word(flow.nw_proto)
    if flow.nw_proto not in (_ARP_REQUEST, _ARP_REPLY):
        return head + bytes(20)
    sender = _mac(flow.arp_sha) + flow.nw_src.to_bytes(4, "big")
    return head + sender + _mac(flow.arp_tha) + flow.nw_dst.to_bytes(4, "big")


def _ipv4(flow: Flow, l7: bytes, extra_bytes: int) -> bytes:
    fragment = 0
    if flow.nw_frag & FRAG_ANY:
        fragment = _IPV4_MORE_FRAGMENTS
        if flow.nw_frag & FRAG_LATER:
            fragment |= _IPV4_LATER_OFFSET
    source, target = flow.nw_src.to_bytes(4, "big"), flow.nw_dst.to_bytes(4, "big")
    transport = _transport(flow, l7, extra_bytes, source, target)
    head = (
        bytes((0x45, flow.nw_tos))
        + _word(20 + len(transport))
        + bytes(2)
        + _word(fragment)
        + bytes((flow.nw_ttl, flow.nw_proto))
    )
    return head + _word(checksum(head + source + target)) + source + target + transport


def _ipv6(flow: Flow, l7: bytes, extra_bytes: int) -> bytes:
    source, target = flow.ipv6_src.to_bytes(16, "big"), flow.ipv6_dst.to_bytes(16, "big")
    transport = _transport(flow, l7, extra_bytes, source, target)
    class_and_label = 6 << 28 | flow.nw_tos << 20 | flow.ipv6_label
    head = class_and_label.to_bytes(4, "big") + _word(len(transport))
    return head + bytes((flow.nw_proto, flow.nw_ttl)) + source + target + transport


class _Transport(NamedTuple):
    """How to compose a protocol: the header with its payload, and where its checksum goes."""

    emit: Callable[[Flow, bytes], bytes]
    checksum_at: int | None
    has_pseudo_header: bool


def _transport(flow: Flow, l7: bytes, extra_bytes: int, source: bytes, target: bytes) -> bytes:
    protocol = _TRANSPORTS.get(flow.nw_proto)
    if protocol is None or (flow.nw_frag & FRAG_ANY and flow.nw_frag & FRAG_LATER):
        return bytes(extra_bytes)
    segment = protocol.emit(flow, l7) + bytes(extra_bytes)
    if extra_bytes and flow.nw_proto == IPPROTO_UDP:
        # Open vSwitch counts the filling twice here; whoever compares frames sees it.
        segment = segment[:4] + _word(len(segment) + extra_bytes) + segment[6:]
    at = protocol.checksum_at
    if at is None:
        return segment
    start = 0
    if protocol.has_pseudo_header:
        start = pseudo_header_sum(source, target, flow.nw_proto, len(segment) & 0xFFFF)
    value = checksum(segment, start)
    if flow.nw_proto == IPPROTO_UDP:
        value = value or 0xFFFF
    return segment[:at] + _word(value) + segment[at + 2 :]


def _ports(flow: Flow) -> bytes:
    return _word(flow.tp_src) + _word(flow.tp_dst)


def _type_and_code(flow: Flow) -> tuple[int, int]:
    return flow.tp_src & 0xFF, flow.tp_dst & 0xFF


def _tcp(flow: Flow, l7: bytes) -> bytes:
    """Segments that open or close a connection carry no data."""
    flags = flow.tcp_flags & TCP_FLAGS_MASK
    head = _ports(flow) + bytes(8) + _word(_TCP_OFFSET_5_WORDS | flags) + bytes(6)
    return head if flow.tcp_flags & _TCP_SYN_FIN_RST else head + l7


def _udp(flow: Flow, l7: bytes) -> bytes:
    return _ports(flow) + _word(_UDP_HEADER_BYTES + len(l7)) + bytes(2) + l7


def _sctp(flow: Flow, _l7: bytes) -> bytes:
    return _ports(flow) + _SCTP_REST


def _icmp(flow: Flow, l7: bytes) -> bytes:
    kind = _type_and_code(flow)
    return bytes(kind) + bytes(6) + (l7 if kind in _ICMP_ECHOES else b"")


def _igmp(flow: Flow, _l7: bytes) -> bytes:
    return bytes(_type_and_code(flow)) + bytes(2) + flow.igmp_group_ip4.to_bytes(4, "big")


def _icmpv6(flow: Flow, l7: bytes) -> bytes:
    kind = _type_and_code(flow)
    message = bytes(kind) + bytes(2) + flow.igmp_group_ip4.to_bytes(4, "big")
    if kind in _ND_MESSAGES:
        message += flow.nd_target.to_bytes(16, "big")
        if flow.arp_sha:
            message += _ND_SOURCE_LINK_ADDRESS + _mac(flow.arp_sha)
        if flow.arp_tha:
            message += _ND_TARGET_LINK_ADDRESS + _mac(flow.arp_tha)
    elif kind in _ICMPV6_ECHOES:
        message += l7
    return message


_TRANSPORTS: dict[int, _Transport] = {
    IPPROTO_ICMP: _Transport(_icmp, checksum_at=2, has_pseudo_header=False),
    IPPROTO_IGMP: _Transport(_igmp, checksum_at=2, has_pseudo_header=False),
    IPPROTO_TCP: _Transport(_tcp, checksum_at=16, has_pseudo_header=True),
    IPPROTO_UDP: _Transport(_udp, checksum_at=6, has_pseudo_header=True),
    IPPROTO_ICMPV6: _Transport(_icmpv6, checksum_at=2, has_pseudo_header=True),
    IPPROTO_SCTP: _Transport(_sctp, checksum_at=None, has_pseudo_header=False),
}
