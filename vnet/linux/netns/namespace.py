"""The namespace: devices, addresses and routes of one machine, and the stack over them.

Configuration goes through the methods here, which keep devices, bridges and the stack in
step and tell ``listeners`` of every change, as the kernel tells rtnetlink. Frames never pass
through this file; they go from interface to protocol to interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vnet.base.chance import Chance
from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, Mac, ip_text
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.kernel_log import KernelLog
from vnet.linux.linkwatch import Linkwatch
from vnet.linux.netns import vlan_devices
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.arp import ArpProtocol
from vnet.linux.netns.changes import (
    AddressChange,
    Change,
    LinkChange,
    NeighborChange,
    RouteChange,
)
from vnet.linux.netns.icmp import Icmp4
from vnet.linux.netns.icmpv6 import Icmp6
from vnet.linux.netns.ident import Identifications
from vnet.linux.netns.igmp import ALL_SNOOPERS
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.ipv4 import Ipv4Stack
from vnet.linux.netns.ipv6 import Ipv6Stack
from vnet.linux.netns.nd import NeighborDiscovery
from vnet.linux.netns.neighbor import Neighbors, thresholds_of
from vnet.linux.netns.routes import connected_route, same_network, static_route
from vnet.linux.netns.sockets.table import Sockets
from vnet.linux.netns.sysctl.sysctls import Sysctls
from vnet.linux.tc.qdiscs import TrafficControl
from vnet.netdev.device import NetDevice
from vnet.netdev.loopback import Loopback
from vnet.netdev.vlan_device import VlanDevice
from vnet.sim.scheduler import Scheduler
from vnet.tables.fib import Fib, RouteEntry
from vnet.tables.neigh import Neighbor
from vnet.wire.arp import Arp


class Namespace:
    """A machine's networking. ``name`` is its node's name in the lab.

    ``fib4`` and ``fib6`` hold what ``ip route`` shows; addresses of our own are found by
    :meth:`owns`, as the kernel's ``local`` table would.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        name: str,
        chance: Chance,
        *,
        linkwatch: Linkwatch | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.name = name
        self.chance = chance
        self.linkwatch = linkwatch
        self.log = KernelLog(scheduler)
        self.sysctls = Sysctls()
        self.sysctls.changed = self._settings_changed
        self.listeners: list[Callable[[Change], None]] = []
        self.arp_listeners: list[Callable[[Interface, Arp], None]] = []
        self.fib4: Fib[NetDevice] = Fib(4)
        self.fib6: Fib[NetDevice] = Fib(16)
        self.neighbors4 = Neighbors(scheduler)
        self.neighbors6 = Neighbors(scheduler)
        self.interfaces: dict[str, Interface] = {}
        self.bridges: dict[str, Bridge] = {}
        self.idents = Identifications(self)
        self.sockets = Sockets(self)
        self.traffic_control = TrafficControl(chance, self._is_own_mac)
        self.arp = ArpProtocol(self)
        self.icmp = Icmp4(self)
        self.icmpv6 = Icmp6(self)
        self.nd = NeighborDiscovery(self)
        self.ipv4 = Ipv4Stack(self)
        self.ipv6 = Ipv6Stack(self)
        self._owned: dict[bytes, Interface] = {}
        self._masters: dict[str, Bridge] = {}
        self._next_ifindex = 1
        self.loopback = self.add_device(Loopback(scheduler, name))
        self._own(self.loopback, InterfaceAddress(IpAddress(b"\x7f\0\0\1"), 8))
        self._own(self.loopback, InterfaceAddress(IpAddress(bytes(15) + b"\1"), 128))
        self.set_up("lo")

    # -- devices

    def add_device(self, device: NetDevice, *, ipv6: bool = False) -> Interface:
        """Bring a device into the namespace. With ``ipv6`` the stack speaks IPv6 on it."""
        if device.name in self.interfaces:
            raise UsageError(f"{self.name} has a device named {device.name} already")
        device.owner = self.name
        device.ifindex = self._next_ifindex
        self._next_ifindex += 1
        self.sysctls.device_added(device.name, device.mtu_bytes)
        interface = Interface(self, device, ipv6)
        self.interfaces[device.name] = interface
        device.rx_handler = interface.handle
        device.state_changed = interface.link
        self.link_changed(interface)
        return interface

    def add_bridge(
        self, name: str, *, mac: Mac | None = None, ipv6: bool = False, **settings: Any
    ) -> Bridge:
        """``ip link add NAME type bridge``."""
        bridge = Bridge(self.scheduler, name, mac=mac, log=self.log, **settings)
        self.add_device(bridge.device, ipv6=ipv6).igmp.join(ALL_SNOOPERS)
        self.bridges[name] = bridge
        return bridge

    def remove_device(self, name: str) -> None:
        """``ip link del NAME``: its addresses, its routes and its place in a bridge go with it."""
        interface = self.interface(name)
        for vlan in vlan_devices.vlans_on(interface.device):
            self.remove_device(vlan.name)
        self.set_down(name)
        if name in self._masters:
            self.release(name)
        for address in tuple(interface.addresses):
            self._drop_address(interface, address)
        interface.igmp.forget_timers()
        interface.mld.forget_timers()
        del self.interfaces[name]
        self.sysctls.device_removed(name)
        device = interface.device
        vlan_devices.taken_away(device)
        self._tell(LinkChange(device, interface.arp, interface.multicast, None, deleted=True))

    def interface(self, name: str) -> Interface:
        """The interface by name. Raises :class:`UsageError` as ip(8) would complain."""
        try:
            return self.interfaces[name]
        except KeyError:
            known = ", ".join(self.interfaces)
            raise UsageError(
                f'{self.name}: device "{name}" does not exist', f"it has {known}"
            ) from None

    def rename(self, name: str, new: str) -> None:
        """``ip link set NAME name NEW``. The device must be down, as the kernel wants it."""
        interface = self.interface(name)
        if interface.device.admin_up:
            raise UsageError(f"{self.name}: {name} is up, so it cannot be renamed")
        if new in self.interfaces:
            raise UsageError(f"{self.name} has a device named {new} already")
        interface.device.name = new
        self.sysctls.device_renamed(name, new)
        for by_name in (self.interfaces, self._masters, self.bridges):
            _rekey(by_name, name, new)
        self.link_changed(interface)

    def set_mac(self, name: str, mac: Mac) -> None:
        """``ip link set NAME address MAC``."""
        interface = self.interface(name)
        old = interface.device.mac
        if name in self.bridges:
            self.bridges[name].set_mac(mac)
        interface.device.mac = mac
        if isinstance(interface.device, VlanDevice):
            interface.device.inherits_mac = False
        bridge = self._masters.get(name)
        port = bridge.port_of(interface.device) if bridge else None
        if bridge and port:
            with self._telling_of(bridge):
                bridge.port_mac_changed(port, old)
        self.link_changed(interface)

    def set_mtu(self, name: str, mtu_bytes: int) -> None:
        """``ip link set NAME mtu N``."""
        interface = self.interface(name)
        vlan_devices.check_mtu(interface.device, mtu_bytes)
        interface.device.mtu_bytes = mtu_bytes
        self.sysctls.mtu_changed(name, mtu_bytes)
        if bridge := self._masters.get(name):
            with self._telling_of(bridge):
                bridge.device.mtu_bytes = min(port.device.mtu_bytes for port in bridge.ports)
        self.link_changed(interface)

    def set_flags(
        self, name: str, *, arp: bool | None = None, multicast: bool | None = None
    ) -> None:
        """``ip link set NAME arp on|off multicast on|off``."""
        interface = self.interface(name)
        interface.arp = interface.arp if arp is None else arp
        interface.multicast = interface.multicast if multicast is None else multicast
        self.link_changed(interface)

    def set_up(self, name: str) -> None:
        """``ip link set NAME up``."""
        interface = self.interface(name)
        if interface.device.admin_up:
            return
        vlan_devices.check_lower_is_up(interface.device)
        interface.device.set_admin(True)
        interface.link.device_opened()
        interface.igmp.report_all()
        for address in interface.addresses:
            self._add_connected(interface, address)
        if interface.conf4.arp_notify:
            self.arp.announce(interface)
        for vlan in vlan_devices.vlans_on(interface.device):
            self.set_up(vlan.name)

    def set_down(self, name: str) -> None:
        """``ip link set NAME down``: its routes and IPv6 addresses go with it."""
        interface = self.interface(name)
        if not interface.device.admin_up:
            return
        for vlan in vlan_devices.vlans_on(interface.device):
            self.set_down(vlan.name)
        interface.device.set_admin(False)
        for route in [r for r in self.fib4 if r.device is interface.device]:
            self._remove_route(route)
        self.forget_ipv6(interface)
        interface.arp_cache.flush()

    def forget_ipv6(self, interface: Interface) -> None:
        """IPv6 is over on an interface: its routes, addresses and neighbours go."""
        for route in [r for r in self.fib6 if r.device is interface.device]:
            self._remove_route(route)
        for address in [a for a in interface.addresses if len(a.ip) == 16]:
            self._drop_address(interface, address)
        interface.nd_cache.flush()

    def enslave(self, name: str, bridge_name: str) -> None:
        """``ip link set NAME master BRIDGE``. A device has one master."""
        interface = self.interface(name)
        if interface.device.rx_handler != interface.handle:
            raise UsageError(
                f"device {name} is already a member of a bridge; "
                f"can't add it to bridge {bridge_name}."
            )
        if bridge_name not in self.bridges:
            known = ", ".join(self.bridges) or "none"
            raise UsageError(
                f"{self.name}: {bridge_name} is not a bridge", f"bridges here: {known}"
            )
        bridge = self.bridges[bridge_name]
        self._masters[name] = bridge
        with self._telling_of(bridge):
            bridge.add_port(interface.device)
        self.link_changed(interface)

    def release(self, name: str) -> None:
        """``ip link set NAME nomaster``."""
        interface = self.interface(name)
        bridge = self._masters.pop(name, None)
        if bridge is None:
            raise UsageError(f"{self.name}: device {name} is not a bridge port")
        with self._telling_of(bridge):
            bridge.remove_port(interface.device)
        interface.device.rx_handler = interface.handle
        self.link_changed(interface)

    def _is_own_mac(self, mac: bytes) -> bool:
        """Whether frames from ``mac`` are of this machine, and do not only cross its bridges."""
        return any(interface.device.mac == mac for interface in self.interfaces.values())

    def master_of(self, name: str) -> Bridge | None:
        """The bridge that a device is a port of, or None."""
        return self._masters.get(name)

    # -- addresses

    def owns(self, ip: bytes) -> bool:
        """Whether ``ip`` is an address of ours, on whatever interface (the weak host model)."""
        return ip in self._owned or (len(ip) == 4 and ip[0] == 127)

    def owner_of(self, ip: bytes) -> Interface | None:
        """The interface that has ``ip``, or None."""
        return self._owned.get(ip)

    def add_address(self, name: str, ip: IpAddress, prefix_length: int) -> None:
        """``ip addr add IP/LEN dev NAME``. IPv6 addresses start with a duplicate check."""
        interface = self.interface(name)
        if interface.find(ip) is not None:
            raise UsageError(f"{self.name}: {ip_text(ip)} is on {name} already")
        if len(ip) == 16 and interface.addrconf is None:
            raise UsageError(f"{self.name}: {name} does not speak IPv6")
        address = InterfaceAddress(ip, prefix_length)
        if len(ip) == 4:
            self.sysctls.address_added(name)
        if len(ip) == 16 and interface.ready:
            # The kernel sets up the groups of a device anew whenever somebody adds an address.
            interface.mld.report_all()
        self.learn_address(interface, address)

    def learn_address(self, interface: Interface, address: InterfaceAddress) -> None:
        """An address is there; one that is made of a router's prefix brings no route."""
        self._own(interface, address)
        if interface.device.admin_up and not address.from_router:
            self._add_connected(interface, address)
        if interface.addrconf is not None and len(address.ip) == 16:
            interface.addrconf.address_added(address)

    def delete_address(self, name: str, ip: IpAddress) -> None:
        """``ip addr del IP dev NAME``."""
        interface = self.interface(name)
        address = interface.find(ip)
        if address is None:
            raise UsageError(f"{self.name}: {ip_text(ip)} is not on {name}")
        self._drop_address(interface, address)
        if address.from_router:
            return
        fib = self.fib6 if len(ip) == 16 else self.fib4
        kept = {(a.network, a.prefix_length): a for a in interface.addresses}
        for route in [r for r in fib if r.device is interface.device and r.protocol == "kernel"]:
            heir = kept.get((route.network, route.prefix_length))
            if heir is None or route.source == ip:
                self._remove_route(route)
            if heir is not None and route.source == ip:
                self._add_connected(interface, heir)

    def _own(self, interface: Interface, address: InterfaceAddress) -> None:
        interface.addresses.append(address)
        self._owned.setdefault(address.ip, interface)
        self._tell(AddressChange(interface.device, address))

    def _drop_address(self, interface: Interface, address: InterfaceAddress) -> None:
        interface.addresses.remove(address)
        if interface.addrconf is not None and len(address.ip) == 16:
            interface.addrconf.address_removed(address)
        if self._owned.get(address.ip) is interface:
            del self._owned[address.ip]
            for other in self.interfaces.values():
                if other.find(address.ip) is not None:
                    self._owned[address.ip] = other
                    break
        self._tell(AddressChange(interface.device, address, deleted=True))

    def address_changed(self, interface: Interface, address: InterfaceAddress) -> None:
        """Duplicate detection ended for an address; tell whoever listens."""
        self._tell(AddressChange(interface.device, address))

    def neighbor_changed(
        self, interface: Interface, neighbor: Neighbor[Any], *, deleted: bool = False
    ) -> None:
        """A neighbour came to another state, or was forgotten; tell whoever listens."""
        if self.listeners:
            self._tell(NeighborChange(interface.device, neighbor, deleted))

    # -- routes

    def add_route(
        self,
        network: IpAddress,
        prefix_length: int,
        *,
        gateway: IpAddress | None = None,
        device: str | None = None,
        source: IpAddress | None = None,
        metric: int | None = None,
    ) -> None:
        """``ip route add NETWORK/LEN [via GATEWAY] [dev DEVICE]``.

        Without a device it is the one the gateway is reached by; a gateway that no route
        reaches is an error.
        """
        if device is not None:
            out = self.interface(device).device
        else:
            via = self.route_to(gateway) if gateway is not None else None
            if via is None or via.gateway is not None:
                shown = "none" if gateway is None else ip_text(gateway)
                raise UsageError(
                    f"{self.name}: the gateway {shown} is not on any network of this machine",
                    "give an interface an address in the gateway's network",
                )
            out = via.device
        self._add_route(static_route(network, prefix_length, gateway, out, source, metric))

    def delete_route(self, network: IpAddress, prefix_length: int) -> None:
        """``ip route del NETWORK/LEN``: the best of them."""
        fib = self.fib6 if len(network) == 16 else self.fib4
        for route in fib:
            if (route.network, route.prefix_length) == (network, prefix_length):
                return self._remove_route(route)
        raise UsageError(f"{self.name}: no such route: {ip_text(network)}/{prefix_length}")

    def route_to(self, target: bytes) -> RouteEntry[NetDevice] | None:
        """The route that a packet to ``target`` takes, our own addresses aside."""
        return (self.fib6 if len(target) == 16 else self.fib4).lookup(target)

    def _add_connected(self, interface: Interface, address: InterfaceAddress) -> None:
        route = connected_route(interface, address)
        if interface is self.loopback or route is None:
            return
        fib = self.fib6 if len(address.ip) == 16 else self.fib4
        if not any(same_network(route, other) for other in fib):
            self._add_route(route)

    def _add_route(self, route: RouteEntry[NetDevice]) -> None:
        fib = self.fib6 if len(route.network) == 16 else self.fib4
        if route not in list(fib):
            fib.add(route)
            self._tell(RouteChange(route))

    def _remove_route(self, route: RouteEntry[NetDevice]) -> None:
        fib = self.fib6 if len(route.network) == 16 else self.fib4
        if fib.remove(route):
            self._tell(RouteChange(route, deleted=True))

    def learn_route(self, route: RouteEntry[NetDevice]) -> None:
        """A router told of a route."""
        self._add_route(route)

    def forget_route(self, route: RouteEntry[NetDevice]) -> None:
        """A route that a router told of is over."""
        self._remove_route(route)

    # -- bookkeeping

    def _settings_changed(self) -> None:
        limits4, limits6 = self.sysctls.ipv4_neighbors.default, self.sysctls.ipv6_neighbors.default
        self.neighbors4.thresholds = thresholds_of(limits4)
        self.neighbors6.thresholds = thresholds_of(limits6)
        for interface in self.interfaces.values():
            interface.settings_changed()

    def link_changed(self, interface: Interface) -> None:
        """Something about a device changed; tell what stands on it, and whoever listens."""
        vlan_devices.follow(self, interface.device)
        if self.listeners:
            master = self._masters.get(interface.device.name)
            self._tell(
                LinkChange(
                    interface.device,
                    interface.arp,
                    interface.multicast,
                    master.device if master else None,
                )
            )

    @contextmanager
    def _telling_of(self, bridge: Bridge) -> Iterator[None]:
        """Around what is done to a port: the bridge may take another MAC or MTU from it."""
        device = bridge.device
        before = device.mac, device.mtu_bytes
        yield
        if (device.mac, device.mtu_bytes) != before:
            self.link_changed(self.interfaces[device.name])

    def _tell(self, change: Change) -> None:
        for listener in self.listeners:
            listener(change)


def _rekey(by_name: dict[str, Any], name: str, new: str) -> None:
    """Give an entry another key in its old place; nothing where there is none."""
    if name in by_name:
        entries = [(new if key == name else key, value) for key, value in by_name.items()]
        by_name.clear()
        by_name.update(entries)
