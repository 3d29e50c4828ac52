"""``ip route`` of a namespace: what is added, and taken away with a device or an address."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vnet.base.ids import IpAddress, ip_text, is_link_local_ip6
from vnet.linux.netns.changes import RouteChange
from vnet.linux.netns.errors import FILE_EXISTS, NO_SUCH_FILE, NO_SUCH_PROCESS, RtnetlinkError
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.routing.routing import Routing
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Fib, Nexthop, Route, RouteScope, RouteType
from vnet.tables.policy import TABLE_LOCAL, TABLE_MAIN

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace

_IPV6_METRIC = 1024
"""What an IPv6 route has unless told otherwise; IPv4's have 0."""

_AT_THE_END = frozenset((RouteType.LOCAL, RouteType.BROADCAST, RouteType.ANYCAST))
_NOWHERE = frozenset(
    (RouteType.BLACKHOLE, RouteType.UNREACHABLE, RouteType.PROHIBIT, RouteType.THROW)
)


class Routes:
    """The routes of both families. A change is checked as the kernel checks it."""

    __slots__ = ("_namespace",)

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    # -- ip route

    def add_static(
        self,
        network: IpAddress,
        prefix_length: int,
        *,
        gateway: IpAddress | None = None,
        device: str | None = None,
        source: IpAddress | None = None,
        metric: int | None = None,
    ) -> None:
        """``ip route add NETWORK/LEN [via GATEWAY] [dev DEVICE] proto static``."""
        hop = self.nexthop(device, gateway)
        route = Route(network, prefix_length, (hop,), source=source, protocol="static")
        self.add(self.complete(route, metric))

    def nexthop(
        self,
        device: str | None,
        gateway: IpAddress | None,
        *,
        weight: int = 1,
        onlink: bool = False,
    ) -> Nexthop[NetDevice]:
        """A next hop. Without a device it is the one that the gateway is reached by."""
        if device is not None:
            out = self._namespace.interface(device).device
            return Nexthop(out, gateway, weight, onlink)
        found = None if gateway is None else self.routing_of(gateway).link_of(gateway)
        if found is None:
            raise self._invalid_gateway(gateway)
        return Nexthop(found, gateway, weight, onlink)

    def complete(
        self, route: Route[NetDevice], metric: int | None, scope: RouteScope | None = None
    ) -> Route[NetDevice]:
        """A route with the metric and scope that it has unless told."""
        ipv6 = len(route.network) == 16
        if metric is None:
            metric = _IPV6_METRIC if ipv6 else 0
        if scope is None:
            scope = RouteScope.GLOBAL if ipv6 else _default_scope(route)
        return replace(route, metric=metric, scope=scope)

    def add(self, route: Route[NetDevice], *, append: bool = False, first: bool = False) -> None:
        """``ip route add``, ``append`` or (``first``) ``prepend``."""
        self._check(route)
        fib = self._fib(route)
        rivals = _rivals(fib, route)
        if route in rivals or (rivals and not append and not first):
            raise RtnetlinkError(self._namespace.name, FILE_EXISTS)
        self._insert(route, first=first)

    def replace(self, route: Route[NetDevice], *, create: bool = True) -> None:
        """``ip route replace``, or ``change``, which does not ``create``."""
        self._check(route)
        fib = self._fib(route)
        rivals = _rivals(fib, route)
        if not rivals:
            if not create:
                raise RtnetlinkError(self._namespace.name, NO_SUCH_FILE)
            return self._insert(route)
        self.routing_of(route.network).replace(rivals[0], route)
        self._namespace.tell(RouteChange(route))
        return None

    def delete(self, network: IpAddress, prefix_length: int, table: int = TABLE_MAIN) -> None:
        """``ip route del NETWORK/LEN``: the most preferred of them."""
        fib = self.routing_of(network).policy.table(table)
        found = fib.at(network, prefix_length)
        if not found:
            shown = f"{ip_text(network)}/{prefix_length}"
            raise RtnetlinkError(self._namespace.name, NO_SUCH_PROCESS, f"no route to {shown}")
        self.remove(found[0])

    def remove(self, route: Route[NetDevice]) -> None:
        """Take away a route, if it is there."""
        if self.routing_of(route.network).remove(route):
            self._namespace.tell(RouteChange(route, deleted=True))

    def is_one_other(self, ip: bytes) -> bool:
        """Whether ``ip`` is of one machine, and not of this one (inet_addr_type())."""
        routing = self.routing_of(ip)
        found = next(routing.policy.table(TABLE_LOCAL).matches(ip), None)
        return found is None or found.type not in _AT_THE_END

    def routing_of(self, ip: bytes) -> Routing:
        """What decides for the address family of ``ip``."""
        return self._namespace.routing6 if len(ip) == 16 else self._namespace.routing4

    # -- what addresses and devices bring and take

    def add_kernel_route(self, route: Route[NetDevice]) -> None:
        """A route of an address, unless there is one to the same place by the same device."""
        fib = self._fib(route)
        if all(other.device is not route.device for other in _rivals(fib, route)):
            self._insert(route)

    def device_down(self, interface: Interface, family: int) -> None:
        """A device was set down: routes that lead over it alone go, but for those to itself.

        The kernel tells nobody of IPv4's.
        """
        device = interface.device
        routing = self._namespace.routing6 if family == 6 else self._namespace.routing4
        for route in tuple(routing.policy):
            alone = route.nexthops and all(hop.device is device for hop in route.nexthops)
            if alone and route.type is not RouteType.LOCAL:
                self.routing_of(route.network).remove(route)
                self._namespace.tell(RouteChange(route, deleted=True, told=family == 6))

    def learn(self, route: Route[NetDevice]) -> None:
        """A router told of a route."""
        if route not in self._fib(route).at(route.network, route.prefix_length):
            self._insert(route)

    def renew(self, old: Route[NetDevice], new: Route[NetDevice]) -> None:
        """A router told of a route again. Its new lifetime is nobody's news."""
        fib = self._fib(old)
        if old in fib.at(old.network, old.prefix_length):
            fib.replace(old, new)
            self.routing_of(old.network).forget()

    def source_gone(self, ip: bytes) -> None:
        """An address is not ours any more: IPv4 routes that prefer it as a source go."""
        if len(ip) == 16 or self._namespace.owner_of(ip) is not None:
            return
        for route in tuple(self._namespace.routing4.policy):
            if route.source == ip:
                self.routing_of(route.network).remove(route)
                self._namespace.tell(RouteChange(route, deleted=True, told=False))

    # -- inside

    def _insert(self, route: Route[NetDevice], *, first: bool = False) -> None:
        self.routing_of(route.network).add(route, first=first)
        self._namespace.tell(RouteChange(route))

    def _fib(self, route: Route[NetDevice]) -> Fib[NetDevice]:
        return self.routing_of(route.network).policy.table(route.table)

    # -- checks (fib_check_nh() and its like)

    def _check(self, route: Route[NetDevice]) -> None:
        if route.type in _NOWHERE:
            return
        for hop in route.nexthops:
            if not hop.device.admin_up:
                raise RtnetlinkError(self._namespace.name, "Error: Device for nexthop is not up.")
            if hop.gateway is not None and not hop.onlink:
                self._check_gateway(hop)
        if route.source is not None and not self._namespace.owns(route.source):
            raise RtnetlinkError(self._namespace.name, "Error: Invalid prefsrc address.")

    def _check_gateway(self, hop: Nexthop[NetDevice]) -> None:
        gateway = hop.gateway
        assert gateway is not None
        if len(gateway) == 16 and is_link_local_ip6(gateway):
            return
        on_link = self.routing_of(gateway).link_of(gateway, hop.device) is not None
        if not on_link or self._namespace.owns(gateway):
            raise self._invalid_gateway(gateway)

    def _invalid_gateway(self, gateway: IpAddress | None) -> RtnetlinkError:
        shown = "none" if gateway is None else ip_text(gateway)
        return RtnetlinkError(
            self._namespace.name,
            "Error: Nexthop has invalid gateway.",
            f"{shown} is on no network of this machine",
        )


def _rivals(fib: Fib[NetDevice], route: Route[NetDevice]) -> tuple[Route[NetDevice], ...]:
    """The routes to the same network that differ in nothing by which one would be preferred."""
    return tuple(
        other
        for other in fib.at(route.network, route.prefix_length)
        if (other.tos, other.metric) == (route.tos, route.metric)
    )


def _default_scope(route: Route[NetDevice]) -> RouteScope:
    if route.type in (RouteType.LOCAL, RouteType.ANYCAST):
        return RouteScope.HOST
    straight = bool(route.nexthops) and all(hop.gateway is None for hop in route.nexthops)
    if route.type is RouteType.BROADCAST or (route.type is RouteType.UNICAST and straight):
        return RouteScope.LINK
    return RouteScope.GLOBAL


def default_table(route_type: RouteType) -> int:
    """The table that ``ip route add`` means where none is named."""
    return TABLE_LOCAL if route_type in _AT_THE_END else TABLE_MAIN
