"""What an interface takes from router advertisements (RFC 4861 section 6.3, RFC 4862 section 5.5).

Default routes, prefixes with their addresses, further routes, and the link's parameters; each with
its lifetime. A machine that forwards takes nothing: it is a router itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vnet.base.ids import IPV6_ANY, IpAddress, is_link_local_ip6, is_multicast_ip, network_of
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.routing.connected import prefix_route, same_network
from vnet.linux.timer_wheel import KernelTimer
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Nexthop, Route
from vnet.wire import ipv6, ra

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.sysctl.ipv6 import Ipv6Conf
    from vnet.linux.netns.sysctl.sysctls import Sysctls
    from vnet.linux.netns.sysctl.tree import DeviceTree

_NS_PER_S = 1_000_000_000
_LEAST_RETRANS_MS, _LEAST_REACHABLE_MS = 10, 100
_LEAST_VALID_S = 2 * 3_600
"""No router may cut an address's valid lifetime below this (RFC 4862 section 5.5.3 e)."""

_ALWAYS = 2
"""accept_ra of a router that listens to other routers all the same."""


_RESERVED_PREFERENCE = 0x10
_PREFERENCES = {ra.HIGH: "high", ra.LOW: "low"}


class RouterDiscovery:
    """The routers of one interface, as far as it listens to them.

    ``expiries`` has the routes that came from them, with when each ends (None: never). What they
    say of hop limit, MTU and timers becomes the interface's settings, as in the kernel.
    """

    __slots__ = ("_timer", "expiries", "interface")

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self.expiries: dict[Route[NetDevice], int | None] = {}
        self._timer = KernelTimer(interface.device.scheduler, self._expire)

    @property
    def _conf(self) -> Ipv6Conf:
        return self.interface.conf6

    @property
    def listens(self) -> bool:
        """Whether advertisements count here (accept_ra)."""
        wanted = self._conf.accept_ra
        return wanted == _ALWAYS if self._conf.forwarding else wanted != 0

    def forget(self) -> None:
        """The interface was set down; its routes and addresses are gone already."""
        self.expiries.clear()
        self._timer.cancel()

    def hear_router(self, router: IpAddress, said: ra.RouterAdvertisement) -> None:
        """The part of an advertisement that is about the router and the link."""
        worth_it = said.lifetime_s == 0 or said.lifetime_s >= self._conf.accept_ra_min_lft
        if self._conf.accept_ra_defrtr and worth_it and self._may_be_router(router):
            self._default_router(router, said)
        self._set_timers(said.reachable_ms, said.retrans_ms)

    def hear_options(self, router: IpAddress, said: ra.RouterAdvertisement) -> None:
        """The routes, prefixes and MTU of an advertisement."""
        if self._conf.accept_ra_rtr_pref and self._may_be_router(router):
            for route in said.routes:
                if route.preference != _RESERVED_PREFERENCE:
                    self._route_information(router, route)
        if self._conf.accept_ra_pinfo:
            for prefix in said.prefixes:
                self._prefix(prefix)
        if said.mtu_bytes is not None and self._conf.accept_ra_mtu:
            self._set_mtu(said.mtu_bytes)
        self._arm()

    def _may_be_router(self, router: IpAddress) -> bool:
        """An address of our own is none, unless somebody wants that."""
        return self.interface.find(router) is None or bool(self._conf.accept_ra_from_local)

    def keep_network(self, address: InterfaceAddress) -> None:
        """An administrator's address is in a router's prefix: its route no longer ends."""
        wanted = prefix_route(self.interface, address)
        for route in self.expiries:
            if wanted is not None and same_network(route, wanted):
                self.expiries[route] = None

    def forget_default_routes(self) -> None:
        """The machine is a router now: it needs no other's help."""
        for route in [route for route in self.expiries if route.prefix_length == 0]:
            self._set_lifetime(route, 0)

    def router_gone(self, router: IpAddress) -> None:
        """A neighbour says that it is no router any more (RFC 4861 section 7.3.3)."""
        for route in [route for route in self.expiries if route.prefix_length == 0]:
            if route.gateway == router:
                self._set_lifetime(route, 0)
        self.interface.namespace.ipv6.redirects.forget_router(router)

    # -- routes

    def _default_router(self, router: IpAddress, said: ra.RouterAdvertisement) -> None:
        preference = said.flags if self._conf.accept_ra_rtr_pref else ra.MEDIUM
        self._learn(IPV6_ANY, 0, router, said.lifetime_s, preference)
        if said.hop_limit >= max(1, self._conf.accept_ra_min_hop_limit):
            self._set(self._sysctls.ipv6_conf, hop_limit=said.hop_limit)

    def _route_information(self, router: IpAddress, said: ra.RouteInformation) -> None:
        least = self._conf.accept_ra_rt_info_min_plen
        most = self._conf.accept_ra_rt_info_max_plen
        if said.length == 0 and not self._conf.accept_ra_defrtr:
            return
        if least <= said.length <= most:
            network = network_of(IpAddress(said.prefix), said.length)
            self._learn(network, said.length, router, said.lifetime_s, said.preference)

    def _learn(
        self,
        network: IpAddress,
        length: int,
        router: IpAddress,
        lifetime_s: int,
        preference: int,
    ) -> None:
        """A route by a router, for so long; with no lifetime it is over."""
        route = Route(
            network,
            length,
            (Nexthop(self.interface.device, router),),
            metric=self._conf.ra_defrtr_metric,
            protocol="ra",
            preference=_PREFERENCES.get(preference & ra.PREFERENCE_MASK, "medium"),
        )
        for other in [known for known in self.expiries if _differ_in_preference(known, route)]:
            self._set_lifetime(other, 0)
        self._set_lifetime(route, lifetime_s)

    def _set_lifetime(self, route: Route[NetDevice], lifetime_s: int) -> None:
        namespace = self.interface.namespace
        if lifetime_s == 0:
            if self.expiries.pop(route, self) is not self:
                namespace.routes.remove(route)
            return
        if route not in self.expiries:
            namespace.routes.learn(route)
        now_ns = namespace.scheduler.now_ns
        endless = lifetime_s == ra.FOREVER_S
        self.expiries[route] = None if endless else now_ns + lifetime_s * _NS_PER_S

    # -- prefixes

    def _prefix(self, said: ra.Prefix) -> None:
        prefix = IpAddress(said.prefix)
        if is_multicast_ip(prefix) or is_link_local_ip6(prefix):
            return
        if said.length > 128 or said.preferred_s > said.valid_s:
            return
        if said.on_link:
            self._on_link(prefix, said)
        if said.autonomous and self._conf.autoconf and said.length == 64:
            self._configure(prefix, said)

    def _on_link(self, prefix: IpAddress, said: ra.Prefix) -> None:
        route = prefix_route(self.interface, InterfaceAddress(prefix, said.length))
        assert route is not None
        taken = any(same_network(route, other) for other in self.interface.namespace.routing6.main)
        if route in self.expiries or not taken:
            self._set_lifetime(route, said.valid_s)

    def _configure(self, prefix: IpAddress, said: ra.Prefix) -> None:
        """Make an address of a prefix, or set the lifetimes of the one that was made."""
        interface = self.interface
        now_ns = interface.namespace.scheduler.now_ns
        ip = IpAddress(prefix[:8] + interface.interface_id)
        address = interface.find(ip)
        if address is None:
            if said.valid_s and self._has_room():
                address = InterfaceAddress(ip, said.length)
                address.from_router = True
                address.set_lifetimes(said.valid_s, said.preferred_s, now_ns)
                interface.namespace.learn_address(interface, address)
            return
        left_s, _preferred_s = address.lifetimes_s(now_ns)
        if left_s and address.from_router:
            valid_s = max(said.valid_s, min(left_s, _LEAST_VALID_S))
            address.set_lifetimes(valid_s, said.preferred_s, now_ns)
            interface.namespace.address_changed(interface, address)

    def _has_room(self) -> bool:
        most = self._conf.max_addresses
        held = sum(1 for address in self.interface.addresses if len(address.ip) == 16)
        return most == 0 or held < most

    # -- the link's parameters

    @property
    def _sysctls(self) -> Sysctls:
        return self.interface.namespace.sysctls

    def _set_mtu(self, mtu_bytes: int) -> None:
        if ipv6.MIN_MTU <= mtu_bytes <= self.interface.device.mtu_bytes:
            self._set(self._sysctls.ipv6_conf, mtu=mtu_bytes)

    def _set_timers(self, reachable_ms: int, retrans_ms: int) -> None:
        neighbors = self._sysctls.ipv6_neighbors
        if retrans_ms:
            self._set(neighbors, retrans_time_ms=max(retrans_ms, _LEAST_RETRANS_MS))
        if reachable_ms:
            base_ms = max(reachable_ms, _LEAST_REACHABLE_MS)
            stale_s = 3 * base_ms // 1_000
            self._set(neighbors, base_reachable_time_ms=base_ms, gc_stale_time=stale_s)

    def _set(self, tree: DeviceTree[Any], **settings: int) -> None:
        """Make what a router says a setting of the device."""
        for name, value in settings.items():
            tree.set_own(self.interface.device.name, name, value)
        self._sysctls.changed()

    # -- time

    def _arm(self) -> None:
        now_ns = self.interface.namespace.scheduler.now_ns
        ends = [end for end in self.expiries.values() if end is not None]
        for address in self.interface.addresses:
            if address.valid_until_ns is not None:
                ends.append(address.valid_until_ns)
            if address.preferred_until_ns is not None and not address.deprecated:
                ends.append(address.preferred_until_ns)
        self._timer.cancel()
        if ends:
            self._timer.arm(max(0, min(ends) - now_ns))

    def _expire(self) -> None:
        namespace = self.interface.namespace
        now_ns = namespace.scheduler.now_ns
        for route in [r for r, end in self.expiries.items() if end is not None and end <= now_ns]:
            del self.expiries[route]
            namespace.routes.remove(route)
        for address in tuple(self.interface.addresses):
            valid_ns, preferred_ns = address.valid_until_ns, address.preferred_until_ns
            if valid_ns is not None and valid_ns <= now_ns:
                namespace.delete_address(self.interface.device.name, address.ip)
            elif preferred_ns is not None and preferred_ns <= now_ns and not address.deprecated:
                address.deprecated = True
                namespace.address_changed(self.interface, address)
        self._arm()


def _differ_in_preference(one: Route[NetDevice], other: Route[NetDevice]) -> bool:
    return one != other and replace(one, preference=other.preference) == other
