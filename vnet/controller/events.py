"""What an app can be told. Every event has the ``switch`` that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vnet.base.record import record
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.openflow import messages
from vnet.ovs.openflow.messages import RemovedReason
from vnet.ovs.openflow.ofpacts import Ofpacts, PacketInReason
from vnet.ovs.openflow.text.flow_print import flow_stats_text
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.errors import ReceivedError
from vnet.ovs.openflow.wire.kind import Kind

if TYPE_CHECKING:
    from vnet.controller.switch import Switch


@record(frozen=True, slots=True)
class SwitchConnected:
    """A switch is there: its features and ports are known, and it takes what it is told."""

    switch: Switch


@record(frozen=True, slots=True)
class SwitchGone:
    """A switch has another controller, or none: nothing can be said to it any more."""

    switch: Switch


@record(frozen=True, slots=True)
class PacketIn:
    """A packet came, for a flow's action or because there was no flow for it."""

    switch: Switch
    message: messages.PacketIn

    @property
    def frame(self) -> bytes:
        """The packet, or as much of it as the action said."""
        return self.message.frame

    @property
    def packet(self) -> Any:
        """The same as a Scapy packet."""
        from vnet.guest.dissect import dissect

        return dissect(self.message.frame, self.switch.now_ns)

    @property
    def in_port(self) -> int:
        """The number of the port that it came in by."""
        return Flow.in_port.of(self.message.pipeline.value)

    @property
    def reason(self) -> PacketInReason:
        """Why it came."""
        return PacketInReason(self.message.reason)

    def send_on(self, actions: str | Ofpacts) -> None:
        """Have the switch do this with the packet: ``"FLOOD"``, ``"output:2"``, ``"TABLE"``."""
        self.switch.packet_out(actions, self.message.frame, in_port=self.in_port)


@record(frozen=True, slots=True)
class FlowRemoved:
    """A flow with ``send_flow_rem`` is no more."""

    switch: Switch
    message: messages.FlowRemoved

    @property
    def flow(self) -> str:
        """What it matched, as ovs-ofctl(8) writes it: ``priority=5,icmp,in_port=p1``."""
        return match_text(self.message.match, self.switch.names, self.message.priority)

    @property
    def reason(self) -> RemovedReason:
        """Why it is gone."""
        return RemovedReason(self.message.reason)


@record(frozen=True, slots=True)
class PortStatus:
    """A port came, went or changed; ``switch.ports`` says so already."""

    switch: Switch
    message: messages.PortStatus


@record(frozen=True, slots=True)
class ErrorReply:
    """The switch refuses a message. ``message.name`` is OpenFlow's name for why."""

    switch: Switch
    message: ReceivedError
    xid: int


@record(frozen=True, slots=True)
class BarrierReply:
    """What was said before ``switch.barrier()`` is done. That returned ``xid``, too."""

    switch: Switch
    xid: int


@record(frozen=True, slots=True)
class FlowStatsReply:
    """The flows that ``switch.flow_stats()`` asked about, all of them. That returned ``xid``."""

    switch: Switch
    entries: tuple[messages.FlowStats, ...]
    xid: int

    def text(self, stats: messages.FlowStats) -> str:
        """One of them, as ovs-ofctl(8) lists it."""
        return flow_stats_text(stats, self.switch.names)


@record(frozen=True, slots=True)
class PortStatsReply:
    """What has passed the ports that ``switch.port_stats()`` asked about."""

    switch: Switch
    entries: tuple[messages.PortCounters, ...]
    xid: int


@record(frozen=True, slots=True)
class GroupStatsReply:
    """What the groups have seen that ``switch.group_stats()`` asked about."""

    switch: Switch
    entries: tuple[messages.GroupStats, ...]
    xid: int


@record(frozen=True, slots=True)
class MeterStatsReply:
    """What the meters have counted that ``switch.meter_stats()`` asked about."""

    switch: Switch
    entries: tuple[messages.MeterStats, ...]
    xid: int


STATS_REPLIES: Mapping[Kind, type] = MappingProxyType(
    {
        kinds.OFPST_FLOW_REPLY: FlowStatsReply,
        kinds.NXST_FLOW_REPLY: FlowStatsReply,
        kinds.OFPST_PORT_REPLY: PortStatsReply,
        kinds.OFPST_GROUP_REPLY: GroupStatsReply,
        kinds.NXST_GROUP_REPLY: GroupStatsReply,
        kinds.OFPST_METER_REPLY: MeterStatsReply,
    }
)
"""The events that messages in several parts become, once all have come."""

EVENTS = (
    *(SwitchConnected, SwitchGone, PacketIn, FlowRemoved, PortStatus, ErrorReply, BarrierReply),
    *(FlowStatsReply, PortStatsReply, GroupStatsReply, MeterStatsReply),
)
