"""A bridge's connections without anything around it."""

from __future__ import annotations

from vnet.ovs.connmgr.manager import ConnectionManager
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.sim.scheduler import Scheduler


def manager(scheduler: Scheduler, name: str = "br0", vlog: Vlog = SILENT) -> ConnectionManager:
    """Those of a bridge without ports."""
    backer = Backer(scheduler, Datapath(scheduler, "ovs-dummy"), vlog)
    ofproto = Ofproto(name, scheduler, backer.meter_pool)
    backer.add_bridge(ofproto)
    return ConnectionManager(ofproto, backer, vlog)
