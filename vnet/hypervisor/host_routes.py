"""A namespace as tunnels ask it: its routes, addresses and neighbours, by its devices' names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from vnet.base.ids import IpAddress, Mac
from vnet.linux.netns.changes import Change, NeighborChange
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import NetDevice
from vnet.netdev.route_source import HostAddress, HostRoute
from vnet.tables.fib import Route, RouteType
from vnet.tables.neigh import VALID
from vnet.tables.policy import TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN

_TABLES_READ = (TABLE_LOCAL, TABLE_MAIN, TABLE_DEFAULT)
_TYPES_READ = (RouteType.LOCAL, RouteType.UNICAST)


def _nothing() -> None:
    return None


class HostRoutes:
    """A :class:`~vnet.netdev.route_source.RouteSource`. Tunnels ask the switch's own cache for
    neighbours first, so that changes of these here need not be told."""

    def __init__(self, namespace: Namespace) -> None:
        self.changed: Callable[[], None] = _nothing
        self._namespace = namespace
        namespace.listeners.append(self._hear)

    def _hear(self, change: Change) -> None:
        if not isinstance(change, NeighborChange):
            self.changed()

    def route(self, target: IpAddress) -> HostRoute | None:
        """The best route of the tables that a switch reads; it follows no rules of the host's."""
        policy = self._namespace.routes.routing_of(target).policy
        for table in _TABLES_READ:
            for route in policy.table(table).matches(target):
                if route.type in _TYPES_READ:
                    return _host_route(route)
        return None

    def routes(self) -> Iterator[HostRoute]:
        """All of them, those to the host itself first."""
        for table in _TABLES_READ:
            for routing in (self._namespace.routing4, self._namespace.routing6):
                for route in routing.policy.table(table):
                    if route.type in _TYPES_READ:
                        yield _host_route(route)

    def addresses(self, device: str) -> Sequence[HostAddress]:
        """The addresses of a device."""
        interface = self._namespace.interfaces.get(device)
        if interface is None:
            return ()
        return [HostAddress(address.ip, address.prefix_length) for address in interface.addresses]

    def neighbor(self, device: str, target: IpAddress) -> Mac | None:
        """What the IP stack has found out for itself."""
        interface = self._namespace.interfaces.get(device)
        if interface is None:
            return None
        cache = interface.arp_cache if len(target) == 4 else interface.nd_cache
        found = cache.table.get(target)
        if found is None or found.mac is None or found.state not in VALID:
            return None
        return Mac(found.mac)


def _host_route(route: Route[NetDevice]) -> HostRoute:
    """Of several next hops a switch takes the first."""
    hop = route.nexthops[0]
    is_local = route.type is RouteType.LOCAL
    return HostRoute(route.network, route.prefix_length, hop.gateway, hop.device.name, is_local)
