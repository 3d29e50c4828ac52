"""What a flow must be before a field makes sense: "TCP" before ``tcp_dst``, and so on.

Looking at a flow to decide depends on bits of it. Whoever decides for many packets at once
passes a mask, ``wc``, and the bits that were looked at are set in it.
Source: ovs-fields(7), "Prerequisites".
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from vnet.ovs.flow.flow import CFI, DL_TYPE_NONE, FRAG_LATER, Flow
from vnet.ovs.flow.protocol_numbers import (
    CS_DST_NAT,
    CS_ESTABLISHED,
    CS_INVALID,
    CS_NEW,
    CS_RELATED,
    CS_REPLY_DIR,
    CS_SRC_NAT,
    CS_TRACKED,
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_NSH,
    ETH_TYPE_PBB,
    ETH_TYPE_RARP,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
    PT_ETHERNET,
    PT_NAMESPACE_ETHERTYPE,
)

_CS_VALID = CS_NEW | CS_ESTABLISHED | CS_REPLY_DIR
_CS_IMPLY_VALID = _CS_VALID | CS_RELATED | CS_SRC_NAT | CS_DST_NAT


def dl_type_of(flow: Flow) -> int:
    """What follows: the EtherType, also of packets without an Ethernet header."""
    packet_type = flow.packet_type
    if packet_type == PT_ETHERNET:
        return flow.dl_type
    if packet_type >> 16 == PT_NAMESPACE_ETHERTYPE:
        return packet_type & 0xFFFF
    return DL_TYPE_NONE


def is_ip(flow: Flow) -> bool:
    """IPv4 or IPv6."""
    return dl_type_of(flow) in (ETH_TYPE_IP, ETH_TYPE_IPV6)


def is_ethernet(flow: Flow, wc: Flow | None = None) -> bool:
    """Whether the packet begins with an Ethernet header."""
    if wc is not None:
        wc.fill(Flow.packet_type)
    return flow.packet_type == PT_ETHERNET


def is_vlan(flow: Flow, wc: Flow | None = None) -> bool:
    """Whether there is a VLAN tag."""
    if not is_ethernet(flow, wc):
        return False
    if wc is not None:
        wc.vlan_tci |= CFI
    return bool(flow.vlan_tci & CFI)


def is_nd(flow: Flow, wc: Flow | None = None) -> bool:
    """Whether it is a neighbor solicitation or advertisement (RFC 4861)."""
    if not _is_icmpv6(flow, wc):
        return False
    if wc is not None:
        wc.fill(Flow.tp_dst)
    if flow.tp_dst != 0:
        return False
    if wc is not None:
        wc.fill(Flow.tp_src)
    return flow.tp_src in (ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT)


def ct_match_is_valid(flow: Flow, mask: Flow) -> bool:
    """Whether a match (a flow under a mask) asks for a valid tracked connection."""
    state = flow.ct_state
    return bool(state & _CS_IMPLY_VALID) or bool(
        state & CS_TRACKED and mask.ct_state & CS_INVALID and not state & CS_INVALID
    )


Predicate = Callable[[Flow, Flow | None], bool]


def _of_types(*dl_types: int) -> Predicate:
    def test(flow: Flow, wc: Flow | None) -> bool:  # noqa: ARG001 - the EtherType is always known
        return dl_type_of(flow) in dl_types

    return test


def _of_protocol(protocol: int, *dl_types: int) -> Predicate:
    def test(flow: Flow, wc: Flow | None) -> bool:
        if dl_type_of(flow) not in dl_types:
            return False
        if wc is not None:
            wc.fill(Flow.nw_proto)
        return flow.nw_proto == protocol

    return test


def _of_ports(protocol: int) -> Predicate:
    with_protocol = _of_protocol(protocol, ETH_TYPE_IP, ETH_TYPE_IPV6)

    def test(flow: Flow, wc: Flow | None) -> bool:
        return with_protocol(flow, wc) and not flow.nw_frag & FRAG_LATER

    return test


_is_icmpv6 = _of_protocol(IPPROTO_ICMPV6, ETH_TYPE_IPV6)


def _always(flow: Flow, wc: Flow | None) -> bool:  # noqa: ARG001 - nothing to look at
    return True


def _is_connection(flow: Flow, wc: Flow | None) -> bool:
    if wc is not None:
        wc.ct_state |= _CS_VALID
    return bool(flow.ct_state & _CS_VALID)


def _is_nd_solicit(flow: Flow, wc: Flow | None) -> bool:
    return is_nd(flow, wc) and flow.tp_src == ND_NEIGHBOR_SOLICIT


def _is_nd_advert(flow: Flow, wc: Flow | None) -> bool:
    return is_nd(flow, wc) and flow.tp_src == ND_NEIGHBOR_ADVERT


class Prerequisite(Enum):
    """The prerequisites that ovs-fields(7) knows; the value is its word for one."""

    NONE = "none"
    ETHERNET = "Ethernet"
    ARP = "ARP"
    VLAN_VID = "VLAN VID"
    IPV4 = "IPv4"
    IPV6 = "IPv6"
    IP_ANY = "IPv4/IPv6"
    NSH = "NSH"
    MPLS = "MPLS"
    PBB = "PBB"
    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"
    ICMPV4 = "ICMPv4"
    ICMPV6 = "ICMPv6"
    CT = "CT"
    ND = "ND"
    ND_SOLICIT = "ND solicit"
    ND_ADVERT = "ND advert"


PREDICATES: dict[Prerequisite, Predicate] = {
    Prerequisite.NONE: _always,
    Prerequisite.ETHERNET: is_ethernet,
    Prerequisite.ARP: _of_types(ETH_TYPE_ARP, ETH_TYPE_RARP),
    Prerequisite.VLAN_VID: is_vlan,
    Prerequisite.IPV4: _of_types(ETH_TYPE_IP),
    Prerequisite.IPV6: _of_types(ETH_TYPE_IPV6),
    Prerequisite.IP_ANY: _of_types(ETH_TYPE_IP, ETH_TYPE_IPV6),
    Prerequisite.NSH: _of_types(ETH_TYPE_NSH),
    Prerequisite.MPLS: _of_types(ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST),
    Prerequisite.PBB: _of_types(ETH_TYPE_PBB),
    Prerequisite.TCP: _of_ports(IPPROTO_TCP),
    Prerequisite.UDP: _of_ports(IPPROTO_UDP),
    Prerequisite.SCTP: _of_ports(IPPROTO_SCTP),
    Prerequisite.ICMPV4: _of_protocol(IPPROTO_ICMP, ETH_TYPE_IP),
    Prerequisite.ICMPV6: _is_icmpv6,
    Prerequisite.CT: _is_connection,
    Prerequisite.ND: is_nd,
    Prerequisite.ND_SOLICIT: _is_nd_solicit,
    Prerequisite.ND_ADVERT: _is_nd_advert,
}
"""What each demands of a flow that was extracted from a packet."""
