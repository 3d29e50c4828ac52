"""The mask of a translation: what it begins with, and what is taken out of it in the end."""

from __future__ import annotations

from vnet.ovs.flow import tunnel_flags
from vnet.ovs.flow.flow import CFI, FRAG_LATER, Flow
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_PBB,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    PT_ETHERNET,
)
from vnet.ovs.ofproto.tunnel.ports import came_by_tunnel
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.recirc import REGS_MASK, TUNNEL_MASK
from vnet.ovs.ofproto.xlate.stacks import (
    ETH_TYPES_MPLS,
    ETH_TYPES_VLAN,
    IP_DSCP_MASK,
    IP_ECN_MASK,
    VLANS,
)

_ALWAYS = Flow.packet_type.mask | Flow.in_port.mask | Flow.dl_type.mask | Flow.recirc_id.mask
_FRAG_BITS = 0x3 << Flow.nw_frag.shift

_PIPELINE = REGS_MASK | Flow.metadata.mask | Flow.actset_output.mask | Flow.conj_id.mask
"""What only tables and actions know: a datapath cannot match it, and need not."""

_ADDRESSES = Flow.dl_src.mask | Flow.dl_dst.mask
_PORTS = Flow.tp_src.mask | Flow.tp_dst.mask
_PORTS_UPPER = 0xFF00 << Flow.tp_src.shift | 0xFF00 << Flow.tp_dst.shift
_LABELS = sum(bits.mask for bits in Flow.mpls_lse)
_TUNNEL_DST = Flow.tun_dst.mask | Flow.tun_ipv6_dst.mask
_TUNNEL = (
    Flow.tun_id.mask
    | Flow.tun_tos.mask
    | (tunnel_flags.DONT_FRAGMENT | tunnel_flags.CHECKSUM | tunnel_flags.KEY)
    << Flow.tun_flags.shift
)
_TUNNEL_V4 = _TUNNEL | Flow.tun_src.mask | Flow.tun_dst.mask
_TUNNEL_V6 = _TUNNEL | Flow.tun_ipv6_src.mask | Flow.tun_ipv6_dst.mask
"""What packets out of tunnels are told apart by, whatever tables look at."""
_NETFLOW = (
    Flow.nw_proto.mask
    | Flow.nw_src.mask
    | Flow.nw_dst.mask
    | Flow.nw_tos.set(0, IP_DSCP_MASK)
    | _PORTS
)
"""What tells flows apart that NetFlow counts."""
_ICMP = ((ETH_TYPE_IP, IPPROTO_ICMP), (ETH_TYPE_IPV6, IPPROTO_ICMPV6))


def begin_wildcards(ctx: XlateCtx) -> None:
    """What every translation depends on."""
    ctx.wc.key |= _ALWAYS
    if is_ip(ctx.flow):
        ctx.wc.key |= _FRAG_BITS
    if ctx.bridge.sampling.has_netflow and ctx.flow.dl_type == ETH_TYPE_IP:
        ctx.wc.key |= _NETFLOW
    if came_by_tunnel(ctx.flow.key):
        ctx.flow.tun_flags &= ~tunnel_flags.GENEVE
        ctx.wc.key |= _TUNNEL_V4 if ctx.flow.tun_dst else _TUNNEL_V6
        if is_ip(ctx.flow) and ctx.flow.tun_tos & IP_ECN_MASK == IP_ECN_MASK:
            ctx.wc.nw_tos |= IP_ECN_MASK


def finish_wildcards(ctx: XlateCtx) -> None:
    """Take out what a datapath cannot match, and headers that only actions have put in."""
    wc, received = ctx.wc, ctx.in_.flow
    wc.key &= ~_PIPELINE
    if received.packet_type != PT_ETHERNET:
        wc.key &= ~_ADDRESSES
    if (ctx.flow.dl_type, ctx.flow.nw_proto) in _ICMP:
        # Type and code have 8 bits each.
        wc.key &= ~_PORTS_UPPER
    for _, tci in VLANS:
        if wc.get(tci):
            wc.key |= CFI << tci.shift
    if ctx.flow.nw_frag & FRAG_LATER:
        # A flow may ask for ports without asking for fragments that have them.
        wc.key &= ~_PORTS
    if received.dl_type not in ETH_TYPES_MPLS:
        wc.key &= ~_LABELS
    if received.dl_type != ETH_TYPE_PBB:
        wc.clear(Flow.pbb_tci)
    for tpid, tci in VLANS:
        if received.get(tpid) not in ETH_TYPES_VLAN:
            wc.clear(tpid)
            wc.clear(tci)
    if not received.key & _TUNNEL_DST:
        wc.key &= ~TUNNEL_MASK
    elif received.tun_flags & tunnel_flags.GENEVE:
        wc.tun_flags |= tunnel_flags.GENEVE
