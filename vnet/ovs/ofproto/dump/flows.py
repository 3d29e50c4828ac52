"""Flows as ``ovs-ofctl dump-flows``, ``dump-aggregate`` and ``ovs-appctl bridge/dump-flows`` list
them.

What a client prints is what a switch could send it. By one version of OpenFlow there are flags
and ages, by another there are not, and actions appear as the version has them.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.units import NS_PER_S
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.flow.protocols import P_OF10_NXM_TID
from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.selection import Selection
from vnet.ovs.openflow.messages import (
    DEFAULT_PRIORITY,
    FlowFlags,
    FlowMod,
    FlowModCommand,
)
from vnet.ovs.openflow.text.actions import actions_text
from vnet.ovs.openflow.text.flow_print import FlowStatistics, flow_text
from vnet.ovs.openflow.text.match_sending import match_as_sent
from vnet.ovs.openflow.version import OpenFlowVersion, version_of
from vnet.ovs.openflow.wire.actions import as_sent

_MAX_AGE_S = 0xFFFF
_MAX_AGE_NXM_S = 0xFFFE
"""NXM sends an age plus 1 in 16 bits."""


def dump_flows(
    bridge: Ofproto,
    protocol: int = P_OF10_NXM_TID,
    names: Names = NO_NAMES,
    selection: Selection | None = None,
    *,
    shows_statistics: bool = True,
    shows_ages: bool = True,
) -> Iterator[str]:
    """A line for each flow, without the space that stands before it.

    ``protocol`` (of ``vnet.ovs.flow.protocols``) is the one by which the flows are asked for. A
    client that sorts or names what it gets has no ages by OpenFlow 1.0.
    """
    now_ns = bridge.scheduler.now_ns
    for rule in bridge.flows(selection):
        statistics = None
        if shows_statistics:
            statistics = _statistics(rule, protocol, now_ns, shows_ages)
        yield flow_text(_shown(rule, protocol), names, statistics)


def dump_aggregate(bridge: Ofproto, selection: Selection | None = None) -> str:
    """The counters of all flows together, or of those selected."""
    rules = list(bridge.flows(selection))
    n_packets = sum(rule.n_packets for rule in rules)
    n_bytes = sum(rule.n_bytes for rule in rules)
    return f"packet_count={n_packets} byte_count={n_bytes} flow_count={len(rules)}"


def dump_all_flows(bridge: Ofproto, *, shows_offload: bool = False) -> Iterator[str]:
    """All flows, the switch's own ones too (``ovs-appctl bridge/dump-flows``); ``shows_offload``
    adds what hardware has carried out, which is nothing."""
    offloaded = "n_offload_packets=0, n_offload_bytes=0, " if shows_offload else ""
    bridge.before_reading_stats()
    now_ns = bridge.scheduler.now_ns
    for table in bridge.tables:
        for rule in table.classifier:
            shown = f"table_id={rule.table_id}, " if rule.table_id else ""
            priority = None if rule.priority == DEFAULT_PRIORITY else rule.priority
            yield (
                f"{shown}duration={elapsed_ns(rule.created_ns, now_ns) // NS_PER_S}s, "
                f"n_packets={rule.n_packets}, n_bytes={rule.n_bytes}, {offloaded}"
                f"{match_text(rule.match, NO_NAMES, priority)},"
                f"actions={actions_text(rule.actions)}"
            )


def _shown(rule: Rule, protocol: int) -> FlowMod:
    """What of a rule arrives by ``protocol``."""
    version = version_of(protocol)
    flags = FlowFlags.NONE
    if version >= OpenFlowVersion.OF13:
        flags = rule.flags
    return FlowMod(
        FlowModCommand.ADD,
        match_as_sent(rule.match, protocol),
        rule.priority,
        rule.table_id,
        new_cookie=rule.cookie,
        idle_timeout_s=rule.idle_timeout_s,
        hard_timeout_s=rule.hard_timeout_s,
        importance=rule.importance if version >= OpenFlowVersion.OF14 else 0,
        flags=flags,
        actions=as_sent(rule.actions, version, openflow_full=True),
    )


def _statistics(rule: Rule, protocol: int, now_ns: int, shows_ages: bool) -> FlowStatistics:
    version = version_of(protocol)
    idle_age_s = hard_age_s = None
    if version is OpenFlowVersion.OF10 and shows_ages:
        idle_age_s = min(_age_s(rule.used_ns, now_ns), _MAX_AGE_NXM_S)
        hard_age_s = min(_age_s(rule.modified_ns, now_ns), _MAX_AGE_NXM_S)
    elif version >= OpenFlowVersion.OF15:
        idle_age_s = min(_age_s(rule.used_ns, now_ns), _MAX_AGE_S)
    return FlowStatistics(
        elapsed_ns(rule.created_ns, now_ns),
        rule.n_packets,
        rule.n_bytes,
        idle_age_s,
        hard_age_s,
    )


def _age_s(since_ns: int, now_ns: int) -> int:
    return max(0, elapsed_ns(since_ns, now_ns)) // NS_PER_S
