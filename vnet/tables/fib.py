"""The forwarding information base: longest prefix first, then the lowest metric."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

from vnet.base.ids import IpAddress, network_of

DeviceT = TypeVar("DeviceT")


class RouteScope(Enum):
    """How far a route reaches, as ``ip route`` prints it."""

    GLOBAL = "global"
    LINK = "link"
    HOST = "host"


class RouteEntry(NamedTuple, Generic[DeviceT]):
    """``gateway`` None means the target itself is the next hop. ``source`` is the preferred
    source address, None to choose by the device."""

    network: IpAddress
    prefix_length: int
    gateway: IpAddress | None
    device: DeviceT
    source: IpAddress | None
    scope: RouteScope
    metric: int
    protocol: str


class Fib(Generic[DeviceT]):
    """Routes of one address family, kept as one dictionary per prefix length.

    A lookup masks the address once per length in use, longest first. Hosts and routers
    have a handful of lengths, so this is a few dictionary probes.
    """

    __slots__ = ("_bits", "_by_length", "_masks")

    def __init__(self, ip_bytes: int) -> None:
        self._bits = ip_bytes * 8
        self._by_length: dict[int, dict[int, list[RouteEntry[DeviceT]]]] = {}
        self._masks: list[tuple[int, dict[int, list[RouteEntry[DeviceT]]]]] = []

    def add(self, route: RouteEntry[DeviceT]) -> None:
        """Add a route; the lowest metric of a prefix wins, the oldest among equals."""
        table = self._by_length.get(route.prefix_length)
        if table is None:
            table = self._by_length[route.prefix_length] = {}
            self._masks = [
                (((1 << length) - 1) << (self._bits - length), self._by_length[length])
                for length in sorted(self._by_length, reverse=True)
            ]
        key = int.from_bytes(network_of(route.network, route.prefix_length), "big")
        routes = table.setdefault(key, [])
        routes.append(route)
        routes.sort(key=lambda r: r.metric)

    def remove(self, route: RouteEntry[DeviceT]) -> bool:
        """Remove an equal route; False if there was none."""
        key = int.from_bytes(network_of(route.network, route.prefix_length), "big")
        table = self._by_length.get(route.prefix_length, {})
        routes = table.get(key, [])
        if route not in routes:
            return False
        routes.remove(route)
        if not routes:
            del table[key]
        return True

    def lookup(self, target: bytes) -> RouteEntry[DeviceT] | None:
        """The best route to ``target``, or None."""
        number = int.from_bytes(target, "big")
        for mask, table in self._masks:
            routes = table.get(number & mask)
            if routes:
                return routes[0]
        return None

    def __iter__(self) -> Iterator[RouteEntry[DeviceT]]:
        for _mask, table in self._masks:
            for routes in table.values():
                yield from routes
