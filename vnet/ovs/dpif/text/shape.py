"""Which attributes a flow has: decided by its type, protocol and fragment."""

from __future__ import annotations

from vnet.ovs.dpif.text.kind import Kind
from vnet.ovs.dpif.text.kinds import (
    ARP,
    ICMP,
    ICMPV6,
    IPV4_HEADER,
    IPV6_HEADER,
    NSH,
    SCTP,
    TCP,
    UDP,
)
from vnet.ovs.flow.flow import FRAG_LATER, Bits, Flow
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_NSH,
    ETH_TYPE_RARP,
    ETH_TYPE_VLAN_8021AD,
    ETH_TYPE_VLAN_8021Q,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
)

ETH_TYPE_MIN = 0x600
"""Lesser ones are lengths of IEEE 802.2 frames: no type."""
ETHERTYPE_EXACT = 0xFFFF
VLAN_TYPES = frozenset((ETH_TYPE_VLAN_8021Q, ETH_TYPE_VLAN_8021AD))
MPLS_TYPES = frozenset((ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST))
MPLS_BOTTOM = 0x100
ICMP_EXACT = (0xFF, 0xFF)
"""Type and code have 8 bits, although their places in a flow have 16."""

VLANS: tuple[tuple[Bits, Bits], ...] = (
    (Flow.vlan_tpid, Flow.vlan_tci),
    (Flow.vlan1_tpid, Flow.vlan1_tci),
)

NETWORK_KINDS: dict[int, Kind] = {
    ETH_TYPE_IP: IPV4_HEADER,
    ETH_TYPE_IPV6: IPV6_HEADER,
    ETH_TYPE_ARP: ARP,
    ETH_TYPE_RARP: ARP,
    ETH_TYPE_NSH: NSH,
}

_IP_TYPES = (ETH_TYPE_IP, ETH_TYPE_IPV6)
_TRANSPORT_KINDS: dict[tuple[int, int], Kind] = {
    **{(dl_type, IPPROTO_TCP): TCP for dl_type in _IP_TYPES},
    **{(dl_type, IPPROTO_UDP): UDP for dl_type in _IP_TYPES},
    **{(dl_type, IPPROTO_SCTP): SCTP for dl_type in _IP_TYPES},
    (ETH_TYPE_IP, IPPROTO_ICMP): ICMP,
    (ETH_TYPE_IPV6, IPPROTO_ICMPV6): ICMPV6,
}


def transport_kind(flow: Flow) -> Kind | None:
    """The kind of a flow's transport header; None for later fragments, which have none."""
    if flow.nw_frag & FRAG_LATER:
        return None
    return _TRANSPORT_KINDS.get((flow.dl_type, flow.nw_proto))


def is_neighbor_discovery(flow: Flow) -> bool:
    """Whether an ICMPv6 flow is a neighbour solicitation or advertisement."""
    return not flow.tp_dst and flow.tp_src in (ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT)
