"""The ``encap`` and ``decap`` actions: Ethernet, NSH (RFC 8300) and MPLS headers as a whole.

Both only change the flow. The datapath's action comes with the next commit, when it is known what
else has been written into the new header.
"""

from __future__ import annotations

from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.flow.flow import CFI, N_MPLS_LABELS, Flow
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_MPLS,
    ETH_TYPE_NSH,
    PT_ETHERNET,
    PT_NAMESPACE_ETHERTYPE,
)
from vnet.ovs.ofproto.xlate.commit import commit
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.freeze import trigger_freeze
from vnet.ovs.ofproto.xlate.header import too_many_labels
from vnet.ovs.ofproto.xlate.loop import Place, Verdict, carries_out, carries_out_in_place
from vnet.ovs.ofproto.xlate.packet_types import (
    NSH_MD_TYPE1,
    NSH_MD_TYPE2,
    PT_IPV4,
    PT_IPV6,
    PT_MPLS,
    PT_MPLS_MC,
    PT_NSH,
    namespace,
    of_ethertype,
    type_in_namespace,
)
from vnet.ovs.ofproto.xlate.report import NodeKind
from vnet.ovs.ofproto.xlate.stacks import (
    clear_labels,
    clear_packet,
    count_labels,
    pop_label,
    push_label,
)
from vnet.ovs.openflow.ofpacts import Decap, Encap, NshMdType, NshTlv

ETH_TYPE_TEB = 0x6558

_NSH_PROTOCOLS = {PT_IPV4: 1, PT_IPV6: 2, PT_ETHERNET: 3, PT_NSH: 4}
"""RFC 8300 section 2.2, "Next Protocol"."""
_PACKET_TYPES = {protocol: packet_type for packet_type, protocol in _NSH_PROTOCOLS.items()}

_NSH_TTL = 63
_NSH_PATH = 255
"""Service path 0, index 255."""
_MAX_CONTEXT_BYTES = 248


def _unsupported(ctx: XlateCtx, why: str) -> None:
    ctx.report(NodeKind.ACTION, why)
    ctx.error = DropCause.UNSUPPORTED_PACKET_TYPE


def _type_text(packet_type: int) -> str:
    return f"({namespace(packet_type)},{type_in_namespace(packet_type):#x})"


@carries_out(Encap)
def _encap(ctx: XlateCtx, action: Encap) -> None:
    commit(ctx)
    metadata = b""
    if action.new_packet_type == PT_ETHERNET:
        _encap_ethernet(ctx)
    elif action.new_packet_type == PT_NSH:
        metadata = _encap_nsh(ctx, action)
    else:
        _encap_mpls(ctx, action)
        ctx.slow_without("add_mpls")
    if not ctx.has_failed():
        ctx.pending_encap = True
        ctx.encap_metadata = metadata


def _encap_ethernet(ctx: XlateCtx) -> None:
    flow = ctx.flow
    ctx.wc.fill(Flow.packet_type)
    if namespace(flow.packet_type) != PT_NAMESPACE_ETHERTYPE:
        _unsupported(
            ctx,
            "Dropping packet as encap(ethernet) is not supported for packet type ethernet.",
        )
        return
    flow.dl_type = type_in_namespace(flow.packet_type)
    flow.packet_type = PT_ETHERNET
    flow.dl_src = flow.dl_dst = 0


def _encap_nsh(ctx: XlateCtx, action: Encap) -> bytes:
    """Returns the metadata for the header, TLVs of MD type 2."""
    flow = ctx.flow
    protocol = _NSH_PROTOCOLS.get(flow.packet_type)
    if protocol is None:
        _unsupported(
            ctx,
            "Dropping packet as encap(nsh) is not supported for packet type "
            + _type_text(flow.packet_type),
        )
        return b""
    md_type = NSH_MD_TYPE1
    tlvs = b""
    for prop in action.properties:
        if isinstance(prop, NshMdType):
            md_type = prop.md_type
        else:
            tlvs += _tlv_bytes(prop)
    ctx.wc.fill(Flow.packet_type)
    clear_packet(flow)
    flow.packet_type = PT_NSH
    flow.dl_type = ETH_TYPE_NSH
    flow.nsh_ttl = _NSH_TTL
    flow.nsh_np = protocol
    flow.nsh_path_hdr = _NSH_PATH
    flow.nsh_mdtype = md_type
    return tlvs if md_type == NSH_MD_TYPE2 and len(tlvs) <= _MAX_CONTEXT_BYTES else b""


