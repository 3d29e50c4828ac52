"""Actions that steer the translation itself or do little to the packet."""

from __future__ import annotations

from vnet.ovs.dpif.actions import Meter as OdpMeter
from vnet.ovs.dpif.cookies import SlowPath
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OFPP_LOCAL, OFPP_UNSET, OfpPort
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP, ETH_TYPE_IPV6
from vnet.ovs.ofproto.xlate.cache import FinTimeoutEffect
from vnet.ovs.ofproto.xlate.commit import commit
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.freeze import trigger_freeze, trigger_recirculate_behind_meter
from vnet.ovs.ofproto.xlate.loop import Place, Verdict, carries_out, carries_out_in_place
from vnet.ovs.ofproto.xlate.report import NodeKind
from vnet.ovs.ofproto.xlate.report_text import report_action_set
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.ofpacts import Group, Ofpacts, Output

_REMARKED = frozenset((ETH_TYPE_IP, ETH_TYPE_IPV6))


@carries_out(ofpacts.Exit)
def _exit(ctx: XlateCtx, _action: ofpacts.Exit) -> None:
    ctx.exit = True


@carries_out(ofpacts.Note)
def _note(_ctx: XlateCtx, _action: ofpacts.Note) -> None:
    """A note says something to people only."""


@carries_out(ofpacts.Conjunction)
def _conjunction(ctx: XlateCtx, _action: ofpacts.Conjunction) -> None:
    # Flows with clauses are never met, but packet-outs may have this action.
    ctx.fail("executing no-op conjunction action")


@carries_out_in_place(ofpacts.Meter)
def _meter(ctx: XlateCtx, action: ofpacts.Meter, place: Place) -> Verdict:
    meter = ctx.bridge.meters.get(action.meter_id)
    if meter is None:
        return Verdict.NEXT
    if not meter.may_remark or ctx.flow.dl_type not in _REMARKED:
        ctx.actions.append(OdpMeter(meter.datapath_id))
    elif _only_leaves(ctx, place):
        commit(ctx)
        ctx.actions.append(OdpMeter(meter.datapath_id))
    else:
        # What comes behind has to see the DSCP that comes out.
        trigger_recirculate_behind_meter(ctx, meter.datapath_id)
    return Verdict.NEXT


def _only_leaves(ctx: XlateCtx, place: Place) -> bool:
    """Whether nothing is left to do but to send the packet out of ports, whatever its DSCP is."""
    if not place.is_in_last_list or ctx.bridge.switching.mirrors:
        return False
    return all(isinstance(one, Output) and _asks_nothing(ctx, one.port) for one in place.rest)


def _asks_nothing(ctx: XlateCtx, number: OfpPort) -> bool:
    """Whether a port sends packets as they are, in its own datapath and by its own wire."""
    port = ctx.bridge.ports.get(number)
    if port is None or port.odp_port is None or number == OFPP_LOCAL:
        return False
    return port.peer is None and port.tunnel is None and not port.queue_dscp


@carries_out(ofpacts.FinTimeout)
def _fin_timeout(ctx: XlateCtx, action: ofpacts.FinTimeout) -> None:
    ctx.wc.fill(Flow.nw_proto)
    if ctx.rule is None:
        return
    effect = FinTimeoutEffect(
        ctx.bridge, ctx.rule, action.fin_idle_timeout_s, action.fin_hard_timeout_s
    )
    if ctx.in_.allow_side_effects:
        effect.end(ctx.in_.tcp_flags)
    if ctx.in_.cache is not None:
        ctx.in_.cache.add(effect)


# -- the action set


@carries_out(ofpacts.ClearActions)
def _clear_actions(ctx: XlateCtx, _action: ofpacts.ClearActions) -> None:
    report_action_set(ctx, "was")
    ctx.action_set.clear()
    ctx.flow.actset_output = OFPP_UNSET
    ctx.action_set_has_group = False


@carries_out(ofpacts.WriteActions)
def _write_actions(ctx: XlateCtx, action: ofpacts.WriteActions) -> None:
    write_actions(ctx, action.actions)
    report_action_set(ctx, "is")


def write_actions(ctx: XlateCtx, actions: Ofpacts) -> None:
    """Add to the action set. ``actset_output`` is where it will output to, unless to a group."""
    if not ctx.action_set_has_group:
        for action in actions:
            if isinstance(action, Output):
                ctx.flow.actset_output = action.port
            elif isinstance(action, Group):
                ctx.flow.actset_output = OFPP_UNSET
                ctx.action_set_has_group = True
                break
    ctx.action_set += actions


# -- after thawing


@carries_out(ofpacts.UnrollXlate)
def _unroll_xlate(ctx: XlateCtx, action: ofpacts.UnrollXlate) -> None:
    ctx.table_id, ctx.rule_cookie = action.rule_table_id, action.rule_cookie
    # Open vSwitch shows the cookie's bytes in the wrong order.
    cookie = int.from_bytes(action.rule_cookie.to_bytes(8, "big"), "little")
    cookie_text = f"{cookie:#x}" if cookie else "0"
    ctx.report(NodeKind.THAW, f"restored state: table={action.rule_table_id}, cookie={cookie_text}")


# -- for tests


@carries_out_in_place(ofpacts.DebugRecirc)
def _debug_recirc(ctx: XlateCtx, _action: ofpacts.DebugRecirc, _place: Place) -> Verdict:
    trigger_freeze(ctx)
    return Verdict.DONE


@carries_out(ofpacts.DebugSlow)
def _debug_slow(ctx: XlateCtx, _action: ofpacts.DebugSlow) -> None:
    ctx.slow |= SlowPath.ACTION
