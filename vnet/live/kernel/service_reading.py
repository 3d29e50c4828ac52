"""Who serves DHCP and DNS in a lab, who passes requests on, who asks, and who advertises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from vnet.base.ids import IpAddress, is_link_local_ip6, network_of
from vnet.lab.name_scopes import Node, machines, names_for, serving_on
from vnet.lab.network import Network
from vnet.linux.services.dns_server.settings import DnsServing
from vnet.live.kernel.plan import AdvertisingPlan, RelayPlan, ServedPlan
from vnet.topology.model import Address, Host, Nic, Vm


def served(network: Network, node: str) -> Iterator[ServedPlan]:
    """The devices of a machine where something is served, bridges last."""
    owner = _owner(network, node)
    for card in _cards(owner):
        address = _ipv4(card.addresses)
        if address is not None and (card.dhcp is not None or card.dns is not None):
            device = _device_of(network, node, card, address)
            names = _names(network, owner, device, card.dns)
            yield ServedPlan(device, address, card.dhcp, card.dns, names)
    for switch in owner.switches.values() if isinstance(owner, Host) else ():
        address = _ipv4(switch.addresses)
        if switch.network is not None:
            address = Address(switch.network.ip, switch.network.prefix_length)
        dns = serving_on(owner, switch) if isinstance(owner, Host) else None
        if address is not None and (switch.dhcp is not None or dns is not None):
            names = _names(network, owner, switch.name, dns)
            is_apart = switch.network is not None
            yield ServedPlan(switch.name, address, switch.dhcp, dns, names, is_apart)


def relays(network: Network, node: str) -> Iterator[RelayPlan]:
    """The devices of a machine from which requests are passed on."""
    for card in _cards(_owner(network, node)):
        address = _ipv4(card.addresses)
        if card.dhcp_relay and address is not None:
            device = _device_of(network, node, card, address)
            yield RelayPlan(device, address, card.dhcp_relay)


def advertising(network: Network, node: str) -> Iterator[AdvertisingPlan]:
    """The devices of a machine where it says that it is a router."""
    for card in _cards(_owner(network, node)):
        if card.ra is not None:
            networks = {
                Address(network_of(address.ip, address.prefix_length), address.prefix_length)
                for address in card.addresses
                if len(address.ip) == 16 and not is_link_local_ip6(address.ip)
            }
            ordered = tuple(sorted(networks, key=lambda each: each.ip))
            yield AdvertisingPlan(card.name, card.mtu_bytes, ordered, card.ra)


def asking(network: Network, node: str) -> Iterator[str]:
    """The devices that get their addresses by DHCP; a bridge stands for its uplink."""
    for card in _cards(_owner(network, node)):
        if card.dhcp_client:
            domains = network.domains.get(node)
            bridge = None if domains is None else domains.bridge_of(card.name)
            yield bridge or card.name


def _names(
    network: Network, owner: Node, device: str, serving: DnsServing | None
) -> dict[str, list[IpAddress]]:
    """The machines that are known where ``serving`` is, with the addresses that the file knows."""
    known = serving is not None and serving.lab
    return names_for(network.topology, owner, device) if known else {}


def _owner(network: Network, node: str) -> Node:
    return next(each for each in machines(network.topology) if each.name == node)


def _cards(owner: Node) -> Iterable[Nic]:
    return chain(owner.vnics if isinstance(owner, Vm) else owner.nics.values(), owner.vlans)


def _ipv4(addresses: Iterable[Address]) -> Address | None:
    return next((address for address in addresses if len(address.ip) == 4), None)


def _device_of(network: Network, node: str, card: Nic, address: Address) -> str:
    """Who has the address now: a bridge may have taken it over from the card."""
    machine = network.machine(node)
    assert machine is not None, f"{node} was built"
    interface = machine.namespace.owner_of(address.ip)
    return card.name if interface is None else interface.device.name
