"""What a controller says to its switch: records as messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from vnet.ovs.openflow.messages import (
    FlowMod,
    FlowStatsRequest,
    GroupMod,
    MeterMod,
    PacketOut,
    PortMod,
)
from vnet.ovs.openflow.version import OpenFlowVersion, most_able_protocol
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.flow import encode_flow_mod, encode_flow_stats_request
from vnet.ovs.openflow.wire.group.group_mod import encode_group_mod
from vnet.ovs.openflow.wire.meter import encode_meter_mod
from vnet.ovs.openflow.wire.packet.packet_out import encode_packet_out
from vnet.ovs.openflow.wire.packing import pack
from vnet.ovs.openflow.wire.port.description import encode_port_mod

Encoder = Callable[[Any, OpenFlowVersion, int], bytes]


def encode_request(record: object, version: OpenFlowVersion, xid: int) -> bytes:
    """The message that a record stands for. Raises TypeError for what is no request."""
    encoder = _ENCODERS.get(type(record))
    if encoder is None:
        known = ", ".join(sorted(each.__name__ for each in _ENCODERS))
        raise TypeError(f"a {type(record).__name__} cannot be sent to a switch; {known} can")
    return encoder(record, version, xid)


def _flow_mod(mod: FlowMod, version: OpenFlowVersion, xid: int) -> bytes:
    return encode_flow_mod(mod, most_able_protocol(version), xid)


def _flow_stats(asked: FlowStatsRequest, version: OpenFlowVersion, xid: int) -> bytes:
    return encode_flow_stats_request(asked, most_able_protocol(version), xid)


def _group_mod(mod: GroupMod, version: OpenFlowVersion, xid: int) -> bytes:
    is_of10 = version is OpenFlowVersion.OF10
    kind = kinds.NXT_GROUP_MOD if is_of10 else kinds.OFPT_GROUP_MOD
    return pack(kind, version, xid, encode_group_mod(mod, version))


def _meter_mod(mod: MeterMod, version: OpenFlowVersion, xid: int) -> bytes:
    return pack(kinds.OFPT_METER_MOD, version, xid, encode_meter_mod(mod))


def _packet_out(packet_out: PacketOut, version: OpenFlowVersion, xid: int) -> bytes:
    return pack(kinds.OFPT_PACKET_OUT, version, xid, encode_packet_out(packet_out, version))


def _port_mod(mod: PortMod, version: OpenFlowVersion, xid: int) -> bytes:
    return pack(kinds.OFPT_PORT_MOD, version, xid, encode_port_mod(mod, version))


_ENCODERS: Mapping[type, Encoder] = MappingProxyType(
    {
        FlowMod: _flow_mod,
        FlowStatsRequest: _flow_stats,
        GroupMod: _group_mod,
        MeterMod: _meter_mod,
        PacketOut: _packet_out,
        PortMod: _port_mod,
    }
)
