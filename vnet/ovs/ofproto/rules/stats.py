"""What a bridge tells of a flow that it has, or had."""

from __future__ import annotations

from vnet.base.units import NS_PER_S
from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.selection import Selection
from vnet.ovs.openflow.messages import FlowRemoved, FlowStats, FlowStatsRequest, RemovedReason


def selection_asked(request: FlowStatsRequest) -> Selection:
    """The flows that a request for statistics means."""
    return Selection(
        request.table_id,
        request.match,
        None,
        request.cookie,
        request.cookie_mask,
        request.out_port,
        request.out_group,
    )


def stats_of(rule: Rule, now_ns: int) -> FlowStats:
    """All that there is to tell, whatever a version of OpenFlow has words for."""
    return FlowStats(
        rule.table_id,
        rule.priority,
        rule.match,
        rule.cookie,
        elapsed_ns(rule.created_ns, now_ns),
        rule.idle_timeout_s,
        rule.hard_timeout_s,
        rule.n_packets,
        rule.n_bytes,
        rule.actions,
        rule.flags,
        rule.importance,
        elapsed_ns(rule.used_ns, now_ns) // NS_PER_S,
        elapsed_ns(rule.modified_ns, now_ns) // NS_PER_S,
    )


def removal_of(rule: Rule, reason: RemovedReason, now_ns: int) -> FlowRemoved:
    """That a flow is gone, and what it had seen."""
    return FlowRemoved(
        rule.match,
        rule.priority,
        reason,
        rule.cookie,
        rule.table_id,
        elapsed_ns(rule.created_ns, now_ns),
        rule.idle_timeout_s,
        rule.hard_timeout_s,
        rule.n_packets,
        rule.n_bytes,
    )
