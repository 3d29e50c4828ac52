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
from vnet.ovs.flow.protocols import P_OF10_NXM_TID, P_OF10_STD_ANY
from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.rules.selection import Selection
from vnet.ovs.ofproto.rules.stats import stats_of
from vnet.ovs.openflow.messages import DEFAULT_PRIORITY
from vnet.ovs.openflow.text.actions import actions_text
from vnet.ovs.openflow.text.flow_print import flow_stats_text
from vnet.ovs.openflow.version import OpenFlowVersion, version_of
from vnet.ovs.openflow.wire.flow import decode_flow_stats, encode_flow_stats
from vnet.ovs.openflow.wire.kinds import NXST_FLOW_REPLY, OFPST_FLOW_REPLY


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
    version, now_ns = version_of(protocol), bridge.scheduler.now_ns
    is_nxm = version is OpenFlowVersion.OF10 and not protocol & P_OF10_STD_ANY
    kind = NXST_FLOW_REPLY if is_nxm else OFPST_FLOW_REPLY
    for rule in bridge.flows(selection):
        entry = encode_flow_stats(stats_of(rule, now_ns), kind, version)
        for stats in decode_flow_stats(entry, kind, version):
            if is_nxm and not shows_ages:
                stats = stats._replace(idle_age_s=None, hard_age_s=None)
            yield flow_stats_text(stats, names, shows_statistics=shows_statistics)


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
