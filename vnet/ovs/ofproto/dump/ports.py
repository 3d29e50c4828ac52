"""Ports as ``ovs-ofctl dump-ports``, ``dump-ports-desc`` and ``show`` list them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.flow.names import NO_NAMES, Names, port_text
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.ofproto.description import counters_of, describe_port
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import PortCounters
from vnet.ovs.openflow.text.flow_print import duration_text
from vnet.ovs.openflow.text.port import port_desc_text
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.port.description import decode_ports, encode_port

_N_TABLES_SHOWN = 254
_CAPABILITIES = "FLOW_STATS TABLE_STATS PORT_STATS QUEUE_STATS ARP_MATCH_IP"
_OF10_ACTIONS = (
    "output enqueue set_vlan_vid set_vlan_pcp strip_vlan mod_dl_src mod_dl_dst "
    "mod_nw_src mod_nw_dst mod_nw_tos mod_tp_src mod_tp_dst"
)


def dump_ports(
    bridge: Ofproto,
    number: OfpPort = OFPP_NONE,
    version: OpenFlowVersion = OpenFlowVersion.OF10,
    names: Names = NO_NAMES,
) -> Iterator[str]:
    """The counters of all ports, or of one: lines, the first of which counts the ports.

    They stand in the order of Open vSwitch's hash table.
    """
    found = counters_of(bridge, number)
    yield f"{len(found)} ports"
    for counters in found:
        yield from _counters(counters, names)
        if version >= OpenFlowVersion.OF13:
            yield f"           duration={duration_text(counters.duration_ns or 0)}"


def dump_ports_desc(
    bridge: Ofproto, version: OpenFlowVersion = OpenFlowVersion.OF10
) -> Iterator[str]:
    """Each port's name, address, configuration, state and speed, as far as a version says them."""
    for port in sorted(bridge.ports.values(), key=lambda port: port.number):
        for desc in decode_ports(encode_port(describe_port(port), version), version):
            yield from f" {port_desc_text(desc)}".splitlines()


def show(bridge: Ofproto) -> Iterator[str]:
    """What ``ovs-ofctl show`` prints of the switch: its features, ports and settings."""
    yield f"OFPT_FEATURES_REPLY (xid=0x2): dpid:{bridge.datapath_id:016x}"
    yield f"n_tables:{_N_TABLES_SHOWN}, n_buffers:0"
    yield f"capabilities: {_CAPABILITIES}"
    yield f"actions: {_OF10_ACTIONS}"
    yield from dump_ports_desc(bridge)
    fragments = bridge.fragment_handling.value
    yield f"OFPT_GET_CONFIG_REPLY (xid=0x4): frags={fragments} miss_send_len=0"


def _counters(counters: PortCounters, names: Names) -> Iterator[str]:
    """Errors and drops of its kinds are not told apart here, so they are unknown: ``?``."""
    label = port_text(counters.port, names)
    padding = " " if counters.port < 10 else ""
    yield (
        f"  port {padding}{label}: rx pkts={counters.rx_packets}, bytes={counters.rx_bytes}, "
        "drop=?, errs=?, frame=?, over=?, crc=?"
    )
    yield (
        f"           tx pkts={counters.tx_packets}, bytes={counters.tx_bytes}, "
        "drop=?, errs=?, coll=?"
    )
