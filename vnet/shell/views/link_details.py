"""What ``ip -d link`` adds: the kind of a device with its options, and its place in a bridge.

The sizes of segments at the end are those of every device without an offload of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.options import BRIDGE_OPTIONS, PROTOCOL_NAMES
from vnet.linux.bridge.port import BridgePort
from vnet.linux.netns.interface import Interface
from vnet.netdev.device import NetDevice
from vnet.netdev.vlan_device import VlanDevice
from vnet.shell.views.brctl import left_text, time_text

_MTU_LIMITS = {"loopback": (0, 0), "vlan": (0, 65_535)}
_USUAL_MTU_LIMITS = (68, 65_535)
_NAMED_KINDS = ("bridge", "openvswitch", "veth")
_QUEUES_AND_SEGMENTS = (
    "numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 "
    "tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536 "
)
_ADDRESS_BITS = 48
_STP_GROUP = "01:80:c2:00:00:00"
_GROUP_NAMES = {0: "stp", 2: "lacp", 14: "lldp"}
_ON_OFF = {True: "on", False: "off"}

_BEFORE_IDS = (
    *("forward_delay", "hello_time", "max_age", "ageing_time", "stp_state", "priority"),
    *("vlan_filtering", "vlan_protocol"),
)
_BEHIND_TIMERS = ("vlan_default_pvid", "vlan_stats_enabled", "vlan_stats_per_port")
_BEHIND_GROUP = (
    *("mcast_router", "mcast_query_use_ifaddr", "mcast_querier", "mcast_hash_elasticity"),
    *("mcast_hash_max", "mcast_last_member_count", "mcast_startup_query_count"),
    *("mcast_last_member_interval", "mcast_membership_interval", "mcast_querier_interval"),
    *("mcast_query_interval", "mcast_query_response_interval", "mcast_startup_query_interval"),
)
_AT_END = (
    *("mcast_igmp_version", "mcast_mld_version"),
    *("nf_call_iptables", "nf_call_ip6tables", "nf_call_arptables"),
)


def detail_lines(interface: Interface) -> list[str]:
    """What goes behind the MAC, and below it. ``addrgenmode`` is there where IPv6 is."""
    device = interface.device
    master = interface.namespace.master_of(device.name)
    port = master.port_of(device) if master is not None else None
    least, most = _MTU_LIMITS.get(device.kind, _USUAL_MTU_LIMITS)
    # A bridge hears all that comes to its ports.
    listens = int(port is not None)
    lines = [f" promiscuity {listens}  allmulti {listens} minmtu {least} maxmtu {most} "]
    kind = _kind_text(device, interface.namespace.bridges)
    if kind:
        lines.append(f"    {kind} ")
    if port is not None:
        lines.append(f"    bridge_slave {_words(_slave(port))} ")
    mode = "addrgenmode eui64 " if interface.addrconf is not None else ""
    lines[-1] += f"{mode}{_QUEUES_AND_SEGMENTS}"
    return lines


def _kind_text(device: NetDevice, bridges: Mapping[str, Bridge]) -> str:
    if isinstance(device, VlanDevice):
        return f"vlan protocol {PROTOCOL_NAMES[device.protocol]} id {device.vid} <REORDER_HDR>"
    if device.kind == "bridge" and device.name in bridges:
        return f"bridge {_words(_bridge(bridges[device.name]))}"
    return device.kind if device.kind in _NAMED_KINDS else ""


def _words(pairs: Iterator[tuple[str, object]]) -> str:
    return " ".join(
        f"{name} {_ON_OFF[value] if isinstance(value, bool) else value}" for name, value in pairs
    )


def _bridge(bridge: Bridge) -> Iterator[tuple[str, object]]:
    tree = bridge.tree
    yield from _options(bridge, _BEFORE_IDS)
    yield "bridge_id", identifier_text(tree.bridge_id)
    yield "designated_root", identifier_text(tree.root_id)
    yield "root_port", 0 if tree.root_port is None else tree.root_port.number
    yield "root_path_cost", tree.root_path_cost
    yield "topology_change", int(tree.topology_change)
    yield "topology_change_detected", int(tree.has_detected_change)
    hello, notice, change = tree.timers()
    yield "hello_timer", left_text(hello)
    yield "tcn_timer", left_text(notice)
    yield "topology_change_timer", left_text(change)
    yield "gc_timer", time_text(bridge.ageing.left_ns)
    yield from _options(bridge, _BEHIND_TIMERS)
    yield "group_fwd_mask", _mask_text(bridge.group_fwd_mask)
    yield "group_address", _STP_GROUP
    yield from _options(bridge, ("mcast_snooping",))
    yield "no_linklocal_learn", 0
    yield "mcast_vlan_snooping", 0
    yield from _options(bridge, _BEHIND_GROUP)
    yield "mcast_stats_enabled", 0
    yield from _options(bridge, _AT_END)


def _options(bridge: Bridge, names: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    for name in names:
        value = int(BRIDGE_OPTIONS[name].get(bridge))
        yield name, PROTOCOL_NAMES[value] if name == "vlan_protocol" else value


def _slave(port: BridgePort) -> Iterator[tuple[str, object]]:
    tree = port.tree
    root_id, cost, bridge_id, port_id = tree.best
    yield "state", port.state.name.lower()
    yield "priority", port.priority
    yield "cost", port.path_cost
    yield "hairpin", port.hairpin
    yield "guard", port.bpdu_guard
    yield "root_block", port.root_block
    yield "fastleave", port.fast_leave
    yield "learning", port.learning
    yield "flood", port.unicast_flood
    yield "port_id", f"{tree.id:#x}"
    yield "port_no", f"{port.number:#x}"
    yield "designated_port", port_id
    yield "designated_cost", cost
    yield "designated_bridge", identifier_text(bridge_id)
    yield "designated_root", identifier_text(root_id)
    yield "hold_timer", left_text(tree.hold)
    yield "message_age_timer", left_text(tree.message_age)
    yield "forward_delay_timer", left_text(tree.forward_delay)
    yield "topology_change_ack", int(tree.must_acknowledge)
    yield "config_pending", int(tree.config_is_pending)
    yield "proxy_arp", False
    yield "proxy_arp_wifi", False
    yield "mcast_router", port.multicast_router
    yield "mcast_fast_leave", port.fast_leave
    yield "mcast_flood", port.multicast_flood
    yield "bcast_flood", port.broadcast_flood
    yield "mcast_to_unicast", port.multicast_to_unicast
    yield "neigh_suppress", port.neigh_suppress
    yield "group_fwd_mask", _mask_text(port.group_fwd_mask)
    yield "group_fwd_mask_str", _groups_text(port.group_fwd_mask)
    yield "vlan_tunnel", False
    yield "isolated", port.isolated
    yield "locked", port.locked


def _mask_text(mask: int) -> str:
    return f"{mask:#x}" if mask else "0"


def _groups_text(mask: int) -> str:
    """The protocols of the reserved addresses in a mask, by number where they have no name."""
    bits = (bit for bit in range(16) if mask & 1 << bit)
    return ",".join(_GROUP_NAMES.get(bit, f"{1 << bit:#x}") for bit in bits) or "0x0"


def identifier_text(identifier: int) -> str:
    """A bridge's identifier as ip(8) has it: priority, a dot, the MAC."""
    mac = (identifier & (1 << _ADDRESS_BITS) - 1).to_bytes(6, "big").hex(":")
    return f"{identifier >> _ADDRESS_BITS:04x}.{mac}"
