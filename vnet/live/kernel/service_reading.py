"""Who serves DHCP and DNS in a lab, who passes requests on, who asks, and who advertises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from vnet.base.ids import IpAddress, is_link_local_ip6, network_of
from vnet.lab.names import addresses_in, machines
from vnet.lab.network import Network
from vnet.live.kernel.plan import AdvertisingPlan, RelayPlan, ServedPlan
from vnet.topology.model import Address, Host, Nic, Router, Vm


def served(network: Network, node: str) -> Iterator[ServedPlan]:
    """The devices of a machine where something is served, bridges last."""
    owner = _owner(network, node)
    for card in _cards(owner):
        address = _ipv4(card.addresses)
        if address is not None and (card.dhcp is not None or card.dns is not None):
            device = _device_of(network, node, card, address)
            yield ServedPlan(device, address, card.dhcp, card.dns)
    for switch in owner.switches.values() if isinstance(owner, Host) else ():
        address = _ipv4(switch.addresses)
        if switch.network is not None:
            address = Address(switch.network.ip, switch.network.prefix_length)
        if address is not None and (switch.dhcp is not None or switch.dns is not None):
            yield ServedPlan(switch.name, address, switch.dhcp, switch.dns)


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


def names(network: Network) -> dict[str, tuple[IpAddress, ...]]:
    """The machines, with the addresses that the file knows."""
    return {
        node.name: tuple(address.ip for address in addresses_in(node))
        for node in machines(network.topology)
    }


def _owner(network: Network, node: str) -> Host | Router | Vm:
    return next(each for each in machines(network.topology) if each.name == node)


def _cards(owner: Host | Router | Vm) -> Iterable[Nic]:
    return chain(owner.vnics if isinstance(owner, Vm) else owner.nics.values(), owner.vlans)


def _ipv4(addresses: Iterable[Address]) -> Address | None:
    return next((address for address in addresses if len(address.ip) == 4), None)


def _device_of(network: Network, node: str, card: Nic, address: Address) -> str:
    """Who has the address now: a bridge may have taken it over from the card."""
    machine = network.machine(node)
    assert machine is not None, f"{node} was built"
    interface = machine.namespace.owner_of(address.ip)
    return card.name if interface is None else interface.device.name
