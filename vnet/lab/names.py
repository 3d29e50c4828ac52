"""The names of a lab: its DNS servers, and whom its machines ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from vnet.base.ids import ip_from_text
from vnet.guest.machine import Machine, reachable_address
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace
from vnet.linux.services.dns_server.settings import DnsServing, Upstream
from vnet.linux.services.names import HostNames, NameSource
from vnet.topology import model
from vnet.topology.expand import addresses_of

if TYPE_CHECKING:
    from vnet.lab.network import Network
    from vnet.linux.services.dns_server.server import DnsServer


def start_names(
    topology: model.Topology, namespaces: Mapping[str, Namespace]
) -> dict[str, list[DnsServer]]:
    """Set up every resolver and start every DNS server; returns these by their machine."""
    servers: dict[str, list[DnsServer]] = {}
    for node in machines(topology):
        namespace = namespaces[node.name]
        if node.resolver.servers:
            namespace.resolv_conf = node.resolver
        for device, addresses, serving in _servers_on(node):
            interface = namespace.interface(device)
            if addresses:
                # A bridge may have taken over the card's address.
                interface = namespace.owner_of(addresses[0].ip) or interface
            started = _start(topology, interface, serving)
            servers.setdefault(node.name, []).append(started)
    return servers


def machines(topology: model.Topology) -> Iterator[model.Host | model.Router | model.Vm]:
    """Hosts, routers and virtual machines."""
    return chain(topology.hosts.values(), topology.routers.values(), topology.vms.values())


def addresses_in(node: model.Host | model.Router | model.Vm) -> Iterator[model.Address]:
    """All addresses of a machine that its file knows, those of its bridges last."""
    yield from addresses_of(node)
    for switch in node.switches.values() if isinstance(node, model.Host) else ():
        yield from switch.addresses


def _servers_on(
    node: model.Host | model.Router | model.Vm,
) -> Iterator[tuple[str, Sequence[model.Address], DnsServing]]:
    cards = node.vnics if isinstance(node, model.Vm) else node.nics.values()
    for card in chain(cards, node.vlans):
        if card.dns is not None:
            yield card.name, card.addresses, card.dns
    for switch in node.switches.values() if isinstance(node, model.Host) else ():
        serving = switch.dns
        if serving is None:
            continue
        if switch.network is not None and not serving.upstreams:
            # libvirt's daemon asks whom its host asks.
            servers = (ip for ip in node.resolver.servers if ip not in _own_of(switch))
            serving = replace(serving, upstreams=tuple(map(Upstream, servers)))
        yield switch.name, switch.addresses, serving


def _own_of(switch: model.HostSwitch) -> set[bytes]:
    return {address.ip for address in switch.addresses}


def _start(topology: model.Topology, interface: Interface, serving: DnsServing) -> DnsServer:
    # Labs without DNS do without all that it is made of.
    from vnet.linux.services.dns_server.server import DnsServer

    names = HostNames(serving.domain)
    for name, addresses in serving.hosts:
        names.add(name, addresses)
    if serving.lab:
        for node in machines(topology):
            names.add(node.name, [address.ip for address in addresses_in(node)])
    leases = interface.namespace.dhcp_names
    sources: list[NameSource] = [names] if leases is None else [names, leases]
    return DnsServer(interface, serving, sources)


def name_server(network: Network, name: str, source: Machine) -> bytes:
    """Where ``source`` asks the DNS server that is called ``name``, or is an address."""
    machine = network.machine(name)
    if machine is None:
        return ip_from_text(name)
    among = [ip for server in network.dns_servers.get(name, ()) for ip in server.addresses]
    return reachable_address(machine, source, among=among)
