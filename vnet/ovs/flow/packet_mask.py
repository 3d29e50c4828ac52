"""The mask of everything that a packet of some kind has."""

from __future__ import annotations

from vnet.ovs.flow.field_access import part
from vnet.ovs.flow.flow import FRAG_ANY, FRAG_LATER, Bits, Flow
from vnet.ovs.flow.prerequisites import is_nd
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_NSH,
    ETH_TYPE_RARP,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IGMP,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PT_ETHERNET,
)


def _mask_of(*members: Bits) -> int:
    return sum(bits.mask for bits in members)


_METADATA = _mask_of(
    Flow.skb_priority,
    Flow.pkt_mark,
    Flow.ct_state,
    Flow.ct_zone,
    Flow.ct_mark,
    Flow.ct_label,
    Flow.recirc_id,
    Flow.dp_hash,
    Flow.in_port,
    Flow.packet_type,
)
_TUNNEL = _mask_of(
    Flow.tun_src,
    Flow.tun_dst,
    Flow.tun_ipv6_src,
    Flow.tun_ipv6_dst,
    Flow.tun_flags,
    Flow.tun_tos,
    Flow.tun_ttl,
    Flow.tun_tp_src,
    Flow.tun_tp_dst,
    Flow.tun_gbp_id,
    Flow.tun_gbp_flags,
    Flow.tun_erspan_ver,
    Flow.tun_erspan_idx,
    Flow.tun_erspan_dir,
    Flow.tun_erspan_hwid,
    Flow.tun_gtpu_flags,
    Flow.tun_gtpu_msgtype,
)
_TUN_OPTIONS = _mask_of(Flow.tun_metadata)
_TUNNEL_HAS_KEY = 1 << 3
_ETHERNET = _mask_of(Flow.dl_dst, Flow.dl_src, Flow.dl_type)
_OUTER_TAG = _mask_of(Flow.vlan_tpid, Flow.vlan_tci)
_INNER_TAG = _mask_of(Flow.vlan1_tpid, Flow.vlan1_tci)
_IPV4 = _mask_of(Flow.nw_src, Flow.nw_dst, Flow.ct_nw_src, Flow.ct_nw_dst)
_IPV6 = _mask_of(Flow.ipv6_src, Flow.ipv6_dst, Flow.ipv6_label)
_CT_IPV6 = _mask_of(Flow.ct_ipv6_src, Flow.ct_ipv6_dst)
_ND = _mask_of(Flow.arp_sha, Flow.arp_tha, Flow.nd_target)
_ARP = _mask_of(Flow.nw_src, Flow.nw_dst, Flow.nw_proto, Flow.arp_sha, Flow.arp_tha)
_NSH = _mask_of(
    Flow.nsh_flags,
    Flow.nsh_ttl,
    Flow.nsh_mdtype,
    Flow.nsh_np,
    Flow.nsh_path_hdr,
    *Flow.nsh_context,
)
_IP = _mask_of(
    part(Flow.nw_frag, 0, (FRAG_ANY | FRAG_LATER).bit_length()),
    Flow.nw_tos,
    Flow.nw_ttl,
    Flow.nw_proto,
    Flow.ct_nw_proto,
    Flow.ct_tp_src,
    Flow.ct_tp_dst,
)
_PORTS = _mask_of(Flow.tp_src, Flow.tp_dst)
_TRANSPORT = {
    IPPROTO_ICMP: _PORTS,
    IPPROTO_ICMPV6: _PORTS,
    IPPROTO_TCP: _PORTS | _mask_of(Flow.tcp_flags),
    IPPROTO_UDP: _PORTS,
    IPPROTO_SCTP: _PORTS,
    IPPROTO_IGMP: _PORTS | _mask_of(Flow.igmp_group_ip4),
}
_MPLS_BOTTOM_OF_STACK = 0x100


def packet_mask(flow: Flow) -> Flow:
    """A mask over all that can be in packets like ``flow`` (flow_wildcards_init_for_packet).

    Registers and other scratch space of the OpenFlow pipeline are left out.
    """
    mask = Flow(_METADATA | _tunnel_mask(flow))
    dl_type = flow.packet_type & 0xFFFF
    if flow.packet_type == PT_ETHERNET:
        dl_type = flow.dl_type
        mask.key |= _ETHERNET | _OUTER_TAG
        if flow.vlan_tci:
            mask.key |= _INNER_TAG
    if dl_type == ETH_TYPE_IP:
        mask.key |= _IPV4
    elif dl_type == ETH_TYPE_IPV6:
        # Whether it is Neighbor Discovery is read off type and code: that counts them in.
        neighbor_discovery = is_nd(flow, mask)
        mask.key |= _IPV6 | (_ND if neighbor_discovery else _CT_IPV6)
    elif flow.dl_type == ETH_TYPE_NSH:
        mask.key |= _NSH
    else:
        mask.key |= _other_mask(flow, dl_type)
        return mask
    mask.key |= _IP
    if not flow.nw_frag & FRAG_LATER:
        mask.key |= _TRANSPORT.get(flow.nw_proto, 0)
    return mask


def _other_mask(flow: Flow, dl_type: int) -> int:
    """What there is behind an EtherType that is not IP's."""
    if dl_type in (ETH_TYPE_ARP, ETH_TYPE_RARP):
        return _ARP
    mask = 0
    if dl_type in (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST):
        for label in Flow.mpls_lse:
            mask |= label.mask
            if flow.get(label) & _MPLS_BOTTOM_OF_STACK:
                break
    return mask


def _tunnel_mask(flow: Flow) -> int:
    if not (flow.tun_dst or flow.tun_ipv6_dst):
        return Flow.tun_id.mask if flow.tun_id else 0
    mask = _TUNNEL
    if flow.tun_flags & _TUNNEL_HAS_KEY:
        mask |= Flow.tun_id.mask
    present = flow.key & Flow.tun_metadata_present.mask
    return mask | present | _TUN_OPTIONS if present else mask
