"""``stp/...`` and ``rstp/...``: spanning trees."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from vnet.ovs.ofproto.dump.spanning_tree import dump_trees, trees_of
from vnet.ovs.ofproto.spanning_tree.rstp_bridge import RstpBridge
from vnet.ovs.ofproto.spanning_tree.stp_bridge import StpBridge
from vnet.ovs.ofproto.spanning_tree.tree import SpanningTree
from vnet.ovs.vswitchd.reconcile import Vswitchd


def _show(protocol: type[SpanningTree], vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``stp/show [bridge]``."""
    name = words[0] if words else None
    return "\n".join(dump_trees(vswitchd.bridges.values(), protocol, name))


def _tcn(protocol: type[SpanningTree], vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``stp/tcn [bridge]``: say that the topology has changed."""
    name = words[0] if words else None
    for tree in trees_of(vswitchd.bridges.values(), protocol, name):
        tree.topology_changed()
    return "OK"


show = partial(_show, StpBridge)
tcn = partial(_tcn, StpBridge)
rapid_show = partial(_show, RstpBridge)
rapid_tcn = partial(_tcn, RstpBridge)
