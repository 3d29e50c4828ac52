"""Where tunnels' outer headers lead (lib/ovs-router.c of Open vSwitch).

To the host's own routes users add some for tunnels alone (``ovs/route/add``), which may ask for a
packet mark. A route has a source address from the day on that it is there; one without is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vnet.base.ids import IpAddress, network_of
from vnet.netdev.route_source import HostRoute, RouteSource, source_address

_USER_PRIORITY = 32
_LOCAL_PRIORITY = 64
_IPV4_PREFIX = 96
"""Routes of IPv4 are those of mapped addresses (RFC 4291 section 2.5.5.2)."""


class TunnelRoute(NamedTuple):
    """A route as tunnels take it. ``mark`` is the packet mark that it is for."""

    network: IpAddress
    prefix_length: int
    gateway: IpAddress | None
    device: str
    source: IpAddress
    mark: int = 0
    is_local: bool = False
    is_user: bool = False

    @property
    def priority(self) -> int:
        """Among routes to one target: longer prefixes first, users' before the host's but for its
        own addresses."""
        length = self.prefix_length + (_IPV4_PREFIX if len(self.network) == 4 else 0)
        if self.is_user:
            return length + _USER_PRIORITY
        return length + _LOCAL_PRIORITY * self.is_local


class Router:
    """The routes of a datapath's tunnels, over those of the host."""

    def __init__(self, host: RouteSource) -> None:
        self.host = host
        self._user: dict[tuple[IpAddress, int, int], TunnelRoute] = {}

    def all(self) -> Iterator[TunnelRoute]:
        """Users' routes, and those of the host that have a source address."""
        yield from self._user.values()
        for route in self.host.routes():
            taken = self._taken(route)
            if taken is not None:
                yield taken

    def add(
        self,
        target: IpAddress,
        prefix_length: int,
        device: str,
        *,
        gateway: IpAddress | None = None,
        mark: int = 0,
    ) -> bool:
        """``ovs/route/add``; False where no address of the device can be the source."""
        source = self._source(device, target, gateway)
        if source is None:
            return False
        network = network_of(target, prefix_length)
        route = TunnelRoute(network, prefix_length, gateway, device, source, mark, is_user=True)
        self._user[network, prefix_length, mark] = route
        self.host.changed()
        return True

    def remove(self, target: IpAddress, prefix_length: int, *, mark: int = 0) -> bool:
        """``ovs/route/del``; False where there is no such route."""
        network = network_of(target, prefix_length)
        if self._user.pop((network, prefix_length, mark), None) is None:
            return False
        self.host.changed()
        return True

    def lookup(
        self, target: IpAddress, *, mark: int = 0, source: IpAddress | None = None
    ) -> TunnelRoute | None:
        """The route to an address, for packets with a mark. A ``source`` that is asked for must be
        an address of the host."""
        if source is not None:
            own = self._best(source, mark)
            if own is None or not own.is_local:
                return None
        route = self._best(target, mark)
        return route if route is None or source is None else route._replace(source=source)

    def devices(self) -> list[str]:
        """The devices that routes lead to, each once."""
        named = [route.device for route in self._user.values()]
        return list(dict.fromkeys([*named, *(route.device for route in self.host.routes())]))

    def _best(self, target: IpAddress, mark: int) -> TunnelRoute | None:
        found = [
            route
            for route in self._user.values()
            if route.mark == mark
            and len(route.network) == len(target)
            and network_of(target, route.prefix_length) == route.network
        ]
        host_route = None if mark else self._of_host(target)
        if host_route is not None:
            found.append(host_route)
        return max(found, key=lambda route: route.priority, default=None)

    def _of_host(self, target: IpAddress) -> TunnelRoute | None:
        route = self.host.route(target)
        return None if route is None else self._taken(route)

    def _taken(self, route: HostRoute) -> TunnelRoute | None:
        """A route of the host, as tunnels take it."""
        network, prefix_length, gateway, device, is_local = route
        source = self._source(device, network, gateway)
        if source is None:
            return None
        return TunnelRoute(network, prefix_length, gateway, device, source, is_local=is_local)

    def _source(
        self, device: str, target: IpAddress, gateway: IpAddress | None
    ) -> IpAddress | None:
        """The address that packets on a route leave from: of the network that it leads to, or of
        the gateway's."""
        source = source_address(self.host, device, target)
        if source is None and gateway is not None:
            return source_address(self.host, device, gateway)
        return source
