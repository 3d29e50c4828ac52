"""Who is told of what happens to a bridge."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.rules.changes import FlowsListener
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.openflow.messages import GroupMod, MeterMod, RemovedReason, TableStatus

FlowRemovedListener = Callable[[Rule, RemovedReason], None]
PortListener = Callable[[OfPort], None]
ModListener = Callable[[GroupMod | MeterMod, int], None]
"""Is told of the request, and of its position among those carried out together."""
TableListener = Callable[[TableStatus], None]


class Listeners:
    """Lists that anybody may add to. ``flow_removed`` hears of flows that asked for it
    (``send_flow_rem``), ``flows_changed`` of whatever becomes of any, ``port_changed`` of every
    port that changes, ``mod_done`` of groups and meters that were asked to change,
    ``table_status`` of tables that fill or empty, where that was asked for.
    """

    def __init__(self) -> None:
        self.flow_removed: list[FlowRemovedListener] = []
        self.flows_changed: list[FlowsListener] = []
        self.port_changed: list[PortListener] = []
        self.mod_done: list[ModListener] = []
        self.table_status: list[TableListener] = []
