"""The host whose libvirtd is asked: its machines, their cards, and its networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from vnet.base.errors import UsageError
from vnet.base.ids import Mac
from vnet.base.text import did_you_mean
from vnet.guest.machine import Guest
from vnet.hypervisor.modes.libvirt import StartedNetwork
from vnet.lab.domains import Domains
from vnet.lab.network import Network, front_of
from vnet.linux.services.dhcp_server.leases import Lease
from vnet.topology.model import Hypervisor

MODELS = {Hypervisor.KVM: "virtio", Hypervisor.XEN: "netfront"}
URIS = {Hypervisor.KVM: "qemu:///system", Hypervisor.XEN: "xen:///system"}


class Card(NamedTuple):
    """A machine's card: its back end, what it is plugged into (``source`` is a network's name where
    ``kind`` is "network"), its model and its address."""

    back_end: str
    kind: str
    source: str
    bridge: str
    model: str
    mac: Mac


@dataclass(frozen=True)
class Host:
    """The host whose libvirtd is asked."""

    network: Network
    domains: Domains

    @property
    def name(self) -> str:
        return self.domains.host.name

    @property
    def model(self) -> str:
        """What kind of card guests have."""
        return MODELS.get(self.domains.host.hypervisor, "-")

    @property
    def networks(self) -> dict[str, StartedNetwork]:
        return self.domains.networks.started

    def find_network(self, name: str) -> StartedNetwork:
        """A network by name or UUID."""
        for network in self.networks.values():
            if name in (network.wanted.name, network.uuid):
                return network
        why = f"Network not found: no network with matching name '{name}'"
        raise UsageError(f"error: failed to get network '{name}'", why)

    def find_guest(self, name: str) -> Guest:
        """A machine that runs here, by name, number or UUID."""
        for vm, domid in self.domains.running.items():
            guest = self.network.vms[vm]
            if name in (vm, str(domid), self.uuid_of(guest)):
                return guest
        known = did_you_mean(name, list(self.domains.running), "there are")
        raise UsageError(f"error: failed to get domain '{name}'", known or "there is none")

    def leases(self, network: StartedNetwork) -> list[Lease]:
        """Who has an address of a network."""
        namespace = self.network.hosts[self.name].namespace
        server = namespace.dhcp_servers.get(namespace.interface(network.wanted.bridge))
        return [] if server is None else list(server.leases)

    def cards_on(self, bridge: str) -> int:
        """How many cards of machines are plugged into a bridge."""
        vnics = [vnic for vm in self.domains.running for vnic in self.network.vms[vm].vnics]
        return sum(self.network.plug_of(vnic) == (self.name, bridge) for vnic in vnics)

    def uuid_of(self, guest: Guest) -> str:
        """A random one (RFC 4122 section 4.4), grown from the seed."""
        namespace = guest.namespace
        stream = namespace.chance.stream(f"{namespace.name} uuid")
        return str(UUID(bytes=stream.randbytes(16), version=4))

    def cards_of(self, guest: Guest) -> list[Card]:
        """The cards of a machine, as its host has them."""
        by_bridge = {network.wanted.bridge: name for name, network in self.networks.items()}
        cards = []
        for vnic in guest.vnics:
            _host, bridge = self.network.plug_of(vnic)
            kind, source = "bridge", bridge
            if bridge in by_bridge:
                kind, source = "network", by_bridge[bridge]
            elif not bridge:
                kind, source = "ethernet", "-"
            front = front_of(vnic)
            cards.append(Card(front.peer.name, kind, source, bridge, self.model, front.mac))
        return cards
