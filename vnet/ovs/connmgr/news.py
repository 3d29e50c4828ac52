"""What the connections of a bridge are told unasked (openflow-spec 1.5.1, section 7.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet.ovs.ofproto.description import describe_port
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.rules.changes import FlowChange
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.stats import removal_of
from vnet.ovs.openflow.messages import (
    AsyncMessage,
    PortDesc,
    PortReason,
    PortStatus,
    RemovedReason,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.flow import encode_flow_removed
from vnet.ovs.openflow.wire.kinds import OFPT_PORT_STATUS
from vnet.ovs.openflow.wire.port_desc import encode_port_status

if TYPE_CHECKING:
    from vnet.ovs.connmgr.manager import ConnectionManager


class News:
    """Of one bridge, while it has connections."""

    def __init__(self, manager: ConnectionManager) -> None:
        self._manager = manager
        self._ofproto = ofproto = manager.ofproto
        self._ports = {number: describe_port(port) for number, port in ofproto.ports.items()}
        """As it was last told of them."""
        ofproto.port_changed.append(self._port_changed)
        ofproto.flow_removed.append(self._flow_removed)

    def close(self) -> None:
        """There is nobody to be told."""
        self._ofproto.port_changed.remove(self._port_changed)
        self._ofproto.flow_removed.remove(self._flow_removed)
        self.follow_flows(False)

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

    # -- ports

    def _port_changed(self, port: OfPort) -> None:
        number, was = port.number, self._ports.get(port.number)
        if self._ofproto.ports.get(number) is not port:
            self._ports.pop(number, None)
            self._tell_of_port(PortReason.DELETE, describe_port(port))
            return
        desc = self._ports[number] = describe_port(port)
        if was is None:
            self._tell_of_port(PortReason.ADD, desc)
        elif was != desc:
            self._tell_of_port(PortReason.MODIFY, desc, was)

    def _tell_of_port(
        self, reason: PortReason, desc: PortDesc, was: PortDesc | None = None
    ) -> None:
        """Those who cannot see the difference are not told, nor up to 1.4 who has made it."""
        for connection in self._manager.listeners(AsyncMessage.PORT_STATUS, reason):
            version = connection.version
            assert version is not None
            if connection is self._manager.source and version < OpenFlowVersion.OF15:
                continue
            body = encode_port_status(PortStatus(reason, desc), version)
            if was is None or body != encode_port_status(PortStatus(reason, was), version):
                connection.tell(OFPT_PORT_STATUS, body)
