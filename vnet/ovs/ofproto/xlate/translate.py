"""Translation: what a bridge's tables say about one flow, as actions of the datapath.

The result holds for every packet that has the same values in the bits of ``wc``. Nothing outside
changes unless :class:`~vnet.ovs.ofproto.xlate.context.XlateIn` says so; traffic, traces and
revalidation are the same translation with different wishes.
"""

from __future__ import annotations

from vnet.base.deep_calls import deep_calls
from vnet.ovs.dpif.actions import Clone, Drop, DropCause, OdpActions, Output
from vnet.ovs.dpif.cookies import SlowPath
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocol_numbers import CS_TRACKED, PT_ETHERNET
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.tunnel.config import PacketTypes

# These are not called from here: they register what they carry out when they are imported.
from vnet.ovs.ofproto.xlate import (  # noqa: F401
    choose,
    clone,
    conntrack,
    control,
    controller,
    encap,
    groups,
    header,
    metadata,
    openflow_full,
    sending,
)
from vnet.ovs.ofproto.xlate.action_size import MAX_NESTED_BYTES
from vnet.ovs.ofproto.xlate.cache import PatchCredit, RuleCredit
from vnet.ovs.ofproto.xlate.context import NOT_SLOW, XlateCtx, XlateIn, XlateOut
from vnet.ovs.ofproto.xlate.freeze import cancel_freeze
from vnet.ovs.ofproto.xlate.in_band import hear_dhcp
from vnet.ovs.ofproto.xlate.learn import learn_all
from vnet.ovs.ofproto.xlate.loop import do_actions, end_pipeline
from vnet.ovs.ofproto.xlate.mirroring import mirror_ingress, mirror_packet
from vnet.ovs.ofproto.xlate.ports import may_receive, take_over_congestion
from vnet.ovs.ofproto.xlate.report import NodeKind
from vnet.ovs.ofproto.xlate.report_text import report_rule
from vnet.ovs.ofproto.xlate.sampling import complete_sflow, sample_input
from vnet.ovs.ofproto.xlate.special import take_special
from vnet.ovs.ofproto.xlate.tables import lookup
from vnet.ovs.ofproto.xlate.thaw import thaw
from vnet.ovs.ofproto.xlate.wildcards import begin_wildcards, finish_wildcards
from vnet.ovs.openflow.messages import METER_SLOWPATH
from vnet.ovs.openflow.ofpacts import Ofpacts

MAX_OUTPUTS = 1000
"""More outputs than this, and Linux might drop some of the copies: they are sent one by one."""

_NOT_FAULTS = (DropCause.CONGESTION_DROP, DropCause.FORWARDING_DISABLED)
"""Why a packet may end without anybody being wrong."""


def translate(xin: XlateIn) -> XlateOut:
    """Translate a flow, or a rule or actions given for it."""
    ctx = XlateCtx(xin, mirror_packet)
    with deep_calls():
        try:
            _run(ctx)
        except RecursionError:
            # Copies in copies, or groups in groups, at every one of very many tables. This is
            # where Open vSwitch runs out of stack and dies.
            ctx.fail("translation nested too deeply", DropCause.RECURSION_TOO_DEEP)
    learn_all(ctx)
    if ctx.has_failed():
        ctx.slow = NOT_SLOW
        ctx.actions.clear()
    elif ctx.actions:
        # The datapath knows nothing of them. Where there is no other action, it drops by name.
        for lost in ctx.lost_copies:
            ctx.credit(lost)
    return XlateOut(
        actions=_unwrapped(ctx) or (Drop(_end(ctx)),),
        wc=ctx.wc,
        flow=ctx.flow,
        error=DropCause.OK if ctx.error in _NOT_FAULTS else ctx.error,
        slow=ctx.slow,
        slow_meter_id=xin.bridge.datapath_meter(METER_SLOWPATH),
        avoid_caching=ctx.avoid_caching,
        recirc_ids=ctx.recirc_ids,
    )


def _end(ctx: XlateCtx) -> DropCause:
    """Why a packet without actions goes nowhere."""
    if ctx.has_failed() or not ctx.lost_copies:
        return ctx.error
    return ctx.lost_copies[-1].cause


