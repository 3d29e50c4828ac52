"""From a lab that has just been built to the plan of the same on the kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vnet.base.ids import MAC_ZERO, is_link_local_ip6
from vnet.lab.network import Network
from vnet.lab.switches import Switch
from vnet.linux.netfilter.iptables.save import save_text
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace
from vnet.linux.tc.command import words_about
from vnet.live.kernel import bridge_reading, ovs_reading, service_reading
from vnet.live.kernel.plan import (
    BridgePlan,
    CablePlan,
    DevicePlan,
    Kind,
    NodePlan,
    PairPlan,
    Plan,
    PortPlan,
    VlanPlan,
    VxlanPlan,
)
from vnet.netdev.device import NetDevice
from vnet.netdev.loopback import Loopback
from vnet.netdev.nic import Nic
from vnet.netdev.pair import PairDevice
from vnet.netdev.vlan_device import VlanDevice
from vnet.ovs.datapath.internal import InternalDevice
from vnet.ovs.vswitchd.config import BridgeConfig
from vnet.sim.netem import UNIMPAIRED
from vnet.tables.fib import Route
from vnet.tables.policy import DEFAULT_RULE, LOCAL_RULE, MAIN_RULE, Rule
from vnet.topology import model
from vnet.topology.model import Address, Endpoint
from vnet.topology.steps import LinkStep, TcStep, all_steps

_GIVEN = frozenset(("boot", "static"))
"""Who made a route, if not the kernel by itself."""

_LONGEST_NAME = 15
_USUAL_RULES = (LOCAL_RULE, MAIN_RULE, DEFAULT_RULE)


def read_plan(network: Network) -> Plan:
    """What stands in ``network`` now; nothing in it may have happened yet."""
    topology = network.topology
    nodes = [_machine(network, machine.namespace) for machine in network.machines()]
    nodes += [_wire_switch(network, name) for name in network.switches]
    patches = [
        pair
        for node in (*topology.hosts, *topology.switches)
        for pair in ovs_reading.patches(node, _ovs_configs(topology, node).values())
    ]
    return Plan(
        topology.name,
        tuple(nodes),
        (*_pairs(network), *patches),
        tuple(_cables(network)),
        tuple(Endpoint(c.owner, c.name) for c in _cards(network) if c.end is None),
        tuple(_impossible(topology)),
    )


# -- machines


def _machine(network: Network, namespace: Namespace) -> NodePlan:
    name = namespace.name
    switches = list(network.switches_on(name))
    configs = _ovs_configs(network.topology, name)
    bridges, ports = _bridges(switches, configs, namespace)
    vxlans = [vxlan for config in configs.values() for vxlan in ovs_reading.vxlans(config)]
    names = {bridge.name for bridge in bridges}
    interfaces = list(namespace.interfaces.values())
    return NodePlan(
        name,
        (
            *(_device(interface, names) for interface in interfaces),
            *_switch_devices(vxlans, configs),
        ),
        tuple(bridges),
        tuple(ports),
        tuple(_vlans(interface.device for interface in interfaces)),
        tuple(vxlans),
        tuple(_routes(namespace)),
        tuple(_rules(namespace)),
        dict(namespace.sysctls.items()),
        tuple(_tc(network, name)),
        iptables=_iptables(namespace),
        br_netfilter=namespace.links.netfilter is not None,
        served=tuple(service_reading.served(network, name)),
        relays=tuple(service_reading.relays(network, name)),
        advertising=tuple(service_reading.advertising(network, name)),
        asking=tuple(service_reading.asking(network, name)),
    )


def _device(interface: Interface, bridges: set[str]) -> DevicePlan:
    device = interface.device
    addresses = tuple(
        Address(address.ip, address.prefix_length)
        for address in interface.addresses
        # What the kernel gives itself is left to the kernel.
        if not is_link_local_ip6(address.ip) and not isinstance(device, Loopback)
    )
    return DevicePlan(
        device.name,
        _kind(device, bridges),
        device.mac,
        device.mtu_bytes,
        device.admin_up,
        interface.arp,
        interface.multicast,
        interface.addrconf is not None or isinstance(device, Loopback),
        addresses,
    )


def _kind(device: NetDevice, bridges: set[str]) -> Kind:
    if device.name in bridges:
        return Kind.BRIDGE
    if isinstance(device, Loopback):
        return Kind.LOOPBACK
    if isinstance(device, VlanDevice):
        return Kind.VLAN
    assert isinstance(device, PairDevice | Nic), f"nobody knows how to make {device.label}"
    return Kind.VETH


def _vlans(devices: Iterable[NetDevice]) -> Iterator[VlanPlan]:
    for device in devices:
        if isinstance(device, VlanDevice):
            yield VlanPlan(device.name, device.lower.name, device.vid, device.protocol)


def _routes(namespace: Namespace) -> Iterator[Route[NetDevice]]:
    """Those straight to a link first: the gateways of the others are found by them."""
    routes = [
        route
        for routing in (namespace.routing4, namespace.routing6)
        for route in routing.policy
        if route.protocol in _GIVEN
    ]
    return iter(sorted(routes, key=lambda r: any(hop.gateway is not None for hop in r.nexthops)))


def _rules(namespace: Namespace) -> Iterator[tuple[int, Rule]]:
    for family, routing in ((4, namespace.routing4), (6, namespace.routing6)):
        yield from ((family, rule) for rule in routing.policy.rules if rule not in _USUAL_RULES)


def _tc(network: Network, node: str) -> Iterator[tuple[str, ...]]:
    topology = network.topology
    owner = topology.vms.get(node) or topology.hosts.get(node) or topology.routers.get(node)
    assert owner is not None, node
    nics = owner.vnics if isinstance(owner, model.Vm) else tuple(owner.nics.values())
    for nic in (*nics, *owner.vlans):
        card = network.card(node, nic.name) or network.device(node, nic.name)
        assert card is not None, f"{node}:{nic.name} was not built"
        yield from (tuple(words_about(card.name, command)) for command in nic.tc)


def _iptables(namespace: Namespace) -> dict[int, str]:
    """The rules of both families, where there are any."""
    netfilter = namespace.netfilter
    if netfilter is None:
        return {}
    rulesets = {4: netfilter.rules4, 6: netfilter.rules6}
    texts = {family: save_text(rules, only_made=True) for family, rules in rulesets.items()}
    return {family: text for family, text in texts.items() if text}


# -- switches


def _bridges(
    switches: Iterable[Switch],
    configs: Mapping[str, BridgeConfig],
    namespace: Namespace | None = None,
) -> tuple[list[BridgePlan], list[PortPlan]]:
    bridges: list[BridgePlan] = []
    ports: list[PortPlan] = []
    for switch in switches:
        if switch.bridge is not None:
            bridges.append(bridge_reading.bridge_plan(switch.bridge))
            ports += bridge_reading.port_plans(switch.bridge)
            continue
        config = configs[switch.name]
        made = {port.name for port in config.ports}
        joined = sorted(switch.ports().items(), key=lambda item: item[1])
        devices = [name for name, _ in joined if name not in made and name != switch.name]
        own = None if namespace is None else namespace.interface(switch.name).device.mac
        bridges.append(ovs_reading.bridge_plan(config, own))
        ports += ovs_reading.port_plans(config, devices)
        ports += [PortPlan(vxlan.bridge, vxlan.name) for vxlan in ovs_reading.vxlans(config)]
    return bridges, ports


def _ovs_configs(topology: model.Topology, node: str) -> dict[str, BridgeConfig]:
    """The bridges of Open vSwitch on a host, or the one that a switch on the wire is."""
    host = topology.hosts.get(node)
    if host is not None:
        return {s.name: s.ovs.config for s in host.switches.values() if s.ovs is not None}
    switch = topology.switches.get(node)
    return {} if switch is None or switch.ovs is None else {switch.name: switch.ovs.config}


def _switch_devices(
    vxlans: Iterable[VxlanPlan], configs: Mapping[str, BridgeConfig]
) -> Iterator[DevicePlan]:
    """What a datapath of Open vSwitch needs no devices for: tunnels, and the ends of patches."""
    for vxlan in vxlans:
        yield DevicePlan(vxlan.name, Kind.VXLAN, MAC_ZERO, 0)
    for config in configs.values():
        for port in config.ports:
            for interface in port.interfaces:
                if interface.is_patch:
                    yield DevicePlan(interface.name, Kind.VETH, MAC_ZERO, 1500)


def _wire_switch(network: Network, name: str) -> NodePlan:
    """A switch on the wire: a bridge that no host speaks through."""
    node = network.switches[name]
    configs = _ovs_configs(network.topology, name)
    bridges, ports = _bridges([node.switch], configs)
    vxlans = [vxlan for config in configs.values() for vxlan in ovs_reading.vxlans(config)]
    cards = tuple(
        DevicePlan(card.name, Kind.VETH, card.mac, card.mtu_bytes) for card in node.ports.values()
    )
    loopback = DevicePlan("lo", Kind.LOOPBACK, MAC_ZERO, 0)
    own = DevicePlan(name, Kind.BRIDGE, MAC_ZERO, 0, arp=False, multicast=False)
    return NodePlan(
        name,
        (loopback, *cards, *_switch_devices(vxlans, configs), own),
        tuple(bridges),
        tuple(ports),
        vxlans=tuple(vxlans),
    )


# -- wires


def _pairs(network: Network) -> Iterator[PairPlan]:
    seen: set[int] = set()
    for machine in network.machines():
        for interface in machine.namespace.interfaces.values():
            one = interface.device
            # The other end of a bridge's own device is a port of Open vSwitch, in no namespace.
            if not isinstance(one, PairDevice) or isinstance(one, InternalDevice):
                continue
            other = one.peer
            if id(one) not in seen and other is not one:
                seen.add(id(other))
                yield PairPlan((Endpoint(one.owner, one.name), Endpoint(other.owner, other.name)))


def _cards(network: Network) -> Iterator[Nic]:
    return (device for device in network.devices() if isinstance(device, Nic))


def _cables(network: Network) -> Iterator[CablePlan]:
    changed = [
        network.link_at(str(step.end))
        for step in all_steps(network.topology.scenario)
        if isinstance(step, LinkStep) and "up" in step.change
    ]
    queued = set(_queued(network))
    for link, wanted in zip(network.links, network.topology.links, strict=True):
        one, other = (network.card_at(end) for end in link.ends)
        shapes = wanted.bandwidth_bps or wanted.latency_ns or wanted.impairments != UNIMPAIRED
        yield CablePlan(
            (Endpoint(one.owner, one.name), Endpoint(other.owner, other.name)),
            wanted.latency_ns,
            wanted.bandwidth_bps,
            wanted.queue_frames,
            wanted.impairments,
            wanted.mtu_bytes,
            wanted.up,
            not wanted.up
            or link in changed
            or _is_narrow(wanted, one, other)
            or (bool(shapes) and (one in queued or other in queued)),
        )


def _queued(network: Network) -> Iterator[NetDevice | None]:
    """The devices whose queues the file gives or changes."""
    topology = network.topology
    for step in all_steps(topology.scenario):
        if isinstance(step, TcStep) and step.command is not None:
            yield network.device(step.device.node, step.device.device)
    owners: list[model.Host | model.Router] = [*topology.hosts.values(), *topology.routers.values()]
    for owner in owners:
        yield from (network.card(owner.name, nic.name) for nic in owner.nics.values() if nic.tc)


def _is_narrow(link: model.Link, one: Nic, other: Nic) -> bool:
    return link.mtu_bytes is not None and link.mtu_bytes < min(one.mtu_bytes, other.mtu_bytes)


def _impossible(topology: model.Topology) -> Iterator[str]:
    for host in topology.hosts.values():
        for switch in host.switches.values():
            if switch.ovs is not None:
                yield from ovs_reading.faults(f"{host.name}:{switch.name}", switch.ovs)
    for node in topology.switches.values():
        if node.ovs is not None:
            yield from ovs_reading.faults(node.name, node.ovs)
        if len(node.name.encode()) > _LONGEST_NAME:
            yield f"{node.name}: a bridge's name has {_LONGEST_NAME} bytes at most here"
