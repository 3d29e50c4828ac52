"""Which machines of a lab a DNS server knows: a virtual network has one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TypeAlias

from vnet.base.ids import IpAddress
from vnet.hypervisor.modes.virtual_network import Forward, VirtualNetwork
from vnet.linux.services.dns_server.settings import DnsServing, Upstream
from vnet.topology import model
from vnet.topology.expansion.expand import nics_of

Node: TypeAlias = model.Host | model.Router | model.Vm
_Place: TypeAlias = tuple[str, str]
_OUTSIDE: _Place = ("", "")


def machines(topology: model.Topology) -> Iterator[Node]:
    """Hosts, routers and virtual machines."""
    return chain(topology.hosts.values(), topology.routers.values(), topology.vms.values())


def names_for(topology: model.Topology, node: Node, device: str) -> dict[str, list[IpAddress]]:
    """The machines that a DNS server of ``node`` on ``device`` knows, with their addresses.

    That of a virtual network knows who is on it, and who is on none, for it may ask the world;
    that of an isolated one has nobody to ask. Others know everybody.
    """
    seen = None
    network = networks_of(node).get(device)
    if network is not None:
        seen = {(node.name, device)}
        if network.forward is not Forward.ISOLATED:
            seen.add(_OUTSIDE)
    known = {
        each.name: [ip for ip, place in _places(topology, each) if seen is None or place in seen]
        for each in machines(topology)
    }
    return {name: addresses for name, addresses in known.items() if addresses}


def serving_on(host: model.Host, switch: model.HostSwitch) -> DnsServing | None:
    """What the DNS server on a bridge of a host is told. libvirt's daemon asks whom its host asks,
    but for that of an isolated network."""
    serving, network = switch.dns, switch.network
    if serving is None or network is None or serving.upstreams:
        return serving
    if network.forward is Forward.ISOLATED:
        return serving
    own = {address.ip for address in switch.addresses}
    servers = (ip for ip in host.resolver.servers if ip not in own)
    return replace(serving, upstreams=tuple(map(Upstream, servers)))


def networks_of(node: Node) -> dict[str, VirtualNetwork]:
    """The virtual networks of a machine, by their bridges."""
    switches = node.switches.values() if isinstance(node, model.Host) else ()
    return {each.name: each.network for each in switches if each.network is not None}


def _places(topology: model.Topology, node: Node) -> Iterator[tuple[IpAddress, _Place]]:
    """All addresses of a machine that its file knows, those of its bridges last, each with the
    host and the bridge of the virtual network that it is on, or OUTSIDE."""
    host = topology.hosts[node.host] if isinstance(node, model.Vm) else node
    networks = networks_of(host)
    places: dict[str, _Place] = {name: (host.name, name) for name in networks}
    if isinstance(node, model.Vm):
        places = {v.name: (host.name, v.switch) for v in node.vnics if v.switch in networks}
    for card in nics_of(node):
        for address in card.addresses:
            yield address.ip, places.get(card.name, _OUTSIDE)
    for vlan in node.vlans:
        # A VLAN is where its device is; one of a VLAN stands behind that.
        place = places[vlan.name] = places.get(vlan.link, _OUTSIDE)
        for address in vlan.addresses:
            yield address.ip, place
    for switch in node.switches.values() if isinstance(node, model.Host) else ():
        for address in switch.addresses:
            yield address.ip, places.get(switch.name, _OUTSIDE)
