"""Ports as ``ovs-ofctl dump-ports``, ``dump-ports-desc`` and ``show`` list them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.ids import mac_text
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_int
from vnet.ovs.flow.names import NO_NAMES, Names, port_text
from vnet.ovs.flow.ports import OFPP_LOCAL, OfpPort
from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort, PortStats
from vnet.ovs.openflow.messages import PortConfig, PortState
from vnet.ovs.openflow.text.flow_print import duration_text
from vnet.ovs.openflow.text.port import port_config_text, port_state_text
from vnet.ovs.openflow.version import OpenFlowVersion

_OF10_CONFIG = PortConfig.NO_STP | PortConfig.NO_RECV_STP | PortConfig.NO_FLOOD
"""What later versions cannot say of a port."""

_N_TABLES_SHOWN = 254
_CAPABILITIES = "FLOW_STATS TABLE_STATS PORT_STATS QUEUE_STATS ARP_MATCH_IP"
_OF10_ACTIONS = (
    "output enqueue set_vlan_vid set_vlan_pcp strip_vlan mod_dl_src mod_dl_dst "
    "mod_nw_src mod_nw_dst mod_nw_tos mod_tp_src mod_tp_dst"
)


def dump_ports(
    bridge: Ofproto,
    number: OfpPort | None = None,
    version: OpenFlowVersion = OpenFlowVersion.OF10,
    names: Names = NO_NAMES,
) -> Iterator[str]:
    """The counters of all ports, or of one: lines, the first of which counts the ports.

    They stand in the order of Open vSwitch's hash table.
    """
    bridge.before_reading_stats()
    ports = [port for port in hashed(bridge) if number is None or port.number == number]
    yield f"{len(ports)} ports"
    for port in ports:
        yield from _counters(port, bridge.own_frames, names)
        if version >= OpenFlowVersion.OF13:
            age_ns = elapsed_ns(port.created_ns, bridge.scheduler.now_ns)
            yield f"           duration={duration_text(age_ns)}"


def dump_ports_desc(
    bridge: Ofproto, version: OpenFlowVersion = OpenFlowVersion.OF10
) -> Iterator[str]:
    """Each port's name, address, configuration, state and speed."""
    for port in _by_number(bridge):
        config, state = port.config, port.state
        if version is OpenFlowVersion.OF10:
            state &= ~PortState.LIVE
        else:
            config &= ~_OF10_CONFIG
            state &= ~PortState.STP_MASK
        yield f" {port_text(port.number)}({port.name}): addr:{mac_text(port.mac)}"
        yield f"     config:     {port_config_text(config)}"
        yield f"     state:      {port_state_text(state)}"
        yield "     speed: 0 Mbps now, 0 Mbps max"


def show(bridge: Ofproto) -> Iterator[str]:
    """What ``ovs-ofctl show`` prints of the switch: its features, ports and settings."""
    yield f"OFPT_FEATURES_REPLY (xid=0x2): dpid:{bridge.datapath_id:016x}"
    yield f"n_tables:{_N_TABLES_SHOWN}, n_buffers:0"
    yield f"capabilities: {_CAPABILITIES}"
    yield f"actions: {_OF10_ACTIONS}"
    yield from dump_ports_desc(bridge)
    fragments = bridge.fragment_handling.value
    yield f"OFPT_GET_CONFIG_REPLY (xid=0x4): frags={fragments} miss_send_len=0"


def hashed(bridge: Ofproto) -> list[OfPort]:
    """The ports in the order of Open vSwitch's hash table."""
    ports = list(bridge.ports.values())
    order = hash_table_order(hash_int(port.number, 0) for port in ports)
    return [ports[position] for position in order]


def _by_number(bridge: Ofproto) -> list[OfPort]:
    return sorted(bridge.ports.values(), key=lambda port: port.number)


def _counters(port: OfPort, own_frames: FlowStats, names: Names) -> Iterator[str]:
    """Errors and drops of its kinds are not told apart here, so they are unknown: ``?``.

    What the switch sends by itself counts as if it had come in by the local port.
    """
    stats: PortStats = port.counters()
    rx_packets, rx_bytes = stats.rx_packets, stats.rx_bytes
    if port.number == OFPP_LOCAL:
        rx_packets += own_frames.n_packets
        rx_bytes += own_frames.n_bytes
    label = port_text(port.number, names)
    padding = " " if port.number < 10 else ""
    yield (
        f"  port {padding}{label}: rx pkts={rx_packets}, bytes={rx_bytes}, "
        "drop=?, errs=?, frame=?, over=?, crc=?"
    )
    yield (f"           tx pkts={stats.tx_packets}, bytes={stats.tx_bytes}, drop=?, errs=?, coll=?")