def _tlv_bytes(tlv: NshTlv) -> bytes:
    padding = bytes(-len(tlv.value) % 4)
    head = tlv.tlv_class.to_bytes(2, "big") + bytes((tlv.tlv_type, len(tlv.value)))
    return head + tlv.value + padding


def _encap_mpls(ctx: XlateCtx, action: Encap) -> None:
    flow = ctx.flow
    n_labels = count_labels(flow, ctx.wc)
    if n_labels >= N_MPLS_LABELS:
        too_many_labels(ctx, "an encap MPLS action can't be performed as it would have")
        return
    ctx.wc.fill(Flow.packet_type)
    if flow.packet_type == PT_ETHERNET and flow.dl_type == ETH_TYPE_MPLS:
        # The labels of the frame inside are no longer those of the packet.
        for forgetful in (ctx.wc, flow, ctx.base_flow):
            clear_labels(forgetful)
    flow.packet_type = action.new_packet_type
    push_label(
        flow, n_labels, type_in_namespace(action.new_packet_type), ctx.wc, forget_network=True
    )
    flow.dl_src = flow.dl_dst = 0


@carries_out_in_place(Decap)
def _decap(ctx: XlateCtx, action: Decap, _place: Place) -> Verdict:
    commit(ctx)
    packet_type = ctx.flow.packet_type
    if packet_type == PT_ETHERNET:
        _decap_ethernet(ctx)
        must_look_again = False
    elif packet_type == PT_NSH:
        must_look_again = _decap_nsh(ctx)
    elif packet_type in (PT_MPLS, PT_MPLS_MC):
        must_look_again = _decap_mpls(ctx, action)
    else:
        _unsupported(
            ctx,
            "Dropping packet as the decap() does not support packet type "
            + _type_text(packet_type),
        )
        must_look_again = False
    if not must_look_again:
        return Verdict.NEXT
    trigger_freeze(ctx)
    return Verdict.DONE


def _decap_ethernet(ctx: XlateCtx) -> None:
    flow = ctx.flow
    if flow.vlan_tci & CFI:
        _unsupported(ctx, "Dropping packet, cannot decap Ethernet if VLAN is present.")
        return
    flow.packet_type = of_ethertype(flow.dl_type)
    flow.dl_src = flow.dl_dst = 0


def _decap_nsh(ctx: XlateCtx) -> bool:
    flow = ctx.flow
    packet_type = _PACKET_TYPES.get(flow.nsh_np)
    if packet_type is None:
        _unsupported(ctx, f"Dropping packet as NSH next protocol {flow.nsh_np} is not supported")
        return False
    flow.packet_type = packet_type
    ctx.wc.fill(Flow.nsh_np)
    ctx.pending_decap = True
    return True


def _decap_mpls(ctx: XlateCtx, action: Decap) -> bool:
    """Whether the last label went, so that what it was hiding has to be looked at."""
    flow = ctx.flow
    flow.packet_type = action.new_packet_type
    n_labels = count_labels(flow, ctx.wc)
    ethertype = type_in_namespace(action.new_packet_type) or ETH_TYPE_TEB
    if pop_label(flow, n_labels, ethertype, ctx.wc):
        ctx.slow_without("add_mpls")
        ctx.pending_decap = True
        return n_labels == 1
    if n_labels >= N_MPLS_LABELS:
        too_many_labels(ctx, "an MPLS decap can't be performed as it has")
        ctx.actions.clear()
    return False
