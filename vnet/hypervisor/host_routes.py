"""A namespace as tunnels ask it: its routes, addresses and neighbours, by its devices' names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from vnet.base.ids import IpAddress, Mac
from vnet.linux.netns.changes import Change, NeighborChange
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import NetDevice
from vnet.netdev.route_source import HostAddress, HostRoute
from vnet.tables.fib import RouteEntry
from vnet.tables.neigh import VALID


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
        """The host's own addresses come first, as by the kernel's table ``local``."""
        owner = self._namespace.owner_of(target)
        if owner is not None:
            return _to_itself(target, owner.device)
        found = self._namespace.route_to(target)
        return None if found is None else _host_route(found)

    def routes(self) -> Iterator[HostRoute]:
        """All of them, those to the host itself first."""
        for interface in self._namespace.interfaces.values():
            for address in interface.addresses:
                yield _to_itself(address.ip, interface.device)
        for fib in (self._namespace.fib4, self._namespace.fib6):
            yield from map(_host_route, fib)

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


def _to_itself(ip: IpAddress, device: NetDevice) -> HostRoute:
    return HostRoute(ip, len(ip) * 8, None, device.name, is_local=True)


def _host_route(entry: RouteEntry[NetDevice]) -> HostRoute:
    return HostRoute(entry.network, entry.prefix_length, entry.gateway, entry.device.name)
