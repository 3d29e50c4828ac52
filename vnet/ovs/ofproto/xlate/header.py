"""Actions that change headers: VLAN tags, addresses, IP, transport ports, MPLS, TTLs.

Each changes the flow, if the packet has the header at all, and sets in ``wc`` what it depends on.
"""

from __future__ import annotations

from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.flow.flow import CFI, FRAG_LATER, N_MPLS_LABELS, Bits, Flow
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP, ETH_TYPE_NSH, ETH_TYPE_VLAN_8021Q
from vnet.ovs.ofproto.xlate.commit import commit
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.controller import send_to_controller
from vnet.ovs.ofproto.xlate.loop import Place, Verdict, carries_out, carries_out_in_place
from vnet.ovs.ofproto.xlate.packet_types import PT_NSH
from vnet.ovs.ofproto.xlate.stacks import (
    ETH_TYPES_MPLS,
    IP_DSCP_MASK,
    IP_ECN_MASK,
    MPLS_LABEL_MASK,
    MPLS_LABEL_SHIFT,
    MPLS_TC_MASK,
    MPLS_TC_SHIFT,
    MPLS_TTL_MASK,
    VLAN_PCP_MASK,
    VLAN_PCP_SHIFT,
    VLAN_VID_MASK,
    count_labels,
    is_mpls,
    pop_label,
    pop_tag,
    push_label,
    push_plain_label,
    push_tag,
)
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.ofpacts import PacketInReason

_OUTER_LSE = Flow.mpls_lse[0]

# -- Ethernet and VLAN


@carries_out(ofpacts.SetEthSrc)
def _set_eth_src(ctx: XlateCtx, action: ofpacts.SetEthSrc) -> None:
    ctx.wc.fill(Flow.dl_src)
    ctx.flow.dl_src = action.mac


@carries_out(ofpacts.SetEthDst)
def _set_eth_dst(ctx: XlateCtx, action: ofpacts.SetEthDst) -> None:
    ctx.wc.fill(Flow.dl_dst)
    ctx.flow.dl_dst = action.mac


@carries_out(ofpacts.SetVlanVid)
def _set_vlan_vid(ctx: XlateCtx, action: ofpacts.SetVlanVid) -> None:
    _set_in_tag(ctx, VLAN_VID_MASK, action.vid, push=action.push_vlan_if_needed)


@carries_out(ofpacts.SetVlanPcp)
def _set_vlan_pcp(ctx: XlateCtx, action: ofpacts.SetVlanPcp) -> None:
    tci = action.pcp << VLAN_PCP_SHIFT
    _set_in_tag(ctx, VLAN_PCP_MASK, tci, push=action.push_vlan_if_needed)


def _set_in_tag(ctx: XlateCtx, mask: int, tci: int, *, push: bool) -> None:
    flow = ctx.flow
    ctx.wc.vlan_tci |= mask | CFI
    if push or flow.vlan_tci & CFI:
        flow.vlan_tpid = flow.vlan_tpid or ETH_TYPE_VLAN_8021Q
        flow.vlan_tci = flow.vlan_tci & ~mask | tci | CFI


@carries_out(ofpacts.StripVlan)
def _strip_vlan(ctx: XlateCtx, _action: ofpacts.StripVlan) -> None:
    pop_tag(ctx.flow, ctx.wc)


@carries_out(ofpacts.PushVlan)
def _push_vlan(ctx: XlateCtx, action: ofpacts.PushVlan) -> None:
    push_tag(ctx.flow, ctx.wc, action.ethertype, copies=ctx.bridge.openflow_full)


# -- IP and transport
#
# No datapath changes the IP header of packets of protocol 0, so what is done to others depends on
# their protocol.


@carries_out(ofpacts.SetIpv4Src)
def _set_ipv4_src(ctx: XlateCtx, action: ofpacts.SetIpv4Src) -> None:
    _set_ipv4(ctx, Flow.nw_src, action.ip)


@carries_out(ofpacts.SetIpv4Dst)
def _set_ipv4_dst(ctx: XlateCtx, action: ofpacts.SetIpv4Dst) -> None:
    _set_ipv4(ctx, Flow.nw_dst, action.ip)


def _set_ipv4(ctx: XlateCtx, bits: Bits, address: int) -> None:
    if ctx.flow.dl_type == ETH_TYPE_IP:
        ctx.wc.fill(bits)
        ctx.wc.fill(Flow.nw_proto)
        ctx.flow.put(bits, address)


@carries_out(ofpacts.SetIpDscp)
def _set_ip_dscp(ctx: XlateCtx, action: ofpacts.SetIpDscp) -> None:
    _set_tos(ctx, IP_DSCP_MASK, action.tos)


@carries_out(ofpacts.SetIpEcn)
def _set_ip_ecn(ctx: XlateCtx, action: ofpacts.SetIpEcn) -> None:
    _set_tos(ctx, IP_ECN_MASK, action.ecn)


def _set_tos(ctx: XlateCtx, mask: int, value: int) -> None:
    if is_ip(ctx.flow):
        ctx.wc.nw_tos |= mask
        ctx.wc.fill(Flow.nw_proto)
        ctx.flow.nw_tos = ctx.flow.nw_tos & ~mask | value


@carries_out(ofpacts.SetIpTtl)
def _set_ip_ttl(ctx: XlateCtx, action: ofpacts.SetIpTtl) -> None:
    if is_ip(ctx.flow):
        ctx.wc.fill(Flow.nw_ttl)
        ctx.wc.fill(Flow.nw_proto)
        ctx.flow.nw_ttl = action.ttl


