"""What the Port table says of a port: its place in a spanning tree, and its bond."""

from __future__ import annotations

from vnet.base.ids import mac_text
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.spanning_tree.rstp_bridge import RstpBridge
from vnet.ovs.ofproto.spanning_tree.stp_bridge import StpBridge
from vnet.ovs.ofproto.spanning_tree.tree import SpanningTree
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.vswitchd.status.writer import NOTHING, Status, one, pairs


def bridge_status(bridge: Ofproto) -> Status:
    """What the Bridge table says of its spanning tree."""
    tree = bridge.spanning_tree
    return {
        "status": pairs(tree.status()) if isinstance(tree, StpBridge) else NOTHING,
        "rstp_status": pairs(tree.status()) if isinstance(tree, RstpBridge) else NOTHING,
    }


def port_status(bundle: Bundle, tree: SpanningTree | None) -> Status:
    """How a port stands. Bonds take no part in spanning trees."""
    own = {} if tree is None or len(bundle.ports) > 1 else tree.port_status(bundle.ports[0])
    status = {
        "status": pairs(own) if isinstance(tree, StpBridge) else NOTHING,
        "rstp_status": pairs(own) if isinstance(tree, RstpBridge) else NOTHING,
    }
    if bundle.bond is not None:
        status["bond_active_slave"] = one(mac_text(bundle.bond.active_mac))
    return status


def port_statistics(bundle: Bundle, tree: SpanningTree | None) -> Status:
    """What a spanning tree has counted at a port."""
    own = {} if tree is None or len(bundle.ports) > 1 else tree.port_statistics(bundle.ports[0])
    return {
        "statistics": pairs(own) if isinstance(tree, StpBridge) else NOTHING,
        "rstp_statistics": pairs(own) if isinstance(tree, RstpBridge) else NOTHING,
    }


def lacp_current(bundle: Bundle | None, port: OfPort) -> Status:
    """Whether the other end of a link speaks LACP; nothing where nobody asks it to."""
    lacp = None if bundle is None else bundle.lacp
    return {"lacp_current": NOTHING if lacp is None else one(lacp.is_current(port))}
