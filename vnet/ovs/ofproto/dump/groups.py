"""Groups as ``ovs-ofctl dump-groups`` and ``dump-group-stats`` list them, by their numbers."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.flow.protocols import P_OF15_OXM
from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.groups.group import GroupEntry
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import GROUP_ALL
from vnet.ovs.openflow.text.flow_print import duration_text
from vnet.ovs.openflow.text.group_print import group_text
from vnet.ovs.openflow.text.group_sending import group_as_sent
from vnet.ovs.openflow.version import OpenFlowVersion, version_of


def dump_groups(
    bridge: Ofproto,
    protocol: int = P_OF15_OXM,
    names: Names = NO_NAMES,
    group_id: int = GROUP_ALL,
) -> Iterator[str]:
    """A line for each group, or for one, without the space that stands before it.

    ``protocol`` (of ``vnet.ovs.flow.protocols``) is the one by which the groups are asked for.
    """
    for entry in _entries(bridge, group_id):
        yield group_text(
            group_as_sent(entry.as_mod(), protocol, openflow_full=True), names, version_of(protocol)
        )


def dump_group_stats(
    bridge: Ofproto,
    version: OpenFlowVersion = OpenFlowVersion.OF15,
    group_id: int = GROUP_ALL,
) -> Iterator[str]:
    """What each group has seen, and each of its buckets, which are counted from 0 here.

    Ages came with OpenFlow 1.3; OpenFlow 1.0 has them by Open vSwitch's extension.
    """
    bridge.before_reading_stats()
    now_ns = bridge.scheduler.now_ns
    shows_age = version is OpenFlowVersion.OF10 or version >= OpenFlowVersion.OF13
    for entry in _entries(bridge, group_id):
        parts = [f"group_id={entry.group_id}"]
        if shows_age:
            parts.append(f"duration={duration_text(elapsed_ns(entry.created_ns, now_ns))}")
        parts.append(f"ref_count={entry.ref_count}")
        parts.append(f"packet_count={entry.n_packets},byte_count={entry.n_bytes}")
        parts += [
            f"bucket{number}:packet_count={seen.n_packets},byte_count={seen.n_bytes}"
            for number, seen in enumerate(entry.bucket_stats)
        ]
        yield ",".join(parts)


def _entries(bridge: Ofproto, group_id: int) -> list[GroupEntry]:
    return [
        bridge.groups[number] for number in sorted(bridge.groups) if group_id in (GROUP_ALL, number)
    ]
