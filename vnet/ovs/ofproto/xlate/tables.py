"""Looking a packet up in a flow table, and carrying out the actions of the rule that it meets."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.flow.flow import FRAG_ANY, STAGE_MASKS, Bits, Flow
from vnet.ovs.flow.ports import OFPP_IN_PORT, OfpPort
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.table import INTERNAL_TABLE
from vnet.ovs.ofproto.xlate.action_size import MAX_ACTIONS_BYTES
from vnet.ovs.ofproto.xlate.cache import RuleCredit, TableCredit
from vnet.ovs.ofproto.xlate.context import (
    MAX_BUCKETS,
    MAX_DEPTH,
    MAX_RESUBMITS,
    MAX_STACK_BYTES,
    XlateCtx,
)
from vnet.ovs.ofproto.xlate.freeze import trigger_freeze
from vnet.ovs.ofproto.xlate.loop import Place, Verdict, carries_out_in_place, do_actions
from vnet.ovs.ofproto.xlate.report_text import report_rule
from vnet.ovs.openflow.messages import FragmentHandling, PortConfig, TableMiss
from vnet.ovs.openflow.ofpacts import TABLE_ALL, GotoTable, Ofpacts, Resubmit

RuleActions = Callable[[XlateCtx, Ofpacts, bool], None]
"""How the actions of a rule are carried out: as they stand, or on a copy of the packet. The
last argument is whether nothing comes after them.
"""


def _as_they_stand(ctx: XlateCtx, actions: Ofpacts, is_last: bool) -> None:
    do_actions(ctx, actions, is_last=is_last)


def lookup(ctx: XlateCtx, in_port: OfpPort, *, may_packet_in: bool, honor_table_miss: bool) -> Rule:
    """The rule that the packet meets in table ``ctx.table_id``, as if it came by ``in_port``.

    A table may hand what it has no rule for to the next one; ``table_id`` becomes the table where
    the search ended. A packet without a rule gets one of the switch's own, which sends it to
    the controller or drops it.
    """
    flow, bridge = ctx.flow, ctx.bridge
    before = flow.key
    if flow.nw_frag & FRAG_ANY and bridge.fragment_handling is not FragmentHandling.NX_MATCH:
        if bridge.fragment_handling is FragmentHandling.DROP:
            ctx.credit(TableCredit(bridge, ctx.table_id, True))
            return bridge.internal.drop_fragments
        # Later fragments have no ports, so no fragment is said to have any.
        flow.tp_src = flow.tp_dst = 0
    own_in_port = flow.in_port
    flow.in_port = in_port
    rule = None
    miss = TableMiss.CONTINUE
    # The switch's own table is nobody's next one; frames that a bond looks up again begin there.
    for table_id in range(ctx.table_id, max(INTERNAL_TABLE, ctx.table_id + 1)):
        ctx.table_id = table_id
        rule = bridge.lookup(table_id, flow, ctx.wc)
        if ctx.learned:
            _heed_learned(ctx, rule)
        ctx.credit(TableCredit(bridge, table_id, rule is not None))
        if rule is not None or not honor_table_miss:
            break
        miss = bridge.tables[table_id].miss
        if miss is not TableMiss.CONTINUE:
            break
    flow.key = before
    if rule is not None:
        return rule
    if may_packet_in and _controller_wants(ctx, miss, OfpPort(own_in_port)):
        return bridge.internal.miss
    return bridge.internal.no_packet_in


def _heed_learned(ctx: XlateCtx, found: Rule | None) -> None:
    """Look at what the flows match that this translation has learned for the present table.

    The packet does not meet them, but Open vSwitch's classifier holds them already and looks.
    """
    for bridge, mod, _limit in ctx.learned:
        is_here = bridge is ctx.bridge and mod.table_id == ctx.table_id
        if is_here and (found is None or mod.priority > found.priority):
            for stage_mask in STAGE_MASKS:
                bits = mod.match.mask & stage_mask
                ctx.wc.key |= bits
                if ctx.flow.key & bits != mod.match.value & bits:
                    break


def _controller_wants(ctx: XlateCtx, miss: TableMiss, in_port: OfpPort) -> bool:
    """Whether a packet that no rule matches is sent to the controller."""
    if miss is TableMiss.DEFAULT:
        return ctx.bridge.wants_packet_in_on_miss
    if miss is TableMiss.DROP:
        return False
    port = ctx.bridge.ports.get(in_port)
    return port is not None and PortConfig.NO_PACKET_IN not in port.config


def has_resources(ctx: XlateCtx) -> bool:
    """Whether translation may go on to more tables and groups; an error if it has gone too far."""
    if ctx.depth >= MAX_DEPTH:
        ctx.fail(f"over max translation depth {MAX_DEPTH}", DropCause.RECURSION_TOO_DEEP)
    elif ctx.resubmits >= MAX_RESUBMITS:
        ctx.fail(f"over {MAX_RESUBMITS} resubmit actions", DropCause.TOO_MANY_RESUBMITS)
    elif ctx.n_buckets >= MAX_BUCKETS:
        ctx.fail(f"over {MAX_BUCKETS} buckets of groups", DropCause.TOO_MANY_RESUBMITS)
    elif ctx.actions_size.of(ctx.actions) > MAX_ACTIONS_BYTES:
        # No error: the flow goes on the slow path for its size alone.
        ctx.fail("resubmits yielded over 64 kB of actions")
        ctx.exit = True
    elif ctx.stack_bytes >= MAX_STACK_BYTES:
        ctx.fail("resubmits yielded over 64 kB of stack", DropCause.STACK_TOO_DEEP)
    else:
        return True
    return False


def do_table(
    ctx: XlateCtx,
    in_port: OfpPort,
    table_id: int,
    *,
    may_packet_in: bool,
    honor_table_miss: bool,
    is_last: bool,
    with_ct_orig: bool = False,
    rule_actions: RuleActions = _as_they_stand,
) -> None:
    """Look the packet up in a table and carry out what the rule says."""
    if ctx.was_mpls:
        trigger_freeze(ctx)
        return
    if not has_resources(ctx):
        return
    outer_table = ctx.table_id
    if with_ct_orig and not (ctx.flow.ct_nw_proto and is_ip(ctx.flow)):
        ctx.fail("resubmit(ct) with non-tracked or non-IP packet!")
        return
    ctx.table_id = table_id
    if with_ct_orig:
        _swap_tuples(ctx)
    rule = lookup(ctx, in_port, may_packet_in=may_packet_in, honor_table_miss=honor_table_miss)
    if with_ct_orig:
        _swap_tuples(ctx)
    outer_trace = ctx.trace
    ctx.trace = report_rule(ctx, rule, table_id)
    _do_rule(ctx, rule, deepens=table_id <= outer_table, is_last=is_last, how=rule_actions)
    ctx.trace = outer_trace
    ctx.table_id = outer_table


def _do_rule(ctx: XlateCtx, rule: Rule, *, deepens: bool, is_last: bool, how: RuleActions) -> None:
    """Only a way back, to the same or an earlier table, counts as deeper: it might not end."""
    outer_rule, outer_cookie = ctx.rule, ctx.rule_cookie
    ctx.credit(RuleCredit(ctx.bridge, rule))
    ctx.resubmits += 1
    ctx.depth += deepens
    ctx.rule, ctx.rule_cookie = rule, rule.cookie
    how(ctx, rule.actions, is_last)
    ctx.rule, ctx.rule_cookie = outer_rule, outer_cookie
    ctx.depth -= deepens


_PORT_PAIRS = (
    (Flow.nw_proto, Flow.ct_nw_proto),
    (Flow.tp_src, Flow.ct_tp_src),
    (Flow.tp_dst, Flow.ct_tp_dst),
)
_IPV4_TUPLE = (*_PORT_PAIRS, (Flow.nw_src, Flow.ct_nw_src), (Flow.nw_dst, Flow.ct_nw_dst))
_IPV6_TUPLE = (
    *_PORT_PAIRS,
    (Flow.ipv6_src, Flow.ct_ipv6_src),
    (Flow.ipv6_dst, Flow.ct_ipv6_dst),
)


def _swap_tuples(ctx: XlateCtx) -> None:
    """Exchange the packet's addresses and ports with those its connection began with."""
    pairs = _IPV4_TUPLE if ctx.flow.dl_type == ETH_TYPE_IP else _IPV6_TUPLE
    for bits, original in pairs:
        _swap(ctx.flow, bits, original)
        _swap(ctx.wc, bits, original)


def _swap(flow: Flow, one: Bits, other: Bits) -> None:
    of_one, of_other = flow.get(one), flow.get(other)
    flow.put(one, of_other)
    flow.put(other, of_one)


@carries_out_in_place(Resubmit)
def _resubmit(ctx: XlateCtx, action: Resubmit, place: Place) -> Verdict:
    is_internal = ctx.rule is not None and ctx.rule.table_id == INTERNAL_TABLE
    do_table(
        ctx,
        OfpPort(ctx.flow.in_port) if action.in_port == OFPP_IN_PORT else action.in_port,
        ctx.table_id if action.table_id == TABLE_ALL else action.table_id,
        # Out of the internal table it is as if the packet had just come in.
        may_packet_in=is_internal,
        honor_table_miss=is_internal,
        with_ct_orig=action.with_ct_orig,
        is_last=place.is_last,
    )
    return Verdict.NESTED


@carries_out_in_place(GotoTable)
def _goto_table(ctx: XlateCtx, action: GotoTable, place: Place) -> Verdict:
    do_table(
        ctx,
        OfpPort(ctx.flow.in_port),
        action.table_id,
        may_packet_in=True,
        honor_table_miss=True,
        is_last=place.is_last,
    )
    return Verdict.NESTED
