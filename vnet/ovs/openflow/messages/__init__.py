"""What switches and controllers tell each other, apart from how it is written down."""

from __future__ import annotations

from vnet.ovs.openflow.messages.flow import DEFAULT_PRIORITY, FlowFlags, FlowMod, FlowModCommand
from vnet.ovs.openflow.messages.group import (
    BUCKET_ALL,
    BUCKET_FIRST,
    BUCKET_LAST,
    BUCKET_MAX,
    GROUP_ALL,
    GROUP_ANY,
    GROUP_MAX,
    Bucket,
    GroupMod,
    GroupModCommand,
    GroupType,
)
from vnet.ovs.openflow.messages.meter import (
    METER_ALL,
    METER_CONTROLLER,
    METER_SLOWPATH,
    MeterBand,
    MeterBandType,
    MeterFlags,
    MeterMod,
    MeterModCommand,
)
from vnet.ovs.openflow.messages.packet import (
    NO_BUFFER,
    NO_COOKIE,
    Continuation,
    PacketIn,
    PacketInFormat,
    PacketOut,
)
from vnet.ovs.openflow.messages.port import PortConfig, PortMod, PortState

__all__ = [
    "BUCKET_ALL",
    "BUCKET_FIRST",
    "BUCKET_LAST",
    "BUCKET_MAX",
    "DEFAULT_PRIORITY",
    "GROUP_ALL",
    "GROUP_ANY",
    "GROUP_MAX",
    "METER_ALL",
    "METER_CONTROLLER",
    "METER_SLOWPATH",
    "NO_BUFFER",
    "NO_COOKIE",
    "Bucket",
    "Continuation",
    "FlowFlags",
    "FlowMod",
    "FlowModCommand",
    "GroupMod",
    "GroupModCommand",
    "GroupType",
    "MeterBand",
    "MeterBandType",
    "MeterFlags",
    "MeterMod",
    "MeterModCommand",
    "PacketIn",
    "PacketInFormat",
    "PacketOut",
    "PortConfig",
    "PortMod",
    "PortState",
]
