"""The DHCP servers, relays and clients that a topology file asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vnet.guest.machine import Machine
from vnet.topology import model

if TYPE_CHECKING:
    from vnet.lab.network import Network
    from vnet.linux.netns.interface import Interface
    from vnet.linux.services.dhcp_server.settings import DhcpServing


def start_dhcp(network: Network) -> None:
    """Start them: first those who answer, then those who ask."""
    topology = network.topology
    for router in topology.routers.values():
        _serve(network.routers[router.name], (*router.nics.values(), *router.vlans))
    for host in topology.hosts.values():
        machine = network.hosts[host.name]
        _serve(machine, (*host.nics.values(), *host.vlans))
        for switch in host.switches.values():
            if switch.dhcp is not None:
                interface = machine.namespace.interface(switch.name)
                _start_server(interface, switch.dhcp, machine.epoch_ns)
    for vm in topology.vms.values():
        _serve(network.vms[vm.name], (*vm.vnics, *vm.vlans))
    for name, nodes in _asking(topology):
        asker = network.machine(name)
        assert asker is not None, f"{name} is built"
        for card in nodes:
            device = card.name
            if name in network.domains:
                # A card that is a bridge's port has lent it its addresses.
                device = network.domains[name].bridge_of(device) or device
            network.scheduler.after(0, asker.dhcp_client(device).start)


def _serve(machine: Machine, cards: Iterable[model.Nic]) -> None:
    namespace = machine.namespace
    for card in cards:
        if card.dhcp is None and not card.dhcp_relay:
            continue
        own = next(address.ip for address in card.addresses if len(address.ip) == 4)
        interface = namespace.owner_of(own)
        assert interface is not None, f"{namespace.name} has its address"
        if card.dhcp is not None:
            _start_server(interface, card.dhcp, machine.epoch_ns)
        else:
            from vnet.linux.services.dhcp_relay import DhcpRelay  # As in _start_server.

            DhcpRelay(interface, card.dhcp_relay)


def _start_server(interface: Interface, serving: DhcpServing, epoch_ns: int) -> None:
    # Labs without DHCP do without all that it is made of.
    from vnet.linux.services.dhcp_server.daemon import DhcpServer

    DhcpServer(interface, serving, epoch_ns)


def _asking(topology: model.Topology) -> Iterable[tuple[str, list[model.Nic]]]:
    """Each machine with its cards that get their addresses by DHCP."""
    for machines in (topology.hosts, topology.routers):
        for name, machine in machines.items():
            yield name, [c for c in (*machine.nics.values(), *machine.vlans) if c.dhcp_client]
    for name, vm in topology.vms.items():
        yield name, [card for card in (*vm.vnics, *vm.vlans) if card.dhcp_client]
