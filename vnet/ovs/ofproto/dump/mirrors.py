"""What mirrors have copied (ovs-vswitchd.conf.db(5), Mirror table, ``statistics``)."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.ovs.ofproto.ofproto import Ofproto


def mirror_statistics(bridge: Ofproto, name: str) -> Mapping[str, int]:
    """The column of a mirror by its keys, in their order; empty while it runs nowhere."""
    bridge.before_reading_stats()
    for mirror in bridge.switching.mirrors:
        if mirror.name == name:
            return {"tx_bytes": mirror.n_bytes, "tx_packets": mirror.n_packets}
    return {}
