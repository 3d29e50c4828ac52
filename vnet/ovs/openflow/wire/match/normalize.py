"""What makes no sense in a match of OpenFlow 1.0, which a switch leaves out in silence.

An IPv4 address in a match that is not on IPv4, for example. Sources: OpenFlow 1.0, section 3.4;
ovs-fields(7).
"""

from __future__ import annotations

from functools import lru_cache

from vnet.ovs.flow.flow import Bits, Flow
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


_DECIDING = _mask_of(Flow.packet_type, Flow.dl_type, Flow.nw_proto)


def normalized(match: Match) -> Match:
    """A match without what its other parts give no sense to (ofputil_normalize_match)."""
    deciding = match.value & _DECIDING
    if Flow.nw_proto.of(deciding) == IPPROTO_ICMPV6:
        deciding = match.value & (_DECIDING | Flow.tp_src.mask)
    kept = match.mask & ~_senseless(deciding, match.mask & Flow.packet_type.mask)
    return Match(match.value & kept, kept, match.tun_options)


@lru_cache(maxsize=1024)
def _senseless(deciding: int, packet_type_mask: int) -> int:
    """What has no sense in a match with these values."""
    flow = Flow(deciding)
    may_match, dl_type = 0, 0
    if not packet_type_mask or flow.packet_type == PT_ETHERNET:
        may_match, dl_type = _ETHERNET_ADDRESSES, flow.dl_type
    elif flow.packet_type >> 16 == PT_NAMESPACE_ETHERTYPE:
        dl_type = flow.packet_type & 0xFFFF
    may_match |= _BY_TYPE.get(dl_type, 0)
    if flow.nw_proto in _WITH_PORTS.get(dl_type, ()):
        may_match |= _PORTS
        if flow.nw_proto == IPPROTO_ICMPV6:
            may_match |= _ND.get(flow.tp_src, 0)
    return _CONDITIONAL & ~may_match
