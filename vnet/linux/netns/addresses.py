"""The addresses of a namespace: ``ip address``, and the routes that come and go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, ip_text
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.changes import AddressChange
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.routing.connected import broadcast_routes, local_route, prefix_route
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Route

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace


class Addresses:
    """Who has which address. They are the machine's, on whatever interface (weak host model)."""

    __slots__ = ("_namespace", "_owned")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._owned: dict[bytes, Interface] = {}

    # -- asking

    def owns(self, ip: bytes) -> bool:
        """Whether packets to ``ip`` are ours: by an address, or by a route of type local."""
        if ip in self._owned or (len(ip) == 4 and ip[0] == 127):
            return True
        routing = self._namespace.routes.routing_of(ip)
        return routing.has_local_routes_by_hand and routing.is_local(ip)

    def owner_of(self, ip: bytes) -> Interface | None:
        """The interface that has ``ip``, or None."""
        return self._owned.get(ip)

    # -- changing

    def add(self, name: str, ip: IpAddress, prefix_length: int) -> None:
        """``ip addr add IP/LEN dev NAME``. IPv6 addresses start with a duplicate check."""
        interface = self._namespace.interface(name)
        node = self._namespace.name
        if interface.find(ip) is not None:
            raise UsageError(f"{node}: {ip_text(ip)} is on {name} already")
        if len(ip) == 16 and interface.addrconf is None:
            raise UsageError(f"{node}: {name} does not speak IPv6")
        address = InterfaceAddress(ip, prefix_length)
        if len(ip) == 4:
            self._namespace.sysctls.address_added(name)
            address.join(interface.addresses)
        elif interface.ready:
            # The kernel sets up the groups of a device anew whenever somebody adds an address.
            interface.mld.report_all()
        self.learn(interface, address)

    def lend(
        self,
        name: str,
        ip: IpAddress,
        prefix_length: int,
        lifetime_s: int,
        broadcast: IpAddress | None = None,
    ) -> None:
        """``ip addr replace IP/LEN valid_lft S preferred_lft S [broadcast IP] dev NAME``.

        The address goes when its time is up.
        """
        interface = self._namespace.interface(name)
        found = interface.find(ip)
        if found is not None and found.prefix_length != prefix_length:
            self.delete(name, ip)
            found = None
        address = found or InterfaceAddress(ip, prefix_length)
        if broadcast is not None:
            address.broadcast, address.has_said_broadcast = broadcast, True
        now_ns = self._namespace.scheduler.now_ns
        address.set_lifetimes(lifetime_s, lifetime_s, now_ns)
        if found is None:
            self._namespace.sysctls.address_added(name)
            address.join(interface.addresses)
            self.put(interface, address)
        else:
            self._namespace.tell(AddressChange(interface.device, address))
        if address.valid_until_ns is not None:
            self._namespace.scheduler.at(address.valid_until_ns, self._run_out, interface, address)

    def _run_out(self, interface: Interface, address: InterfaceAddress) -> None:
        """The lifetime of an IPv4 address may be over, unless it was made longer."""
        until_ns = address.valid_until_ns
        is_over = until_ns is not None and until_ns <= self._namespace.scheduler.now_ns
        if is_over and address in interface.addresses:
            self.delete(interface.device.name, address.ip)

    def learn(self, interface: Interface, address: InterfaceAddress) -> None:
        """An address is there; if it is of IPv6 it is checked."""
        self.put(interface, address)
        if interface.addrconf is not None and len(address.ip) == 16:
            interface.addrconf.address_added(address)

    def put(self, interface: Interface, address: InterfaceAddress) -> None:
        """Give an interface an address, with nothing asked and nothing checked."""
        at = len(interface.addresses)
        if len(address.ip) == 4 and not address.is_secondary:
            # The first of each network come before all second ones.
            ranks = [a.is_secondary for a in interface.addresses]
            at = ranks.index(True) if True in ranks else at
        interface.addresses.insert(at, address)
        self._owned.setdefault(address.ip, interface)
        self._namespace.tell(AddressChange(interface.device, address))
        self._add_routes(interface, address)

    def delete(self, name: str, ip: IpAddress) -> None:
        """``ip addr del IP dev NAME``.

        With the first address of an IPv4 network go the others in it, unless promote_secondaries
        lets the next one take its place.
        """
        interface = self._namespace.interface(name)
        address = interface.find(ip)
        if address is None:
            raise UsageError(f"{self._namespace.name}: {ip_text(ip)} is not on {name}")
        seconds = [] if address.is_secondary else address.seconds_in(interface.addresses)
        if not interface.conf4.promote_secondaries:
            while seconds:
                self.drop(interface, seconds.pop(0))
        self.drop(interface, address)
        if seconds:
            self._promote(interface, seconds)

    def drop(self, interface: Interface, address: InterfaceAddress) -> None:
        """Take an address away, and the routes that nothing else calls for."""
        interface.addresses.remove(address)
        if interface.addrconf is not None and len(address.ip) == 16:
            interface.addrconf.address_removed(address)
        if self._owned.get(address.ip) is interface:
            del self._owned[address.ip]
            for other in self._namespace.interfaces.values():
                if other.find(address.ip) is not None:
                    self._owned[address.ip] = other
                    break
        self._namespace.tell(AddressChange(interface.device, address, deleted=True))
        self._remove_routes(interface, address)
        if len(address.ip) == 4 and not any(len(a.ip) == 4 for a in interface.addresses):
            # The last one: the kernel does without IP on the device (fib_disable_ip()).
            self._namespace.routes.device_down(interface, 4)
            interface.arp_cache.flush()

    def _promote(self, interface: Interface, seconds: list[InterfaceAddress]) -> None:
        """The first of the second addresses becomes the first."""
        heir = seconds[0]
        for address in seconds:
            self._remove_routes(interface, address)
            address.primary_ip = heir.ip
        interface.addresses.remove(heir)
        self.put(interface, heir)
        for address in seconds[1:]:
            self._add_routes(interface, address)

    # -- what happens to devices

    def device_up(self, interface: Interface) -> None:
        """A device was set up: its networks can be reached."""
        for address in interface.addresses:
            self._add_routes(interface, address)

    def forget_ipv6(self, interface: Interface) -> None:
        """IPv6 is over on an interface."""
        for address in [a for a in interface.addresses if len(a.ip) == 16]:
            self.drop(interface, address)

    def device_removed(self, interface: Interface) -> None:
        """A device goes, with all of its addresses."""
        for address in tuple(interface.addresses):
            self.drop(interface, address)

    def changed(self, interface: Interface, address: InterfaceAddress) -> None:
        """Duplicate detection ended for an address: it may be used, or may not."""
        self._namespace.tell(AddressChange(interface.device, address))
        if address.usable:
            self._add_routes(interface, address)
        self._namespace.forget_decisions()

    # -- their routes

    def _add_routes(self, interface: Interface, address: InterfaceAddress) -> None:
        for route in _routes_of(interface, address):
            self._namespace.routes.add_kernel_route(route)

    def _remove_routes(self, interface: Interface, address: InterfaceAddress) -> None:
        kept = {
            _place(route) for other in interface.addresses for route in _routes_of(interface, other)
        }
        # The address itself goes last.
        gone = sorted(_routes_of(interface, address), key=lambda r: r.network == address.ip)
        for route in gone:
            if _place(route) not in kept:
                self._namespace.routes.remove(route)
        self._namespace.routes.source_gone(address.ip)


def _routes_of(interface: Interface, address: InterfaceAddress) -> list[Route[NetDevice]]:
    """The routes that an address brings now. What is checked for a duplicate is not ours yet."""
    routes = [local_route(interface, address)] if address.usable else []
    if not interface.device.admin_up:
        return routes
    prefix = prefix_route(interface, address)
    routes += [] if prefix is None else [prefix]
    return routes + broadcast_routes(interface, address)


def _place(route: Route[NetDevice]) -> tuple[object, ...]:
    return route.network, route.prefix_length, route.table, route.type
