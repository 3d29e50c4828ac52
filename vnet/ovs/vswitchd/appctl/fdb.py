"""``fdb/...``: the stations that bridges have learned."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.ofproto.dump.fdb import dump_fdb, dump_fdb_stats
from vnet.ovs.vswitchd.appctl.command import bridge_named, bridges_named
from vnet.ovs.vswitchd.reconcile import Vswitchd


def show(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``fdb/show bridge``."""
    return "\n".join(dump_fdb(bridge_named(vswitchd, words[0])))


def stats_show(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``fdb/stats-show bridge``."""
    return "\n".join(dump_fdb_stats(bridge_named(vswitchd, words[0])))


def flush(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``fdb/flush [bridge]``."""
    for bridge in bridges_named(vswitchd, words):
        bridge.before_reading_stats()
        bridge.switching.mac_table.flush()
    vswitchd.backer.revalidator.settle()
    return "table successfully flushed"