def _run(ctx: XlateCtx) -> None:
    begin_wildcards(ctx)
    port = ctx.bridge.ports.get(OfpPort(ctx.flow.in_port))
    ctx.trace = ctx.report(NodeKind.BRIDGE, f'bridge("{ctx.bridge.name}")')
    if ctx.frozen_state is not None:
        thaw(ctx, ctx.frozen_state)
    elif ctx.flow.recirc_id:
        ctx.fail(
            f"Recirculation context not found for ID {ctx.flow.recirc_id:x}",
            DropCause.NO_RECIRCULATION_CONTEXT,
        )
    elif ctx.flow.ct_state & CS_TRACKED:
        ctx.conntracked = True
    if ctx.has_failed():
        return
    if port is not None and ctx.in_.backer.patch_peer(port) is None:
        ctx.origin = ctx.in_.bridge, port.number
    if port is not None and port.packet_types is PacketTypes.LEGACY_L3:
        _put_ethernet_before(ctx)
    actions = _first_actions(ctx)
    if ctx.frozen_state is None and port is not None and port.tunnel is not None:
        ctx.credit(PatchCredit(tx=None, rx=port))
    _enter(ctx, port, actions)
    if ctx.has_failed() and ctx.error not in _NOT_FAULTS:
        return
    if _is_too_large(ctx):
        ctx.slow |= SlowPath.ACTION
    finish_wildcards(ctx)


def _put_ethernet_before(ctx: XlateCtx) -> None:
    """Tables see Ethernet frames only, whatever a port brings."""
    flow = ctx.flow
    if flow.packet_type != PT_ETHERNET and ctx.table_id == 0:
        flow.packet_type = PT_ETHERNET
        flow.dl_src = flow.dl_dst = 0
        ctx.pending_encap = True


def _first_actions(ctx: XlateCtx) -> Ofpacts:
    """What to begin with: actions that are given or were frozen, else those of a rule."""
    if ctx.in_.actions is not None:
        return ctx.in_.actions
    if ctx.frozen_state is not None and ctx.frozen_state.actions:
        return ctx.frozen_state.actions
    if ctx.rule is None:
        in_port = OfpPort(ctx.flow.in_port)
        ctx.rule = lookup(ctx, in_port, may_packet_in=True, honor_table_miss=True)
        ctx.credit(RuleCredit(ctx.bridge, ctx.rule))
        ctx.trace = report_rule(ctx, ctx.rule, ctx.table_id)
    ctx.rule_cookie = ctx.rule.cookie
    return ctx.rule.actions


def _enter(ctx: XlateCtx, port: OfPort | None, actions: Ofpacts) -> None:
    """Let the packet in, unless its port does not, and carry the actions out."""
    if ctx.frozen_state is None and take_special(ctx, port):
        mirror_ingress(ctx)
        return
    if port is not None:
        bundle = ctx.in_.bridge.switching.bundle_of(port.number)
        if bundle is not None and bundle.output_mirrors:
            ctx.fail(
                f"dropping packet received on port {bundle.name}, "
                "which is reserved exclusively for mirroring"
            )
            return
    if ctx.frozen_state is None:
        # What was frozen has been sampled before that.
        sample_input(ctx)
    if not take_over_congestion(ctx.flow):
        ctx.error = DropCause.CONGESTION_DROP
        return
    if port is not None and not may_receive(ctx.flow, port):
        hear_dhcp(ctx)
        if ctx.frozen_state is None:
            complete_sflow(ctx)
        return
    mirror_ingress(ctx)
    do_actions(ctx, actions, is_last=True)
    if ctx.has_failed():
        return
    if port is None or port.tree.forwards:
        end_pipeline(ctx)
        hear_dhcp(ctx)
        if ctx.frozen_state is None:
            complete_sflow(ctx)
    else:
        # NORMAL and flows that learn have looked at the packet, which ends here all the same.
        ctx.actions.clear()
        cancel_freeze(ctx)
        ctx.action_set.clear()
        ctx.error = DropCause.FORWARDING_DISABLED
        hear_dhcp(ctx)


def _is_too_large(ctx: XlateCtx) -> bool:
    """Whether Open vSwitch would rather carry the actions out itself than hand them on."""
    if ctx.actions_size.of(ctx.actions) > MAX_NESTED_BYTES:
        return True
    return sum(isinstance(action, Output) for action in ctx.actions) > MAX_OUTPUTS


def _unwrapped(ctx: XlateCtx) -> OdpActions:
    """The actions; a copy made for what comes last is not needed."""
    actions = ctx.actions
    if actions and isinstance(actions[-1], Clone):
        return (*actions[:-1], *actions[-1].actions)
    return tuple(actions)
