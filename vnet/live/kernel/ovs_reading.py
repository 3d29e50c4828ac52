"""A bridge of Open vSwitch that only learns and floods, as a Linux bridge does it.

Its VXLAN ports with one remote and one key become a VXLAN device each, or one device for all of
one network: the kernel has one of a VNI and UDP port, which then floods to every remote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vnet.base.ids import Mac
from vnet.live.kernel.plan import BridgePlan, PairPlan, PortPlan, VxlanPlan
from vnet.ovs.ofproto.tunnel.config import ANY_ADDRESS, TunnelConfig
from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig, InterfaceConfig
from vnet.topology.model import Endpoint, OvsBridge

_CENTISECONDS = 100


def faults(label: str, bridge: OvsBridge) -> list[str]:
    """What of a bridge no Linux bridge can do, as sentences."""
    config = bridge.config
    found = []
    if bridge.has_flows:
        found.append("flows")
    if config.is_secure and not bridge.has_flows:
        found.append("fail_mode secure, which forwards nothing")
    found += ["the controller"] if config.controller else []
    if config.stp_enable or config.rstp_enable:
        found.append("the spanning tree of Open vSwitch")
    found += ["mirrors"] if config.mirrors else []
    found += ["flood_vlans"] if config.flood_vlans else []
    for port in {port.name: port for port in (*config.ports, *bridge.ports.values())}.values():
        found += [f"{what} of port {port.name}" for what in _port_faults(port)]
    return [f"{label}: {what}: the Linux bridge in its place has nothing of it" for what in found]


def _port_faults(port: BridgePortConfig) -> Iterator[str]:
    if port.tag is not None or port.trunks or port.vlan_mode or port.cvlans:
        yield "VLANs"
    if port.protected:
        yield "protected"
    if port.qos is not None:
        yield "QoS"
    if len(port.interfaces) > 1:
        yield "the bond"
    for interface in port.interfaces:
        if interface.ingress_policing_rate or interface.ingress_policing_kpkts_rate:
            yield "policing"
        if interface.is_tunnel and not _is_plain(interface.tunnel):
            yield f"{interface.type} with these options"


def _is_plain(tunnel: TunnelConfig) -> bool:
    """A VXLAN tunnel to one place, with one key."""
    keys = (tunnel.in_key, tunnel.out_key)
    return (
        tunnel.kind == "vxlan"
        and bool(tunnel.remote)
        and tunnel.local is not None
        and not any(key.is_flow for key in keys)
        and tunnel.in_key == tunnel.out_key
        and not tunnel.is_gpe
        and not tunnel.inherits_ttl
        and tunnel.egress_mark is None
    )


def bridge_plan(config: BridgeConfig, mac: Mac | None) -> BridgePlan:
    """The Linux bridge in its place: no forward delay, and its ageing and snooping."""
    options = {
        "forward_delay": 0,
        "ageing_time": config.mac_aging_time_s * _CENTISECONDS,
        "mcast_snooping": int(config.mcast_snooping_enable),
    }
    return BridgePlan(config.name, options, mac or config.hwaddr)


def port_plans(config: BridgeConfig, devices: Iterable[str]) -> list[PortPlan]:
    """Its ports: ``devices`` of the host, and the ends of patches."""
    patches = [i.name for i in _interfaces(config) if i.is_patch]
    return [PortPlan(config.name, name) for name in dict.fromkeys((*devices, *patches))]


def patches(node: str, configs: Iterable[BridgeConfig]) -> Iterator[PairPlan]:
    """The patches between bridges of one machine: veth pairs, where both ends are there."""
    peers = {i.name: i.peer for config in configs for i in _interfaces(config) if i.is_patch}
    for name, peer in peers.items():
        if peers.get(peer) == name and name < peer:
            yield PairPlan((Endpoint(node, name), Endpoint(node, peer)))


def vxlans(config: BridgeConfig) -> Iterator[VxlanPlan]:
    """Its VXLAN devices, each named after the first of the ports that it stands for."""
    found: dict[tuple[int, int], list[tuple[str, TunnelConfig]]] = {}
    for interface in _interfaces(config):
        if interface.is_tunnel:
            tunnel = interface.tunnel
            key = tunnel.out_key.value, tunnel.udp_port
            found.setdefault(key, []).append((interface.name, tunnel))
    for (vni, udp_port), tunnels in found.items():
        name, first = tunnels[0]
        yield VxlanPlan(
            name,
            config.name,
            vni,
            udp_port,
            tuple(tunnel.remote for _, tunnel in tunnels if tunnel.remote),
            None if first.local in (None, ANY_ADDRESS) else first.local,
            first.ttl,
            first.tos,
            first.dont_fragment,
            first.has_checksum,
        )


def _interfaces(config: BridgeConfig) -> Iterator[InterfaceConfig]:
    for port in config.ports:
        yield from port.interfaces
