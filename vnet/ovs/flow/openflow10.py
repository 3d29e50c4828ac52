"""Matches as OpenFlow 1.0 carries them: twelve fields, whole or not at all but for IPv4 prefixes.

A switch that gets one drops what makes no sense in it, silently: an IPv4 address in a match that
is not on IPv4, and so on. Sources: OpenFlow 1.0, sections 3.4 and 5.2.3; ovs-fields(7).
"""

from __future__ import annotations

from vnet.ovs.flow.field_access import VLAN_PCP_MASK, VLAN_VID_MASK
from vnet.ovs.flow.flow import CFI, Bits, Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
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

_WHOLE = (
    Flow.dl_type,
    Flow.dl_src,
    Flow.dl_dst,
    Flow.nw_proto,
    Flow.tp_src,
    Flow.tp_dst,
)
_PREFIXES = (Flow.nw_src, Flow.nw_dst)
_DSCP_MASK = 0xFC
_PORT_MASK = 0xFFFF
"""A port of OpenFlow, in the place of one of the datapath."""


def as_sent_openflow10(match: Match) -> Match:
    """What a switch gets to see of a match that is sent to it in OpenFlow 1.0."""
    flow, given = Flow(match.value), Flow(match.mask)
    mask = Flow()
    for bits in _WHOLE:
        if given.key & bits.mask:
            mask.fill(bits)
    if given.in_port:
        mask.in_port = _PORT_MASK
    for bits in _PREFIXES:
        mask.put(bits, _prefix_of(given.get(bits)))
    if given.nw_tos & _DSCP_MASK:
        mask.nw_tos = _DSCP_MASK
    _send_vlan(flow, given.vlan_tci, mask)
    if mask.key & ~Flow.in_port.mask:
        flow.packet_type = PT_ETHERNET
        mask.fill(Flow.packet_type)
    return normalized(Match(flow.key & mask.key, mask.key))


def _prefix_of(mask: int) -> int:
    """The prefix down to the lowest bit of a mask."""
    return 0xFFFFFFFF & ~((mask & -mask) - 1) if mask else 0


def _send_vlan(flow: Flow, given: int, mask: Flow) -> None:
    if given & CFI and not flow.vlan_tci & CFI:
        flow.vlan_tci = 0
        mask.fill(Flow.vlan_tci)
        return
    for bits in (VLAN_VID_MASK, VLAN_PCP_MASK):
        if given & bits:
            flow.vlan_tci |= CFI
            mask.vlan_tci |= bits | CFI


def _mask_of(*members: Bits) -> int:
    return sum(bits.mask for bits in members)


_ETHERNET_ADDRESSES = _mask_of(Flow.dl_src, Flow.dl_dst)
_NW_ADDRESSES = _mask_of(Flow.nw_src, Flow.nw_dst)
_IP = _mask_of(Flow.nw_proto, Flow.nw_tos, Flow.nw_ttl)
_IPV6 = _IP | _mask_of(Flow.ipv6_src, Flow.ipv6_dst, Flow.ipv6_label)
_PORTS = _mask_of(Flow.tp_src, Flow.tp_dst)
_ARP = _NW_ADDRESSES | _mask_of(Flow.nw_proto, Flow.arp_sha, Flow.arp_tha)
_MPLS = _mask_of(*Flow.mpls_lse)
_CONDITIONAL = _ETHERNET_ADDRESSES | _IPV6 | _PORTS | _ARP | _MPLS | Flow.nd_target.mask
"""What may stand in a match only if something else does."""

_BY_TYPE = {
    ETH_TYPE_IP: _IP | _NW_ADDRESSES,
    ETH_TYPE_IPV6: _IPV6,
    ETH_TYPE_ARP: _ARP,
    ETH_TYPE_RARP: _ARP,
    ETH_TYPE_MPLS: _MPLS,
    ETH_TYPE_MPLS_MCAST: _MPLS,
}
_WITH_PORTS = {
    ETH_TYPE_IP: (IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP),
    ETH_TYPE_IPV6: (IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMPV6),
}
_ND = {
    ND_NEIGHBOR_SOLICIT: _mask_of(Flow.nd_target, Flow.arp_sha),
    ND_NEIGHBOR_ADVERT: _mask_of(Flow.nd_target, Flow.arp_tha),
}


def normalized(match: Match) -> Match:
    """A match without what its other parts give no sense to (ofputil_normalize_match)."""
    flow, mask = Flow(match.value), Flow(match.mask)
    may_match, dl_type = 0, 0
    if not mask.packet_type or flow.packet_type == PT_ETHERNET:
        may_match, dl_type = _ETHERNET_ADDRESSES, flow.dl_type
    elif flow.packet_type >> 16 == PT_NAMESPACE_ETHERTYPE:
        dl_type = flow.packet_type & 0xFFFF
    may_match |= _BY_TYPE.get(dl_type, 0)
    if flow.nw_proto in _WITH_PORTS.get(dl_type, ()):
        may_match |= _PORTS
        if flow.nw_proto == IPPROTO_ICMPV6:
            may_match |= _ND.get(flow.tp_src, 0)
    kept = match.mask & ~(_CONDITIONAL & ~may_match)
    return Match(match.value & kept, kept, match.tun_options)
