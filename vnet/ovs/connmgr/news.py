"""What the connections of a bridge are told unasked (openflow-spec 1.5.1, section 7.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vnet.ovs.ofproto.description import describe_port
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.rules.changes import FlowChange
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.stats import removal_of
from vnet.ovs.openflow.messages import (
    AsyncMessage,
    GroupMod,
    MeterMod,
    PortDesc,
    PortReason,
    PortState,
    PortStatus,
    RemovedReason,
    TableStatus,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.request_forward import encode_request_forward
from vnet.ovs.openflow.wire.flow import encode_flow_removed
from vnet.ovs.openflow.wire.kinds import OFPT_PORT_STATUS, OFPT_TABLE_STATUS
from vnet.ovs.openflow.wire.port.description import encode_port_status
from vnet.ovs.openflow.wire.table.table_mod import encode_table_status

if TYPE_CHECKING:
    from vnet.ovs.connmgr.manager import ConnectionManager


_GROUP_MOD, _METER_MOD = 0, 1
"""Why a request is told of (OFPRFR_*)."""


class News:
    """Of one bridge, while it has connections."""

    def __init__(self, manager: ConnectionManager) -> None:
        self._manager = manager
        self._ofproto = ofproto = manager.ofproto
        self._ports = {number: describe_port(port) for number, port in ofproto.ports.items()}
        """As it was last told of them."""
        self._new_ports: dict[OfPort, None] = {}
        """Those that a configuration brings which is being put in force: whether they are live
        turns out when it is, and is told then."""
        ofproto.port_changed.append(self._port_changed)
        ofproto.flow_removed.append(self._flow_removed)
        ofproto.table_status.append(self._table_status)
        ofproto.mod_done.append(self._mod_done)

    def close(self) -> None:
        """There is nobody to be told."""
        self._ofproto.port_changed.remove(self._port_changed)
        self._ofproto.flow_removed.remove(self._flow_removed)
        self._ofproto.table_status.remove(self._table_status)
        self._ofproto.mod_done.remove(self._mod_done)
        self.follow_flows(False)
        self._new_ports.clear()

    # -- flows

    def _flow_removed(self, rule: Rule, reason: RemovedReason) -> None:
        told = removal_of(rule, reason, self._ofproto.scheduler.now_ns)
        for connection in self._manager.listeners(AsyncMessage.FLOW_REMOVED, reason):
            connection.send(encode_flow_removed(told, connection.wishes.protocol))

    def follow_flows(self, wanted: bool) -> None:
        """Whether anybody watches flows."""
        listeners = self._ofproto.flows_changed
        if wanted and self._flows_changed not in listeners:
            listeners.append(self._flows_changed)
        elif not wanted and self._flows_changed in listeners:
            listeners.remove(self._flows_changed)

    def _flows_changed(self, changes: Sequence[FlowChange]) -> None:
        source, xids = self._manager.source, self._manager.source_xids
        for connection in self._manager.connections:
            if connection.monitors:
                assert connection.version is not None
                own = xids if connection is source else ()
                connection.monitors.tell(changes, own, connection.version)

    # -- tables, groups and meters

    def _table_status(self, status: TableStatus) -> None:
        for connection in self._manager.listeners(AsyncMessage.TABLE_STATUS, status.reason):
            if connection.version in OFPT_TABLE_STATUS.numberings:
                version = OpenFlowVersion(connection.version)
                connection.tell(OFPT_TABLE_STATUS, encode_table_status(status, version))

    def _mod_done(self, mod: GroupMod | MeterMod, position: int) -> None:
        """Others than who has asked for it may be told, of meters since OpenFlow 1.3."""
        source, xids = self._manager.source, self._manager.source_xids
        xid = xids[position] if xids else 0
        is_meter = isinstance(mod, MeterMod)
        reason = _METER_MOD if is_meter else _GROUP_MOD
        for connection in self._manager.listeners(AsyncMessage.REQUESTFORWARD, reason):
            version = connection.version
            assert version is not None
            if connection is source or (is_meter and version < OpenFlowVersion.OF13):
                continue
            group = self._ofproto.groups.get(mod.group_id) if isinstance(mod, GroupMod) else None
            buckets = () if group is None else group.buckets
            if told := encode_request_forward(mod, xid, version, buckets):
                connection.send(told)

    # -- ports

    def _port_changed(self, port: OfPort) -> None:
        number, was = port.number, self._ports.get(port.number)
        if self._ofproto.ports.get(number) is not port:
            self._ports.pop(number, None)
            self._new_ports.pop(port, None)
            self._tell_of_port(PortReason.DELETE, describe_port(port))
            return
        desc = describe_port(port)
        if was is None:
            self._new_ports[port] = None
            scheduler = self._ofproto.scheduler
            scheduler.at(scheduler.now_ns, self._port_settled, port)
        if port in self._new_ports:
            desc = _not_live(desc)
        self._ports[number] = desc
        if was is None:
            self._tell_of_port(PortReason.ADD, desc)
            return
        if _has_gone_down(was, desc):
            # What watches the link notices first.
            dead = _not_live(was)
            self._tell_of_port(PortReason.MODIFY, dead, was)
            was = dead
        if was != desc:
            self._tell_of_port(PortReason.MODIFY, desc, was)

    def _port_settled(self, port: OfPort) -> None:
        if port in self._new_ports:
            del self._new_ports[port]
            self._port_changed(port)

    def _tell_of_port(
        self, reason: PortReason, desc: PortDesc, was: PortDesc | None = None
    ) -> None:
        """Those who cannot see the difference are not told, nor up to 1.4 who has made it."""
        for connection in self._manager.listeners(AsyncMessage.PORT_STATUS, reason):
            version = connection.version
            assert version is not None
            is_own = was is not None and was.config != desc.config
            is_own = is_own and connection is self._manager.source
            if is_own and version < OpenFlowVersion.OF15:
                continue
            body = encode_port_status(PortStatus(reason, desc), version)
            if was is None or body != encode_port_status(PortStatus(reason, was), version):
                connection.tell(OFPT_PORT_STATUS, body)


def _not_live(desc: PortDesc) -> PortDesc:
    return replace(desc, state=desc.state & ~PortState.LIVE)


def _has_gone_down(was: PortDesc, desc: PortDesc) -> bool:
    return PortState.LIVE in was.state and PortState.LINK_DOWN in desc.state & ~was.state
