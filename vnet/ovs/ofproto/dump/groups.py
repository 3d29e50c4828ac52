"""Groups as ``ovs-ofctl dump-groups`` and ``dump-group-stats`` list them, by their numbers."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.flow.protocols import P_OF15_OXM
from vnet.ovs.ofproto.group_facts import chosen_groups, group_stats
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import GROUP_ALL
from vnet.ovs.openflow.text.flow_print import duration_text
from vnet.ovs.openflow.text.group_print import group_text
from vnet.ovs.openflow.text.sending import group_as_sent
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
    for entry in chosen_groups(bridge, group_id):
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
    shows_age = version is OpenFlowVersion.OF10 or version >= OpenFlowVersion.OF13
    for stats in group_stats(bridge, group_id):
        parts = [f"group_id={stats.group_id}"]
        if shows_age:
            parts.append(f"duration={duration_text(stats.duration_ns or 0)}")
        parts.append(f"ref_count={stats.ref_count}")
        parts.append(f"packet_count={stats.n_packets},byte_count={stats.n_bytes}")
        parts += [
            f"bucket{number}:packet_count={n_packets},byte_count={n_bytes}"
            for number, (n_packets, n_bytes) in enumerate(stats.buckets)
        ]
        yield ",".join(parts)
