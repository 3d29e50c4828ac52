"""What an interface takes from router advertisements (RFC 4861 section 6.3, RFC 4862 section 5.5).

Default routes, prefixes with their addresses, further routes, and the link's parameters; each with
its lifetime. A machine that forwards takes nothing: it is a router itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from vnet.base.ids import IPV6_ANY, IpAddress, is_link_local_ip6, is_multicast_ip, network_of
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.routing.connected import prefix_route, same_network
from vnet.linux.timer_wheel import JIFFY_NS, KernelTimer
from vnet.netdev.device import NetDevice
from vnet.tables.fib import NO_METRICS, Nexthop, Route
from vnet.wire import ipv6, ra

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.sysctl.ipv6 import Ipv6Conf
    from vnet.linux.netns.sysctl.sysctls import Sysctls
    from vnet.linux.netns.sysctl.tree import DeviceTree

_NS_PER_S = 1_000_000_000
_JIFFY_MS = JIFFY_NS // 1_000_000
_LEAST_RETRANS_MS, _LEAST_REACHABLE_MS = 2 * _JIFFY_MS, 100
_LEAST_VALID_S = 2 * 3_600
"""No router may cut an address's valid lifetime below this (RFC 4862 section 5.5.3 e)."""

_ALWAYS = 2
"""accept_ra of a router that listens to other routers all the same."""


_RESERVED_PREFERENCE = 0x10
_PREFERENCES = {ra.HIGH: "high", ra.LOW: "low"}


_Place: TypeAlias = tuple[IpAddress, int, IpAddress | None]
"""Which route: its network, that one's length, and the gateway."""


class RouterDiscovery:
    """The routers of one interface, as far as it listens to them.

    What they say of hop limit, MTU and timers becomes the interface's settings, as in the kernel.
    """

    __slots__ = ("_learned", "_timer", "interface")

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self._learned: dict[_Place, Route[NetDevice]] = {}
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
        self._learned.clear()
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
            self._set_mtu(router, said.mtu_bytes)
        self._arm()

    def _may_be_router(self, router: IpAddress) -> bool:
        """An address of our own is none, unless somebody wants that."""
        return self.interface.find(router) is None or bool(self._conf.accept_ra_from_local)

    def keep_network(self, address: InterfaceAddress) -> None:
        """An administrator's address is in a router's prefix: its route no longer ends."""
        place = (address.network, address.prefix_length, None)
        known = self._learned.get(place)
        if known is not None:
            self._renew(place, known, replace(known, expires_ns=None))

    def forget_default_routes(self) -> None:
        """The machine is a router now: it needs no other's help."""
        for place in [place for place in self._learned if place[1] == 0]:
            self._forget(place)

    def router_gone(self, router: IpAddress) -> None:
        """A neighbour says that it is no router any more (RFC 4861 section 7.3.3)."""
        self._forget((IPV6_ANY, 0, router))
        self.interface.namespace.ipv6.redirects.forget_router(router)

    # -- routes

    def _default_router(self, router: IpAddress, said: ra.RouterAdvertisement) -> None:
        preference = said.flags if self._conf.accept_ra_rtr_pref else ra.MEDIUM
        hop_limit = said.hop_limit
        if hop_limit < max(1, self._conf.accept_ra_min_hop_limit):
            hop_limit = 0
        self._learn(IPV6_ANY, 0, router, said.lifetime_s, preference, hop_limit)
        if hop_limit:
            self._set(self._sysctls.ipv6_conf, hop_limit=hop_limit)

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
        hop_limit: int = 0,
    ) -> None:
        """A route by a router, for so long; with no lifetime it is over."""
        known = self._learned.get((network, length, router))
        metrics = NO_METRICS if known is None else known.metrics
        if hop_limit:
            metrics = metrics._replace(hop_limit=hop_limit)
        route = Route(
            network,
            length,
            (Nexthop(self.interface.device, router),),
            metric=self._conf.ra_defrtr_metric,
            protocol="ra",
            metrics=metrics,
            preference=_PREFERENCES.get(preference & ra.PREFERENCE_MASK, "medium"),
        )
        self._set_lifetime(route, lifetime_s)

    def _set_lifetime(self, route: Route[NetDevice], lifetime_s: int) -> None:
        place = (route.network, route.prefix_length, route.gateway)
        if lifetime_s == 0:
            return self._forget(place)
        if lifetime_s != ra.FOREVER_S:
            now_ns = self.interface.namespace.scheduler.now_ns
            route = replace(route, expires_ns=now_ns + lifetime_s * _NS_PER_S)
        known = self._learned.get(place)
        if known is not None and (known.metric, known.preference) == (
            route.metric,
            route.preference,
        ):
            return self._renew(place, known, route)
        self._forget(place)
        self._learned[place] = route
        return self.interface.namespace.routes.learn(route)

    def _renew(self, place: _Place, known: Route[NetDevice], route: Route[NetDevice]) -> None:
        self.interface.namespace.routes.renew(known, route)
        self._learned[place] = route

    def _forget(self, place: _Place) -> None:
        known = self._learned.pop(place, None)
        if known is not None:
            self.interface.namespace.routes.remove(known)

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
        ours = (route.network, route.prefix_length, None) in self._learned
        fib = self.interface.namespace.routing6.main
        if ours or not any(same_network(route, other) for other in fib):
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

    def _set_mtu(self, router: IpAddress, mtu_bytes: int) -> None:
        if not ipv6.MIN_MTU <= mtu_bytes <= self.interface.device.mtu_bytes:
            return
        if mtu_bytes != self._conf.mtu:
            self._set(self._sysctls.ipv6_conf, mtu=mtu_bytes)
            place = (IPV6_ANY, 0, router)
            known = self._learned.get(place)
            if known is not None:
                metrics = known.metrics._replace(mtu_bytes=mtu_bytes)
                self._renew(place, known, replace(known, metrics=metrics))

    def _set_timers(self, reachable_ms: int, retrans_ms: int) -> None:
        neighbors = self._sysctls.ipv6_neighbors
        if retrans_ms:
            retrans_ms = max(retrans_ms // _JIFFY_MS * _JIFFY_MS, _LEAST_RETRANS_MS)
            self._set(neighbors, retrans_time_ms=retrans_ms)
        if reachable_ms:
            base_ms = max(reachable_ms // _JIFFY_MS * _JIFFY_MS, _LEAST_REACHABLE_MS)
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
        ends = [r.expires_ns for r in self._learned.values() if r.expires_ns is not None]
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
        for place, route in tuple(self._learned.items()):
            if route.expires_ns is not None and route.expires_ns <= now_ns:
                self._forget(place)
        for address in tuple(self.interface.addresses):
            valid_ns, preferred_ns = address.valid_until_ns, address.preferred_until_ns
            if valid_ns is not None and valid_ns <= now_ns:
                namespace.delete_address(self.interface.device.name, address.ip)
            elif preferred_ns is not None and preferred_ns <= now_ns and not address.deprecated:
                address.deprecated = True
                namespace.address_changed(self.interface, address)
        self._arm()
