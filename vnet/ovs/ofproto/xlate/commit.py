"""Making the datapath do what the actions so far have done to the flow.

OpenFlow actions change the flow. Before a packet leaves, what differs between the packet as the
datapath has it and the flow becomes ``set``, ``push`` and ``pop`` actions, in a fixed order. A
``set`` writes the bits that translation has looked at or changed (those of the mask, ``wc``); of
members whose value is the same, none.
"""

from __future__ import annotations

from dataclasses import field

from vnet.base.record import record
from vnet.ovs.dpif.actions import KeyPart, OdpAction, Pad, PopMpls, PopVlan, PushVlan, Set
from vnet.ovs.dpif.cookies import SlowPath
from vnet.ovs.flow.flow import Bits, Flow
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_NSH,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PT_ETHERNET,
)
from vnet.ovs.ofproto.tunnel.ports import came_by_tunnel
from vnet.ovs.ofproto.xlate.commit_headers import commit_encap_decap, commit_labels
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.recirc import TUNNEL_MASK
from vnet.ovs.ofproto.xlate.stacks import (
    IP_ECN_MASK,
    PACKET_MASK,
    VLANS,
    copy_tags,
    count_tags,
    is_mpls,
    tag,
)


@record(frozen=True, slots=True)
class _Part:
    """What one ``set`` can write; with ``has_fixed`` the part has members that none can, so that
    it is never written whole.
    """

    part: KeyPart
    members: tuple[Bits, ...]
    has_fixed: bool = False
    mask: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", sum(bits.mask for bits in self.members))


_ETHERNET = _Part(KeyPart.ETHERNET, (Flow.dl_src, Flow.dl_dst))
_IPV4 = _Part(KeyPart.IPV4, (Flow.nw_src, Flow.nw_dst, Flow.nw_tos, Flow.nw_ttl), has_fixed=True)
_IPV6 = _Part(
    KeyPart.IPV6,
    (Flow.ipv6_src, Flow.ipv6_dst, Flow.ipv6_label, Flow.nw_tos, Flow.nw_ttl),
    has_fixed=True,
)
_ARP = _Part(KeyPart.ARP, (Flow.nw_src, Flow.nw_dst, Flow.nw_proto, Flow.arp_sha, Flow.arp_tha))
_ND = _Part(KeyPart.ND, (Flow.nd_target, Flow.arp_sha, Flow.arp_tha))
_ND_EXTENSIONS = _Part(KeyPart.ND_EXTENSIONS, (Flow.igmp_group_ip4, Flow.tcp_flags), has_fixed=True)
_PORTS = {
    IPPROTO_TCP: _Part(KeyPart.TCP, (Flow.tp_src, Flow.tp_dst)),
    IPPROTO_UDP: _Part(KeyPart.UDP, (Flow.tp_src, Flow.tp_dst)),
    IPPROTO_SCTP: _Part(KeyPart.SCTP, (Flow.tp_src, Flow.tp_dst)),
}
_ICMP = {
    (ETH_TYPE_IP, IPPROTO_ICMP): KeyPart.ICMP,
    (ETH_TYPE_IPV6, IPPROTO_ICMPV6): KeyPart.ICMPV6,
}
_PBB = _Part(KeyPart.PBB, (Flow.pbb_tci,))
_PRIORITY = _Part(KeyPart.PRIORITY, (Flow.skb_priority,))
_MARK = _Part(KeyPart.MARK, (Flow.pkt_mark,))

_ICMP_BITS = Flow.tp_src.mask | Flow.tp_dst.mask
# Type and code are 8 bits each, in places of 16.
_ICMP_MASK = 0xFF << Flow.tp_src.shift | 0xFF << Flow.tp_dst.shift

_NSH_FIXED = Flow.nsh_mdtype.mask | Flow.nsh_np.mask
_NSH_CONTEXT = sum(bits.mask for bits in Flow.nsh_context)
_NSH_BITS = (
    _NSH_FIXED | _NSH_CONTEXT | Flow.nsh_flags.mask | Flow.nsh_ttl.mask | Flow.nsh_path_hdr.mask
)
_IPV6_LABEL_UPPER = 0xFFF00000 << Flow.ipv6_label.shift
_ECN_BITS = IP_ECN_MASK << Flow.nw_tos.shift
_COMMITTED = PACKET_MASK | Flow.packet_type.mask | Flow.skb_priority.mask | Flow.pkt_mark.mask
_TUNNEL_DST = Flow.tun_dst.mask | Flow.tun_ipv6_dst.mask


