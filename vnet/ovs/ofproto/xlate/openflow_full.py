"""What OpenFlow can do with packets and Open vSwitch cannot, for bridges that speak it whole.

Most of it lays open, or makes something else of, what the flow knows nothing about. So the datapath
does it at once, and the packet is looked up again.
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.dpif import actions as odp
from vnet.ovs.dpif.actions import KeyPart, OdpAction, Set
from vnet.ovs.flow.flow import CFI, DL_TYPE_NONE, Flow
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_PBB, IPPROTO_IPIP, IPPROTO_IPV6, PT_ETHERNET
from vnet.ovs.ofproto.xlate.commit import commit
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.freeze import trigger_freeze
from vnet.ovs.ofproto.xlate.loop import Place, Verdict, carries_out, carries_out_in_place
from vnet.ovs.ofproto.xlate.stacks import (
    MPLS_BOS_MASK,
    MPLS_TTL_MASK,
    PACKET_MASK,
    VLAN_PCP_MASK,
    VLAN_PCP_SHIFT,
    is_mpls,
)
from vnet.ovs.openflow.ofpacts import CopyTtlIn, CopyTtlOut, PopPbb, PushPbb, SetField

_ISID_MASK = 0x00FFFFFF
_PBB_PCP_SHIFT = 29
_ADDRESSES = Flow.dl_src.mask | Flow.dl_dst.mask
_IP_IN_IP = (IPPROTO_IPIP, IPPROTO_IPV6)
_OUTER, _NEXT = Flow.mpls_lse[0], Flow.mpls_lse[1]


def _look_again(ctx: XlateCtx, *actions: OdpAction) -> Verdict:
    commit(ctx)
    ctx.actions += actions
    trigger_freeze(ctx)
    return Verdict.DONE


# -- backbone headers


@carries_out(PushPbb)
def _push_pbb(ctx: XlateCtx, action: PushPbb) -> None:
    if ctx.flow.packet_type != PT_ETHERNET:
        ctx.warn("no Ethernet header to put a backbone header around")
        return
    commit(ctx)
    tci = _new_tci(ctx.flow, ctx.wc)
    ctx.actions.append(odp.PushPbb(tci))
    for flow in (ctx.flow, ctx.base_flow):
        # All but the addresses is inside now, out of sight.
        flow.key &= ~PACKET_MASK | _ADDRESSES
        flow.dl_type = action.ethertype
        flow.pbb_tci = tci
    ctx.flow.dp_hash = 0


def _new_tci(flow: Flow, wc: Flow) -> int:
    """OpenFlow 1.3.5, section 5.12.1: what the packet has already is copied, the rest is 0."""
    tci = 0
    wc.vlan_tci |= VLAN_PCP_MASK | CFI
    if flow.vlan_tci & CFI:
        tci = flow.vlan_tci >> VLAN_PCP_SHIFT << _PBB_PCP_SHIFT
    if flow.dl_type == ETH_TYPE_PBB:
        wc.pbb_tci |= _ISID_MASK
        tci |= flow.pbb_tci & _ISID_MASK
    return tci


@carries_out_in_place(PopPbb)
def _pop_pbb(ctx: XlateCtx, _action: PopPbb, _place: Place) -> Verdict:
    if ctx.flow.dl_type != ETH_TYPE_PBB or ctx.flow.packet_type != PT_ETHERNET:
        ctx.warn("no backbone header to take off")
        return Verdict.NEXT
    return _look_again(ctx, odp.PopPbb(), odp.Pad())


# -- TTLs from header to header


@carries_out_in_place(CopyTtlOut)
def _copy_ttl_out(ctx: XlateCtx, _action: CopyTtlOut, _place: Place) -> Verdict:
    if not _has_labels(ctx):
        return _look_again(ctx, odp.CopyTtlOut()) if _may_copy(ctx) else Verdict.NEXT
    # Whole labels: a datapath writes one as a whole.
    ctx.wc.fill(_OUTER)
    ctx.wc.key |= MPLS_TTL_MASK << _NEXT.shift
    ttl = ctx.flow.get(_NEXT) & MPLS_TTL_MASK
    ctx.flow.put(_OUTER, ctx.flow.get(_OUTER) & ~MPLS_TTL_MASK | ttl)
    return Verdict.NEXT


@carries_out(CopyTtlIn)
def _copy_ttl_in(ctx: XlateCtx, _action: CopyTtlIn) -> None:
    if not _has_labels(ctx) and not _may_copy(ctx):
        return
    commit(ctx)
    ctx.actions.append(odp.CopyTtlIn())
    if _has_labels(ctx):
        ctx.wc.key |= MPLS_TTL_MASK << _OUTER.shift
        ttl = ctx.flow.get(_OUTER) & MPLS_TTL_MASK
        for flow in (ctx.flow, ctx.base_flow):
            flow.put(_NEXT, flow.get(_NEXT) & ~MPLS_TTL_MASK | ttl)


def _has_labels(ctx: XlateCtx) -> bool:
    """Whether there are two labels at least, so that the flow knows the TTLs of both."""
    if not is_mpls(ctx.flow):
        return False
    ctx.wc.key |= MPLS_BOS_MASK << _OUTER.shift
    return not ctx.flow.get(_OUTER) & MPLS_BOS_MASK


def _may_copy(ctx: XlateCtx) -> bool:
    """Whether there may be two headers with a TTL; what is behind the first no flow knows."""
    if is_mpls(ctx.flow):
        return True
    ctx.wc.fill(Flow.nw_proto)
    if is_ip(ctx.flow) and ctx.flow.nw_proto in _IP_IN_IP:
        return True
    ctx.warn("no two headers with a TTL")
    return False


# -- fields that say what follows


def _set_eth_type(ctx: XlateCtx, value: int) -> OdpAction | None:
    if ctx.flow.dl_type in (DL_TYPE_NONE, value):
        return None
    mask = Flow.dl_type.mask
    return Set(KeyPart.ETHERTYPE, Flow.dl_type.set(0, value), mask, is_masked=False)


def _set_ip_proto(ctx: XlateCtx, value: int) -> OdpAction | None:
    ctx.wc.fill(Flow.nw_proto)
    if ctx.flow.nw_proto == value:
        return None
    mask = Flow.nw_proto.mask
    return Set(KeyPart.PROTOCOL, Flow.nw_proto.set(0, value), mask, is_masked=False)


def _set_mpls_bos(ctx: XlateCtx, value: int) -> OdpAction | None:
    mask = MPLS_BOS_MASK << _OUTER.shift
    ctx.wc.key |= mask
    if bool(ctx.flow.key & mask) == bool(value):
        return None
    return Set(KeyPart.MPLS, mask if value else 0, mask)


_SAYS_WHAT_FOLLOWS: dict[str, Callable[[XlateCtx, int], OdpAction | None]] = {
    "eth_type": _set_eth_type,
    "nw_proto": _set_ip_proto,
    "mpls_bos": _set_mpls_bos,
}


def says_what_follows(action: SetField) -> bool:
    """Whether a packet is another one once the field is set."""
    return action.field.name in _SAYS_WHAT_FOLLOWS


def set_what_follows(ctx: XlateCtx, action: SetField) -> Verdict:
    """Set such a field, if the packet has it."""
    if not action.field.are_prereqs_ok(ctx.flow, ctx.wc):
        ctx.warn(f"unmet prerequisites for {action.field.name}, set_field ignored")
        return Verdict.NEXT
    field = action.field
    value = field.get(ctx.flow) & ~action.mask | action.value & action.mask
    change = _SAYS_WHAT_FOLLOWS[field.name](ctx, value)
    return Verdict.NEXT if change is None else _look_again(ctx, change)