@carries_out(ofpacts.SetL4SrcPort)
def _set_l4_src_port(ctx: XlateCtx, action: ofpacts.SetL4SrcPort) -> None:
    _set_port(ctx, Flow.tp_src, action.port)


@carries_out(ofpacts.SetL4DstPort)
def _set_l4_dst_port(ctx: XlateCtx, action: ofpacts.SetL4DstPort) -> None:
    _set_port(ctx, Flow.tp_dst, action.port)


def _set_port(ctx: XlateCtx, bits: Bits, port: int) -> None:
    if is_ip(ctx.flow) and not ctx.flow.nw_frag & FRAG_LATER:
        ctx.wc.fill(Flow.nw_proto)
        ctx.wc.fill(bits)
        ctx.flow.put(bits, port)


# -- TTLs that end


@carries_out_in_place(ofpacts.DecTtl)
def _dec_ttl(ctx: XlateCtx, action: ofpacts.DecTtl, _place: Place) -> Verdict:
    flow = ctx.flow
    ctx.wc.fill(Flow.nw_ttl)
    ctx.wc.fill(Flow.nw_proto)
    if not is_ip(flow):
        return Verdict.NEXT
    if flow.nw_ttl > 1:
        flow.nw_ttl -= 1
        return Verdict.NEXT
    for controller_id in action.controller_ids:
        send_to_controller(ctx, PacketInReason.INVALID_TTL, controller_id=controller_id)
    version = 4 if flow.dl_type == ETH_TYPE_IP else 6
    ctx.warn(f"IPv{version} decrement TTL exception")
    return Verdict.STOP


@carries_out_in_place(ofpacts.DecMplsTtl)
def _dec_mpls_ttl(ctx: XlateCtx, _action: ofpacts.DecMplsTtl, _place: Place) -> Verdict:
    if is_mpls(ctx.flow):
        ctx.wc.key |= MPLS_TTL_MASK << _OUTER_LSE.shift
        lse = ctx.flow.get(_OUTER_LSE)
        if lse & MPLS_TTL_MASK > 1:
            ctx.flow.put(_OUTER_LSE, lse - 1)
            return Verdict.NEXT
        send_to_controller(ctx, PacketInReason.INVALID_TTL)
    ctx.warn("MPLS decrement TTL exception")
    return Verdict.STOP


@carries_out_in_place(ofpacts.DecNshTtl)
def _dec_nsh_ttl(ctx: XlateCtx, _action: ofpacts.DecNshTtl, _place: Place) -> Verdict:
    flow = ctx.flow
    if flow.packet_type == PT_NSH or flow.dl_type == ETH_TYPE_NSH:
        ctx.wc.fill(Flow.nsh_ttl)
        if flow.nsh_ttl > 1:
            flow.nsh_ttl -= 1
            return Verdict.NEXT
        send_to_controller(ctx, PacketInReason.INVALID_TTL)
    ctx.warn("NSH decrement TTL exception")
    return Verdict.STOP


# -- MPLS


@carries_out(ofpacts.SetMplsLabel)
def _set_mpls_label(ctx: XlateCtx, action: ofpacts.SetMplsLabel) -> None:
    _set_in_label(ctx, MPLS_LABEL_MASK, action.label << MPLS_LABEL_SHIFT)


@carries_out(ofpacts.SetMplsTc)
def _set_mpls_tc(ctx: XlateCtx, action: ofpacts.SetMplsTc) -> None:
    _set_in_label(ctx, MPLS_TC_MASK, action.tc << MPLS_TC_SHIFT)


@carries_out(ofpacts.SetMplsTtl)
def _set_mpls_ttl(ctx: XlateCtx, action: ofpacts.SetMplsTtl) -> None:
    _set_in_label(ctx, MPLS_TTL_MASK, action.ttl)


def _set_in_label(ctx: XlateCtx, mask: int, value: int) -> None:
    if is_mpls(ctx.flow):
        ctx.wc.key |= mask << _OUTER_LSE.shift
        ctx.flow.put(_OUTER_LSE, ctx.flow.get(_OUTER_LSE) & ~mask | value & mask)


@carries_out(ofpacts.PushMpls)
def _push_mpls(ctx: XlateCtx, action: ofpacts.PushMpls) -> None:
    n_labels = count_labels(ctx.flow, ctx.wc)
    if n_labels >= N_MPLS_LABELS:
        too_many_labels(ctx, "an MPLS push action can't be performed as it would have")
        return
    if not n_labels:
        commit(ctx)
    if ctx.bridge.openflow_full and not n_labels:
        push_plain_label(ctx.flow, action.ethertype, ctx.wc)
    else:
        push_label(ctx.flow, n_labels, action.ethertype, ctx.wc, forget_network=True)


@carries_out(ofpacts.PopMpls)
def _pop_mpls(ctx: XlateCtx, action: ofpacts.PopMpls) -> None:
    n_labels = count_labels(ctx.flow, ctx.wc)
    if pop_label(ctx.flow, n_labels, action.ethertype, ctx.wc):
        if action.ethertype not in ETH_TYPES_MPLS:
            ctx.was_mpls = True
    elif n_labels >= N_MPLS_LABELS:
        too_many_labels(ctx, "an MPLS pop action can't be performed as it has")
        ctx.actions.clear()


def too_many_labels(ctx: XlateCtx, what: str) -> None:
    """End the translation: the stack is, or would be, deeper than a flow can tell."""
    if ctx.in_.frame is not None:
        ctx.fail(
            f"dropping packet on which {what} more MPLS LSEs than the {N_MPLS_LABELS} supported."
        )
    ctx.error = DropCause.TOO_MANY_MPLS_LABELS
