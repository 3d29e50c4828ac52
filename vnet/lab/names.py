"""The names of a lab: its DNS servers, and whom its machines ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from vnet.base.ids import ip_from_text
from vnet.guest.machine import Machine, reachable_address
from vnet.lab.name_scopes import Node, machines, names_for, networks_of, serving_on
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace
from vnet.linux.services.dns_server.settings import DnsServing
from vnet.linux.services.names import HostNames
from vnet.topology import model
from vnet.topology.expansion.expand import nics_of

if TYPE_CHECKING:
    from vnet.lab.network import Network
    from vnet.linux.services.dhcp_server.leases import LeaseTable
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
            started = _start(topology, node, interface, serving)
            servers.setdefault(node.name, []).append(started)
    return servers


def _servers_on(
    node: Node,
) -> Iterator[tuple[str, Sequence[model.Address], DnsServing]]:
    for card in chain(nics_of(node), node.vlans):
        if card.dns is not None:
            yield card.name, card.addresses, card.dns
    if isinstance(node, model.Host):
        for switch in node.switches.values():
            serving = serving_on(node, switch)
            if serving is not None:
                yield switch.name, switch.addresses, serving


def _start(
    topology: model.Topology, node: Node, interface: Interface, serving: DnsServing
) -> DnsServer:
    # Labs without DNS do without all that it is made of.
    from vnet.linux.services.dhcp_server.leases import LeaseNames
    from vnet.linux.services.dns_server.server import DnsServer

    names = HostNames(serving.domain)
    for name, addresses in serving.hosts:
        names.add(name, addresses)
    device = interface.device.name
    if serving.lab:
        for name, known in names_for(topology, node, device).items():
            names.add(name, known)
    networks = networks_of(node)
    leases = LeaseNames(lambda: _leases_beside(interface, networks))
    return DnsServer(interface, serving, [names, leases])


def _leases_beside(interface: Interface, networks: Iterable[str]) -> Iterator[LeaseTable]:
    """What the daemon that serves names on ``interface`` leases itself: each virtual network has
    one of its own, and the rest of the machine one for all."""
    own = interface.device.name
    for face, server in interface.namespace.dhcp_servers.items():
        device = face.device.name
        if device == own or (own not in networks and device not in networks):
            yield server.leases


def name_server(network: Network, name: str, source: Machine) -> bytes:
    """Where ``source`` asks the DNS server that is called ``name``, or is an address."""
    machine = network.machine(name)
    if machine is None:
        return ip_from_text(name)
    among = [ip for server in network.dns_servers.get(name, ()) for ip in server.addresses]
    return reachable_address(machine, source, among=among)
