"""The part of committing that puts whole headers on and takes them off: Ethernet, NSH, MPLS."""

from __future__ import annotations

from vnet.ovs.dpif.actions import (
    AddMpls,
    KeyPart,
    PopEth,
    PopMpls,
    PopNsh,
    PushEth,
    PushMpls,
    PushNsh,
    Set,
)
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_MPLS, PT_ETHERNET, PT_NAMESPACE_ETHERTYPE
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.packet_types import (
    NSH_MD_TYPE1,
    NSH_MD_TYPE2,
    PT_MPLS,
    PT_MPLS_MC,
    PT_NSH,
    namespace,
)
from vnet.ovs.ofproto.xlate.stacks import (
    ETH_TYPES_MPLS,
    PACKET_MASK,
    count_common_labels,
    count_labels,
    pop_label,
    push_label,
)

_PT_ANY_MPLS = (PT_MPLS, PT_MPLS_MC)
_ADDRESSES = Flow.dl_src.mask | Flow.dl_dst.mask
_OUTER_LSE = Flow.mpls_lse[0]


def commit_encap_decap(ctx: XlateCtx) -> None:
    """Carry out an ``encap`` or ``decap`` that is pending, or a change of the packet's type."""
    if ctx.pending_encap:
        _commit_encap(ctx)
    elif ctx.pending_decap or ctx.flow.packet_type != ctx.base_flow.packet_type:
        _commit_decap(ctx)
    ctx.pending_encap = ctx.pending_decap = False
    ctx.encap_metadata = b""


def _commit_encap(ctx: XlateCtx) -> None:
    flow, base = ctx.flow, ctx.base_flow
    packet_type = flow.packet_type
    if packet_type in _PT_ANY_MPLS:
        commit_labels(ctx, as_headers=True)
        return
    if packet_type == PT_NSH:
        ctx.actions.append(_push_nsh(ctx))
        written = PACKET_MASK
    else:
        ctx.actions.append(PushEth(flow.dl_src, flow.dl_dst))
        written = _ADDRESSES
    written |= Flow.packet_type.mask
    base.key = base.key & ~written | flow.key & written


def _push_nsh(ctx: XlateCtx) -> PushNsh:
    flow = ctx.flow
    metadata = b""
    if flow.nsh_mdtype == NSH_MD_TYPE1:
        metadata = b"".join(flow.get(bits).to_bytes(4, "big") for bits in Flow.nsh_context)
    elif flow.nsh_mdtype == NSH_MD_TYPE2:
        metadata = ctx.encap_metadata
    return PushNsh(
        flags=flow.nsh_flags,
        ttl=flow.nsh_ttl,
        mdtype=flow.nsh_mdtype,
        np=flow.nsh_np,
        path_hdr=flow.nsh_path_hdr,
        metadata=metadata,
    )


def _commit_decap(ctx: XlateCtx) -> None:
    flow, base = ctx.flow, ctx.base_flow
    if namespace(flow.packet_type) == PT_NAMESPACE_ETHERTYPE and base.packet_type == PT_ETHERNET:
        ctx.actions.append(PopEth())
        base.packet_type = flow.packet_type
        base.key &= ~_ADDRESSES
    elif base.packet_type == PT_NSH:
        # What comes to light is looked at after recirculation, so the base may stay as it is.
        ctx.actions.append(PopNsh())
    elif base.packet_type in _PT_ANY_MPLS:
        commit_labels(ctx)


def commit_labels(ctx: XlateCtx, *, as_headers: bool = False) -> None:
    """Make the datapath's label stack that of the flow.

    ``as_headers``: a label pushed becomes a header in front of the whole packet.
    """
    flow, base = ctx.flow, ctx.base_flow
    n_base, n_flow = count_labels(base, None), count_labels(flow, None)
    if not n_base and not n_flow:
        return
    n_common = count_common_labels(flow, n_flow, base, n_base)
    while n_base > n_common:
        if n_base - 1 == n_common and n_flow > n_common:
            # One too many, and one more to come: writing it over saves a pop and a push.
            _set_outer_label(ctx, flow.get(Flow.mpls_lse[n_flow - n_base]))
            n_common += 1
        else:
            n_base = _pop_outer_label(ctx, n_base)
    while n_base < n_flow:
        lse = flow.get(Flow.mpls_lse[n_flow - n_base - 1])
        action = AddMpls if as_headers else PushMpls
        ctx.actions.append(action(lse, flow.dl_type))
        # What is behind stays: it is needed again where a bucket or a patch port returns.
        push_label(base, n_base, flow.dl_type, None, forget_network=False)
        base.put(_OUTER_LSE, lse)
        n_base += 1


def _set_outer_label(ctx: XlateCtx, lse: int) -> None:
    mask = _OUTER_LSE.mask
    ctx.actions.append(Set(KeyPart.MPLS, lse << _OUTER_LSE.shift, mask, is_masked=False))
    ctx.base_flow.put(_OUTER_LSE, lse)


def _pop_outer_label(ctx: XlateCtx, n_base: int) -> int:
    """Pop one of ``n_base`` labels; returns how many are left."""
    ethertype = ctx.flow.dl_type
    # Until the last one is off there are labels behind, whatever follows them in the end.
    another = ethertype not in ETH_TYPES_MPLS and n_base > 1
    ctx.actions.append(PopMpls(ETH_TYPE_MPLS if another else ethertype))
    pop_label(ctx.base_flow, n_base, ethertype, None)
    return n_base - 1
