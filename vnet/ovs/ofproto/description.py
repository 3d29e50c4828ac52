"""What a bridge says of itself and of its ports to whoever asks by OpenFlow."""

from __future__ import annotations

from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_int
from vnet.ovs.flow.ports import OFPP_LOCAL, OFPP_NONE, OfpPort
from vnet.ovs.netdev.dummy import DummyDevice
from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.openflow.messages import (
    Capabilities,
    PortCounters,
    PortDesc,
    SwitchDescription,
    SwitchFeatures,
)

_CAPABILITIES = (
    Capabilities.FLOW_STATS
    | Capabilities.TABLE_STATS
    | Capabilities.PORT_STATS
    | Capabilities.QUEUE_STATS
    | Capabilities.GROUP_STATS
    | Capabilities.BUNDLES
    | Capabilities.ARP_MATCH_IP
)
_OF10_ACTIONS = (1 << 12) - 1
"""All that there are in OpenFlow 1.0."""


def describe_bridge(bridge: Ofproto) -> SwitchDescription:
    """Who made it, and what it is called."""
    return SwitchDescription(
        "Nicira, Inc.", "Open vSwitch", "3.1.0", bridge.serial_number, bridge.description
    )


def features_of(bridge: Ofproto) -> SwitchFeatures:
    """What it can do. Of ports, those that there is no room for are the encoder's to leave out."""
    n_tables = sum(not table.is_internal for table in bridge.tables)
    ports = tuple(describe_port(port) for port in ports_in_order(bridge))
    return SwitchFeatures(bridge.datapath_id, 0, n_tables, _CAPABILITIES, _OF10_ACTIONS, 0, ports)


def ports_in_order(bridge: Ofproto) -> list[OfPort]:
    """The ports in the order of Open vSwitch's hash table."""
    ports = list(bridge.ports.values())
    order = hash_table_order(hash_int(port.number, 0) for port in ports)
    return [ports[position] for position in order]


def describe_port(port: OfPort) -> PortDesc:
    """What a port is. Of its speed nothing is known."""
    return PortDesc(port.number, port.name, port.mac, port.config, port.state)


def counters_of(bridge: Ofproto, number: OfpPort = OFPP_NONE) -> list[PortCounters]:
    """What has passed each port, or one of them, which may be none."""
    bridge.before_reading_stats()
    ports = ports_in_order(bridge)
    return [_counters(bridge, port) for port in ports if number in (OFPP_NONE, port.number)]


def _counters(bridge: Ofproto, port: OfPort) -> PortCounters:
    """Drops and errors are not told apart here, so they are unknown. What the switch sends by
    itself counts as if it had come in by the local port."""
    stats, device = port.counters(), port.device
    is_local = port.number == OFPP_LOCAL
    custom = device.custom_statistics() if isinstance(device, DummyDevice) else {}
    return PortCounters(
        port.number,
        rx_packets=stats.rx_packets + bridge.own_frames.n_packets * is_local,
        tx_packets=stats.tx_packets,
        rx_bytes=stats.rx_bytes + bridge.own_frames.n_bytes * is_local,
        tx_bytes=stats.tx_bytes,
        duration_ns=elapsed_ns(port.created_ns, bridge.scheduler.now_ns),
        custom=tuple(custom.items()),
    )
