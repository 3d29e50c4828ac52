"""What a controller hears of its switch: each message with what it says.

Some are what a controller says itself: errors quote them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    BundleControl,
    FlowMod,
    FlowMonitorRequest,
    FlowRemoved,
    FlowStats,
    FlowUpdate,
    GroupMod,
    PacketIn,
    PacketOut,
)
from vnet.ovs.openflow.version import OpenFlowVersion, most_able_protocol
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.connection.bundle import (
    BundleAdd,
    decode_bundle_add,
    decode_bundle_control,
)
from vnet.ovs.openflow.wire.connection.hello import versions_of
from vnet.ovs.openflow.wire.errors import decode_error
from vnet.ovs.openflow.wire.flow import (
    decode_flow_mod,
    decode_flow_monitor_requests,
    decode_flow_removed,
    decode_flow_stats,
    decode_flow_updates,
)
from vnet.ovs.openflow.wire.group.group_mod import decode_group_mod
from vnet.ovs.openflow.wire.group.stats import decode_group_stats
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.meter import decode_meter_mod, decode_meter_stats
from vnet.ovs.openflow.wire.nicira.settings import decode_flow_format
from vnet.ovs.openflow.wire.packet.packet_in import decode_packet_in
from vnet.ovs.openflow.wire.packet.packet_out import decode_packet_out
from vnet.ovs.openflow.wire.port.description import (
    decode_port_mod,
    decode_port_status,
    decode_ports,
)
from vnet.ovs.openflow.wire.port.stats import decode_port_stats
from vnet.ovs.openflow.wire.recognition import kind_of
from vnet.ovs.openflow.wire.switch import decode_config, decode_features


class Greeting(NamedTuple):
    """The versions that somebody speaks (OFPT_HELLO)."""

    versions: tuple[int, ...]


class FlowFormat(NamedTuple):
    """How 1.0 is to tell of flows (NXT_SET_FLOW_FORMAT)."""

    is_nxm: bool


class Flows(NamedTuple):
    """What a reply says of flows (OFPST_FLOW and Nicira's)."""

    stats: tuple[FlowStats, ...]


class FlowMonitors(NamedTuple):
    """Flows that are to be watched (OFPST_FLOW_MONITOR and its like)."""

    requests: tuple[FlowMonitorRequest, ...]


class FlowUpdates(NamedTuple):
    """What has become of flows that are watched."""

    updates: tuple[FlowUpdate, ...]


class Heard(NamedTuple):
    """A message from the switch. ``content`` is the record of :mod:`vnet.ovs.openflow.messages`
    that it stands for, a ``ReceivedError``, or None for what says nothing but its kind. Where it
    cannot be read, it is the OpenFlowError that says why. With ``openflow_full`` it may say what
    Open vSwitch lacks."""

    message: Message
    kind: Kind
    content: object
    openflow_full: bool = False

    @property
    def version(self) -> OpenFlowVersion:
        """The version that it is in."""
        return OpenFlowVersion(self.message.version)


Decoder = Callable[[Heard, int], Any]
"""From a message without content, and where its body begins, to what it says."""


def hear(message: Message, *, openflow_full: bool = False) -> Heard:
    """Read a message. Raises :class:`OpenFlowError` for one of no kind."""
    kind, offset = kind_of(message)
    heard = Heard(message, kind, None, openflow_full)
    decode = _DECODERS.get(kind)
    if decode is None:
        return heard
    try:
        return heard._replace(content=decode(heard, offset))
    except OpenFlowError as error:
        return heard._replace(content=error)


def _of_body(decode: Callable[[bytes, OpenFlowVersion], Any]) -> Decoder:
    return lambda heard, offset: decode(heard.message.raw[offset:], heard.version)


def _flow_removed(heard: Heard, offset: int) -> FlowRemoved:
    return decode_flow_removed(heard.message.raw[offset:], heard.kind, heard.version)


def _flow_mod(heard: Heard, offset: int) -> FlowMod:
    protocol = most_able_protocol(heard.version)
    body = heard.message.raw[offset:]
    full = heard.openflow_full
    return decode_flow_mod(body, heard.kind, heard.version, protocol, openflow_full=full)


def _group_mod(heard: Heard, offset: int) -> GroupMod:
    body = heard.message.raw[offset:]
    return decode_group_mod(body, heard.version, openflow_full=heard.openflow_full)


def _packet_out(heard: Heard, offset: int) -> PacketOut:
    body = heard.message.raw[offset:]
    return decode_packet_out(body, heard.version, openflow_full=heard.openflow_full)


def _packet_in(heard: Heard, offset: int) -> PacketIn:
    return decode_packet_in(heard.kind, heard.message.raw[offset:], heard.version)


def _flow_format(heard: Heard, offset: int) -> FlowFormat:
    return FlowFormat(decode_flow_format(heard.message.raw[offset:]))


def _flow_stats(heard: Heard, offset: int) -> Flows:
    return Flows(tuple(decode_flow_stats(heard.message.raw[offset:], heard.kind, heard.version)))


def _flow_monitors(heard: Heard, offset: int) -> FlowMonitors:
    body = heard.message.raw[offset:]
    full = heard.openflow_full
    asked = decode_flow_monitor_requests(body, heard.kind, heard.version, openflow_full=full)
    return FlowMonitors(tuple(asked))


def _flow_updates(heard: Heard, offset: int) -> FlowUpdates:
    body = heard.message.raw[offset:]
    return FlowUpdates(tuple(decode_flow_updates(body, heard.kind, heard.version)))


def _bundle_control(heard: Heard, offset: int) -> BundleControl:
    return decode_bundle_control(heard.message.raw[offset:])


def _bundle_add(heard: Heard, offset: int) -> BundleAdd:
    return decode_bundle_add(heard.message, offset)


_DECODERS: Mapping[Kind, Decoder] = MappingProxyType(
    {
        kinds.OFPT_HELLO: lambda heard, _offset: Greeting(tuple(versions_of(heard.message))),
        kinds.NXT_SET_FLOW_FORMAT: _flow_format,
        kinds.OFPT_BUNDLE_CONTROL: _bundle_control,
        kinds.ONFT_BUNDLE_CONTROL: _bundle_control,
        kinds.OFPT_BUNDLE_ADD_MESSAGE: _bundle_add,
        kinds.ONFT_BUNDLE_ADD_MESSAGE: _bundle_add,
        kinds.OFPST_FLOW_REPLY: _flow_stats,
        kinds.NXST_FLOW_REPLY: _flow_stats,
        kinds.OFPST_FLOW_MONITOR_REQUEST: _flow_monitors,
        kinds.ONFST_FLOW_MONITOR_REQUEST: _flow_monitors,
        kinds.NXST_FLOW_MONITOR_REQUEST: _flow_monitors,
        kinds.OFPST_FLOW_MONITOR_REPLY: _flow_updates,
        kinds.ONFST_FLOW_MONITOR_REPLY: _flow_updates,
        kinds.NXST_FLOW_MONITOR_REPLY: _flow_updates,
        kinds.OFPT_ERROR: lambda heard, _offset: decode_error(heard.message),
        kinds.OFPT_FEATURES_REPLY: _of_body(decode_features),
        kinds.OFPT_GET_CONFIG_REPLY: _of_body(decode_config),
        kinds.OFPT_PORT_STATUS: _of_body(decode_port_status),
        kinds.OFPT_FLOW_REMOVED: _flow_removed,
        kinds.NXT_FLOW_REMOVED: _flow_removed,
        kinds.OFPT_FLOW_MOD: _flow_mod,
        kinds.NXT_FLOW_MOD: _flow_mod,
        kinds.OFPT_GROUP_MOD: _group_mod,
        kinds.NXT_GROUP_MOD: _group_mod,
        kinds.OFPT_METER_MOD: lambda heard, offset: decode_meter_mod(heard.message.raw[offset:]),
        kinds.OFPT_PACKET_IN: _packet_in,
        kinds.NXT_PACKET_IN: _packet_in,
        kinds.NXT_PACKET_IN2: _packet_in,
        kinds.OFPT_PACKET_OUT: _packet_out,
        kinds.OFPT_PORT_MOD: _of_body(decode_port_mod),
        kinds.OFPST_PORT_DESC_REPLY: _of_body(decode_ports),
        kinds.OFPST_PORT_REPLY: _of_body(decode_port_stats),
        kinds.OFPST_GROUP_REPLY: _of_body(decode_group_stats),
        kinds.NXST_GROUP_REPLY: _of_body(decode_group_stats),
        kinds.OFPST_METER_REPLY: _of_body(lambda body, _version: decode_meter_stats(body)),
    }
)
