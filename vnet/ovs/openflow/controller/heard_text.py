"""Messages of a switch as ``ovs-ofctl monitor`` prints them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.names import NO_NAMES, Names, table_text
from vnet.ovs.openflow.controller.heard import (
    FlowFormat,
    FlowMonitors,
    Flows,
    FlowUpdates,
    Greeting,
    Heard,
    hear,
)
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    DEFAULT_PRIORITY,
    BundleControl,
    FlowMod,
    FlowRemoved,
    GroupMod,
    MeterMod,
    PacketIn,
    PacketOut,
    PortMod,
    PortStatus,
    removed_reason_text,
)
from vnet.ovs.openflow.ofpacts import TABLE_ALL
from vnet.ovs.openflow.text.bundle import bundle_add_text, bundle_control_text
from vnet.ovs.openflow.text.flow_monitor import flow_monitor_text, flow_update_text
from vnet.ovs.openflow.text.flow_print import (
    duration_text,
    flow_message_text,
    flow_stats_text,
)
from vnet.ovs.openflow.text.group_print import group_message_text
from vnet.ovs.openflow.text.meter import meter_message_text
from vnet.ovs.openflow.text.packet_in import packet_in_text
from vnet.ovs.openflow.text.packet_out import packet_out_text
from vnet.ovs.openflow.text.port import port_mod_text, port_status_text
from vnet.ovs.openflow.version import OpenFlowVersion, most_able_protocol
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.connection.bundle import BundleAdd
from vnet.ovs.openflow.wire.errors import ReceivedError
from vnet.ovs.openflow.wire.message import MessageReader, ProtocolError

Printer = Callable[[Any, Heard, Names], str]

_NEWS = frozenset(
    {
        *(kinds.OFPT_ERROR, kinds.OFPT_PORT_STATUS),
        *(kinds.OFPT_PACKET_IN, kinds.NXT_PACKET_IN, kinds.NXT_PACKET_IN2),
        *(kinds.OFPT_FLOW_REMOVED, kinds.NXT_FLOW_REMOVED),
    }
)


def is_news(heard: Heard) -> bool:
    """Whether a switch says it unasked, or refuses what it was asked."""
    return heard.kind in _NEWS


def heard_text(heard: Heard, names: Names = NO_NAMES) -> str:
    """A message: its kind, version and transaction, and what it says, maybe in several lines."""
    version = heard.version
    spoken = "" if version is OpenFlowVersion.OF10 else f" (OF1.{version - 1})"
    head = f"{heard.kind.name}{spoken} (xid={heard.message.xid:#x}):"
    printer = _PRINTERS.get(type(heard.content))
    if printer is None:
        return head
    between = "\n " if isinstance(heard.content, _BELOW) else " "
    text = printer(heard.content, heard, names)
    # As there, a space at the very end is left out.
    return f"{head}{between}{text}".removesuffix(" ") if text else head


def _error(error: ReceivedError, _heard: Heard, names: Names) -> str:
    """The error, and the message that it is about, as far as that can be read."""
    number = error.number
    name = error.name or f"vendor {number.vendor:#x}, type {number.type}, code {number.code}"
    quoted = _quoted(error.data, names)
    return f"{name}\n{quoted}" if quoted else name


def _quoted(data: bytes, names: Names) -> str:
    reader = MessageReader()
    reader.take(data)
    try:
        message = reader.next()
        if message is None:
            return ""
        return heard_text(hear(message, openflow_full=names.openflow_full), names)
    except (OpenFlowError, ProtocolError) as error:
        return f"(***decode error: {error}***)"


def _flow_removed(removed: FlowRemoved, _heard: Heard, names: Names) -> str:
    priority = None if removed.priority == DEFAULT_PRIORITY else removed.priority
    words = [
        match_text(removed.match, names, priority),
        f"reason={removed_reason_text(removed.reason)}",
    ]
    if removed.table_id != TABLE_ALL:
        words.append(f"table_id={table_text(removed.table_id, names)}")
    if removed.cookie:
        words.append(f"cookie:{removed.cookie:#x}")
    words += [f"duration{duration_text(removed.duration_ns)}", f"idle{removed.idle_timeout_s}"]
    if removed.hard_timeout_s:
        words.append(f"hard{removed.hard_timeout_s}")
    return " ".join([*words, f"pkts{removed.n_packets}", f"bytes{removed.n_bytes}"])


def _flow_mod(mod: FlowMod, heard: Heard, names: Names) -> str:
    return flow_message_text(mod, most_able_protocol(heard.version), names)


def _bundle_add(add: BundleAdd, _heard: Heard, names: Names) -> str:
    inner = hear(add.message, openflow_full=names.openflow_full)
    return f"{bundle_add_text(add.bundle_id, add.flags)}\n{heard_text(inner, names)}"


def _flows(flows: Flows, _heard: Heard, names: Names) -> str:
    return "\n ".join(flow_stats_text(stats, names) for stats in flows.stats)


def _flow_monitors(monitors: FlowMonitors, _heard: Heard, names: Names) -> str:
    return "\n ".join(flow_monitor_text(request, names) for request in monitors.requests)


def _flow_updates(updates: FlowUpdates, _heard: Heard, names: Names) -> str:
    return "\n ".join(flow_update_text(update, names) for update in updates.updates)


def _greeting(greeting: Greeting, _heard: Heard, _names: Names) -> str:
    return f"version bitmap: {', '.join(f'0x{one:02x}' for one in greeting.versions)}"


def _unreadable(error: OpenFlowError, _heard: Heard, _names: Names) -> str:
    return f"***decode error: {error.name}***"


_BELOW = (GroupMod, Greeting, BundleControl, BundleAdd, Flows, FlowMonitors, FlowUpdates)
"""What is printed on lines below the heading."""

_PRINTERS: Mapping[type, Printer] = MappingProxyType(
    {
        OpenFlowError: _unreadable,
        Greeting: _greeting,
        BundleControl: lambda control, _heard, _names: bundle_control_text(control),
        BundleAdd: _bundle_add,
        FlowFormat: lambda form, _heard, _names: f"format={'nxm' if form.is_nxm else 'openflow10'}",
        Flows: _flows,
        FlowMonitors: _flow_monitors,
        FlowUpdates: _flow_updates,
        ReceivedError: _error,
        PacketIn: lambda packet_in, _heard, names: packet_in_text(packet_in, names),
        PacketOut: lambda packet_out, _heard, names: packet_out_text(packet_out, names),
        PortMod: lambda mod, _heard, names: port_mod_text(mod, names),
        PortStatus: lambda status, _heard, _names: port_status_text(status),
        FlowRemoved: _flow_removed,
        FlowMod: _flow_mod,
        MeterMod: lambda mod, _heard, _names: meter_message_text(mod),
        GroupMod: lambda mod, heard, names: group_message_text(mod, heard.version, names),
    }
)
