"""The namespace: devices, addresses, routes and rules of one machine, and the stack over them.

What ``ip`` does to a machine is in ``links``, ``addresses``, ``routes`` and ``rules``; the names
that are used most are the namespace's own. All of them tell ``listeners`` of every change, as
the kernel tells rtnetlink. Frames never pass through this file; they go from interface to
protocol to interface.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vnet.base.chance import Chance
from vnet.base.ids import IpAddress
from vnet.linux.kernel_log import KernelLog
from vnet.linux.linkwatch import Linkwatch
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.addresses import Addresses
from vnet.linux.netns.arp import ArpProtocol
from vnet.linux.netns.changes import Change, NeighborChange
from vnet.linux.netns.icmp import Icmp4
from vnet.linux.netns.icmpv6 import Icmp6
from vnet.linux.netns.ident import Identifications
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.ipv4 import Ipv4Stack
from vnet.linux.netns.ipv6 import Ipv6Stack
from vnet.linux.netns.links import Links
from vnet.linux.netns.nd import NeighborDiscovery
from vnet.linux.netns.neighbor import Neighbors, thresholds_of
from vnet.linux.netns.routes import Routes
from vnet.linux.netns.routing.destination import Destination
from vnet.linux.netns.routing.routing import Routing
from vnet.linux.netns.rules import Rules
from vnet.linux.netns.sockets.table import Sockets
from vnet.linux.netns.sysctl.sysctls import Sysctls
from vnet.linux.resolv_conf import NO_RESOLVER
from vnet.linux.tc.qdiscs import TrafficControl
from vnet.netdev.loopback import Loopback
from vnet.sim.scheduler import Scheduler
from vnet.tables.neigh import Neighbor
from vnet.wire.arp import Arp

if TYPE_CHECKING:
    from vnet.linux.netfilter.netfilter import Netfilter
    from vnet.linux.services.dhcp_relay import DhcpRelay
    from vnet.linux.services.dhcp_server.daemon import DhcpServer

_LOOPBACK_ADDRESSES = (
    (IpAddress(b"\x7f\0\0\1"), 8),
    (IpAddress(bytes(15) + b"\1"), 128),
)


class Namespace:
    """A machine's networking. ``name`` is its node's name in the lab, ``epoch_ns`` the time of day,
    in ns since 1970, when the lab's time is 0."""

    def __init__(
        self,
        scheduler: Scheduler,
        name: str,
        chance: Chance,
        *,
        linkwatch: Linkwatch | None = None,
        epoch_ns: int = 0,
    ) -> None:
        self.scheduler = scheduler
        self.epoch_ns = epoch_ns
        self.name = name
        self.chance = chance
        self.linkwatch = linkwatch
        self.netfilter: Netfilter | None = None
        self.resolv_conf = NO_RESOLVER
        self.dhcp_servers: dict[Interface, DhcpServer] = {}
        """By the interface that each serves."""
        self.dhcp_relays: dict[IpAddress, DhcpRelay] = {}
        """By the address that each gives as its own."""
        self.log = KernelLog(scheduler)
        self.sysctls = Sysctls()
        self.sysctls.changed = self._settings_changed
        self.listeners: list[Callable[[Change], None]] = []
        self.arp_listeners: list[Callable[[Interface, Arp], None]] = []
        self._make_configuration()
        self._make_stack()
        self.loopback = self.add_device(Loopback(scheduler, name))
        for ip, prefix_length in _LOOPBACK_ADDRESSES:
            self.addresses.put(self.loopback, InterfaceAddress(ip, prefix_length))
        self.set_up("lo")

    def _make_configuration(self) -> None:
        links = self.links = Links(self)
        self.interfaces, self.bridges = links.interfaces, links.bridges
        self.interface = links.interface
        self.add_device, self.remove_device = links.add_device, links.remove_device
        self.add_bridge, self.master_of = links.add_bridge, links.master_of
        self.enslave, self.release = links.enslave, links.release
        self.rename, self.set_mac, self.set_mtu = links.rename, links.set_mac, links.set_mtu
        self.set_flags, self.set_up, self.set_down = links.set_flags, links.set_up, links.set_down
        self.link_changed, self.forget_ipv6 = links.changed, links.forget_ipv6
        addresses = self.addresses = Addresses(self)
        self.owns, self.owner_of = addresses.owns, addresses.owner_of
        self.add_address, self.delete_address = addresses.add, addresses.delete
        self.learn_address, self.address_changed = addresses.learn, addresses.changed
        self.routing4 = Routing(self, 4)
        self.routing6 = Routing(self, 16)
        routes = self.routes = Routes(self)
        self.add_route, self.delete_route = routes.add_static, routes.delete
        self.rules = Rules(self)

    def _make_stack(self) -> None:
        self.neighbors4 = Neighbors(self.scheduler)
        self.neighbors6 = Neighbors(self.scheduler)
        self.idents = Identifications(self)
        self.sockets = Sockets(self)
        self.traffic_control = TrafficControl(self.chance, self.links.has_mac)
        self.arp = ArpProtocol(self)
        self.icmp = Icmp4(self)
        self.icmpv6 = Icmp6(self)
        self.nd = NeighborDiscovery(self)
        self.ipv4 = Ipv4Stack(self)
        self.ipv6 = Ipv6Stack(self)

    # -- where packets go

    def route_to(self, target: bytes) -> Destination | None:
        """Where a packet of our own to ``target`` goes; None if it goes nowhere."""
        found = (self.routing6 if len(target) == 16 else self.routing4).to(target)
        return found if found is not None and found.leads_somewhere else None

    def forget_decisions(self) -> None:
        """Links, addresses or settings changed, and so perhaps the way of packets."""
        self.routing4.forget()
        self.routing6.forget()

    def make_netfilter(self) -> Netfilter:
        """The machine's netfilter, which it has once somebody wants to hang something there."""
        if self.netfilter is None:
            # Labs without rules do without all that tracks connections and judges packets.
            from vnet.linux.netfilter.netfilter import Netfilter

            self.netfilter = Netfilter(self)
            self.links.hook_bridges()
        return self.netfilter

    # -- telling

    def tell(self, change: Change) -> None:
        """Something in the configuration changed."""
        for listener in self.listeners:
            listener(change)

    def neighbor_changed(
        self, interface: Interface, neighbor: Neighbor[Any], *, deleted: bool = False
    ) -> None:
        """A neighbour came to another state, or was forgotten; tell whoever listens."""
        if self.listeners:
            self.tell(NeighborChange(interface.device, neighbor, deleted))

    def _settings_changed(self) -> None:
        self.neighbors4.thresholds = thresholds_of(self.sysctls.ipv4_neighbors.default)
        self.neighbors6.thresholds = thresholds_of(self.sysctls.ipv6_neighbors.default)
        if self.netfilter is not None:
            self.netfilter.settings_changed()
        self.links.settings_changed()
        for interface in self.interfaces.values():
            interface.settings_changed()
        self.forget_decisions()
