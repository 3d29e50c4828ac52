"""What a bridge tells of its groups."""

from __future__ import annotations

from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.groups.group import GroupEntry
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import (
    GROUP_ALL,
    GROUP_MAX,
    GroupCapabilities,
    GroupFeatures,
    GroupLimits,
    GroupStats,
    GroupType,
    action_kinds,
)

_CAPABILITIES = (
    GroupCapabilities.CHAINING | GroupCapabilities.SELECT_LIVENESS | GroupCapabilities.SELECT_WEIGHT
)


def group_features(bridge: Ofproto) -> GroupFeatures:
    """What groups there may be: of each type as many as there are numbers, with any action."""
    limits = GroupLimits(GROUP_MAX, action_kinds(openflow_full=bridge.openflow_full))
    return GroupFeatures(dict.fromkeys(GroupType, limits), _CAPABILITIES)


def chosen_groups(bridge: Ofproto, group_id: int = GROUP_ALL) -> list[GroupEntry]:
    """All groups, or the one with this number if there is one."""
    return [
        bridge.groups[number] for number in sorted(bridge.groups) if group_id in (GROUP_ALL, number)
    ]


def group_stats(bridge: Ofproto, group_id: int = GROUP_ALL) -> list[GroupStats]:
    """What groups have seen, and each of their buckets."""
    bridge.before_reading_stats()
    now_ns = bridge.scheduler.now_ns
    return [
        GroupStats(
            entry.group_id,
            entry.ref_count,
            entry.n_packets,
            entry.n_bytes,
            elapsed_ns(entry.created_ns, now_ns),
            tuple((seen.n_packets, seen.n_bytes) for seen in entry.bucket_stats),
        )
        for entry in chosen_groups(bridge, group_id)
    ]
