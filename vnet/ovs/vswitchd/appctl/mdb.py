"""``mdb/...``: who listens to what multicast group."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.dump.multicast import SNOOPING_OFF, dump_mdb
from vnet.ovs.vswitchd.appctl.command import bridge_named, bridges_named
from vnet.ovs.vswitchd.reconcile import Vswitchd


def show(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``mdb/show bridge``."""
    return "\n".join(dump_mdb(bridge_named(vswitchd, words[0])))


def flush(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``mdb/flush [bridge]``."""
    for bridge in bridges_named(vswitchd, words):
        if bridge.switching.snooping is not None:
            bridge.switching.snooping.table.flush()
        elif words:
            raise OvsTextError(SNOOPING_OFF)
    vswitchd.backer.revalidator.settle()
    return "table successfully flushed"
