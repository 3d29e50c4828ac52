"""The names of a bridge's ports, and of its datapath's."""

from __future__ import annotations

from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.flow.names import Names
from vnet.ovs.ofproto.ofproto import Ofproto


def names_of(bridge: Ofproto) -> Names:
    """The names that texts about a bridge may use for its ports."""
    ports = {port.name: port.number for port in bridge.ports.values()}
    return Names(ports, openflow_full=bridge.openflow_full)


def datapath_names(dpif: Dpif) -> dict[int, str]:
    """The names of a datapath's ports by number."""
    return {port.number: port.name for port in dpif.ports()}
