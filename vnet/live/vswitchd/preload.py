"""What a first bridge will need, imported while nobody waits.

A switch daemon is ready before it has imported what bridges consist of. It goes on with that when
it has nothing else to do, a piece at a time, so that whoever comes meanwhile is served in between.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from importlib import import_module

from vnet.live.clock import WallClock

PIECES = (
    "vnet.ovs.flow.fields",
    "vnet.ovs.openflow.ofpacts",
    "vnet.ovs.openflow.text.actions",
    "vnet.ovs.dpif.text.actions",
    "vnet.netdev.device",
    "vnet.ovs.ofproto.ofproto",
    "vnet.ovs.ofproto.xlate.translate",
    "vnet.ovs.ofproto.backer",
    "vnet.tables.conntrack.tracker",
    "vnet.ovs.datapath.compile",
    "vnet.ovs.datapath.datapath",
    "vnet.ovs.vswitchd.reconcile",
    "vnet.ovs.vswitchd.status.report",
    "vnet.ovs.connmgr.dispatch",
    "vnet.live.openflow.one_bridge",
    "vnet.live.devices.devices",
    "vnet.ovs.vswitchd.appctl.table",
)
"""In this order each of them takes a few hundredths of a second."""


def preload(clock: WallClock) -> None:
    """Begin with it; the loop does the rest."""
    _next(clock, iter(PIECES))


def _next(clock: WallClock, pieces: Iterator[str]) -> None:
    piece = next(pieces, None)
    if piece is None:
        gc.freeze()  # None of it is ever rubbish.
        return
    import_module(piece)
    clock.at(clock.now_ns, _next, clock, pieces)
