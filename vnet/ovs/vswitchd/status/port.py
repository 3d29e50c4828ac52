"""What the Port table says of a port: its place in a spanning tree, and its bond."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.base.ids import mac_text
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.spanning_tree.tree import SpanningTree
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ovsdb.atoms import Datum
from vnet.ovs.vswitchd.status.writer import NOTHING, Status, one, pairs


def bridge_status(bridge: Ofproto) -> Status:
    """What the Bridge table says of its spanning tree."""
    tree = bridge.spanning_tree
    return _in_column("status", tree, {} if tree is None else tree.status())


def port_status(bundle: Bundle, tree: SpanningTree | None) -> Status:
    """How a port stands. Bonds take no part in spanning trees."""
    own = {} if tree is None or len(bundle.ports) > 1 else tree.port_status(bundle.ports[0])
    status = _in_column("status", tree, own)
    if bundle.bond is not None:
        status["bond_active_slave"] = one(mac_text(bundle.bond.active_mac))
    return status


def port_statistics(bundle: Bundle, tree: SpanningTree | None) -> Status:
    """What a spanning tree has counted at a port."""
    own = {} if tree is None or len(bundle.ports) > 1 else tree.port_statistics(bundle.ports[0])
    return _in_column("statistics", tree, own)


def _in_column(name: str, tree: SpanningTree | None, own: Mapping[str, object]) -> dict[str, Datum]:
    """Each protocol has a column of its own; the other's is empty."""
    protocol = None if tree is None else tree.protocol
    return {
        name: pairs(own) if protocol == "stp" else NOTHING,
        f"rstp_{name}": pairs(own) if protocol == "rstp" else NOTHING,
    }


def lacp_current(bundle: Bundle | None, port: OfPort) -> Status:
    """Whether the other end of a link speaks LACP; nothing where nobody asks it to."""
    lacp = None if bundle is None else bundle.lacp
    return {"lacp_current": NOTHING if lacp is None else one(lacp.is_current(port))}