def commit(ctx: XlateCtx) -> None:
    """Append the actions that turn the datapath's packet into the flow.

    Header changes that no datapath can make put the flow on the slow path.
    """
    flow, base = ctx.flow, ctx.base_flow
    ctx.wc.fill(Flow.packet_type)
    differ = (flow.key ^ base.key) & _COMMITTED
    if not (differ or ctx.pending_encap or ctx.pending_decap):
        return
    n_before = len(ctx.actions)
    commit_encap_decap(ctx)
    if flow.packet_type == PT_ETHERNET and base.packet_type == PT_ETHERNET:
        _commit_part(ctx, _ETHERNET, ctx.wc.key)
    _commit_part(ctx, _PBB, ctx.wc.key)
    # What was behind labels can only be written once they are off.
    labels_first = is_mpls(base) and not is_mpls(flow)
    if labels_first:
        commit_labels(ctx)
    _commit_nsh(ctx)
    if flow.nw_proto:
        _commit_network(ctx)
        if is_ip(base) and flow.nw_proto in _PORTS:
            _commit_part(ctx, _PORTS[flow.nw_proto], ctx.wc.key)
    _commit_icmp(ctx)
    if not labels_first:
        commit_labels(ctx)
    _commit_tags(ctx)
    _commit_part(ctx, _PRIORITY, ctx.wc.key)
    _commit_part(ctx, _MARK, ctx.wc.key)
    if ctx.bridge.openflow_full and any(map(_takes_off, ctx.actions[n_before:])):
        ctx.actions.append(Pad())


def _takes_off(action: OdpAction) -> bool:
    return isinstance(action, PopVlan | PopMpls)


def _commit_part(ctx: XlateCtx, part: _Part, wc: int) -> bool:
    """Write the members that differ, as far as ``wc`` covers them; True if there are any."""
    flow, base = ctx.flow.key, ctx.base_flow.key
    differ = (flow ^ base) & part.mask
    if not differ:
        return False
    mask = sum(bits.mask & wc for bits in part.members if bits.mask & differ)
    whole = mask == part.mask and not part.has_fixed
    ctx.actions.append(Set(part.part, flow & mask, mask, is_masked=not whole))
    ctx.base_flow.key = base & ~part.mask | flow & part.mask
    return True


def _commit_network(ctx: XlateCtx) -> None:
    flow, base, wc = ctx.flow, ctx.base_flow, ctx.wc.key
    if base.key & _TUNNEL_DST and not (flow.key ^ base.key) & _ECN_BITS:
        wc &= ~_ECN_BITS
    ethertype = base.dl_type
    needs_help = False
    if ethertype == ETH_TYPE_IP:
        _commit_part(ctx, _IPV4, wc)
    elif ethertype == ETH_TYPE_IPV6:
        _commit_part(ctx, _IPV6, wc & ~_IPV6_LABEL_UPPER)
        if base.nw_proto == IPPROTO_ICMPV6:
            # The extensions go first: they make room for the options.
            needs_help = _commit_part(ctx, _ND_EXTENSIONS, wc)
            needs_help |= _commit_part(ctx, _ND, wc)
    elif ethertype == ETH_TYPE_ARP:
        needs_help = _commit_part(ctx, _ARP, wc)
    if needs_help:
        ctx.slow |= SlowPath.ACTION


def _commit_icmp(ctx: XlateCtx) -> None:
    flow, base = ctx.flow, ctx.base_flow
    part = _ICMP.get((flow.dl_type, flow.nw_proto))
    if part is None or not (flow.key ^ base.key) & _ICMP_MASK:
        return
    ctx.actions.append(Set(part, flow.key & _ICMP_MASK, _ICMP_MASK, is_masked=False))
    base.key = base.key & ~_ICMP_BITS | flow.key & _ICMP_MASK
    ctx.wc.key |= _ICMP_MASK
    ctx.slow |= SlowPath.ACTION


def _commit_nsh(ctx: XlateCtx) -> None:
    flow, base = ctx.flow, ctx.base_flow
    if flow.dl_type != ETH_TYPE_NSH or not (flow.key ^ base.key) & _NSH_BITS:
        return
    mask = ctx.wc.key & _NSH_BITS & ~_NSH_FIXED
    ctx.actions.append(Set(KeyPart.NSH, flow.key & mask, mask))
    base.key = base.key & ~_NSH_BITS | flow.key & _NSH_BITS


def _commit_tags(ctx: XlateCtx) -> None:
    """Pop tags from the datapath's packet down to what both have in common, and push the rest."""
    flow, base = ctx.flow, ctx.base_flow
    n_base, n_flow = count_tags(base), count_tags(flow)
    while n_base and n_flow and tag(base, n_base - 1) == tag(flow, n_flow - 1):
        n_base -= 1
        n_flow -= 1
    for index in reversed(range(n_base)):
        ctx.actions.append(PopVlan())
        for bits in VLANS[index]:
            ctx.wc.fill(bits)
    for index in reversed(range(n_flow)):
        ctx.actions.append(PushVlan(*tag(flow, index)))
    copy_tags(flow, base)


def commit_tunnel(ctx: XlateCtx) -> None:
    """Tell the datapath of the tunnel, as metadata."""
    wanted = ctx.flow.key & TUNNEL_MASK
    if came_by_tunnel(wanted) and wanted != ctx.base_flow.key & TUNNEL_MASK:
        ctx.base_flow.key = ctx.base_flow.key & ~TUNNEL_MASK | wanted
        ctx.actions.append(Set(KeyPart.TUNNEL, wanted, TUNNEL_MASK, is_masked=False))
