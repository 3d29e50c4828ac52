"""One routing table of one address family: longest prefix first, then TOS and metric.

A lookup is a few probes of a dictionary, one for each prefix length in use: machines have a
handful, and what is asked again is answered by a cache above. Of the libraries for longest
prefixes, py-radix carries a licence that does not go with the GPL's, pytricia and pysubnettree
have no wheels, and none keeps several routes to one prefix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

from vnet.base.ids import IpAddress, network_of

DeviceT = TypeVar("DeviceT")


class RouteType(Enum):
    """What becomes of packets, by the words of ``ip route``; the values are rtnetlink's (RTN_*)."""

    UNICAST = 1  # on to the next hop
    LOCAL = 2  # ours
    BROADCAST = 3  # ours, and everybody's on a link
    ANYCAST = 4  # ours, and others'
    MULTICAST = 5  # for who joined the group
    BLACKHOLE = 6  # lost without a word
    UNREACHABLE = 7  # refused: host unreachable
    PROHIBIT = 8  # refused: filtered
    THROW = 9  # not to be found here: ask the next rule

    @property
    def word(self) -> str:
        return self.name.lower()


class RouteScope(Enum):
    """How far away the target is, the nearest last; the values are rtnetlink's (RT_SCOPE_*)."""

    GLOBAL = 0
    SITE = 200
    LINK = 253
    HOST = 254
    NOWHERE = 255

    @property
    def word(self) -> str:
        return self.name.lower()


class RouteMetrics(NamedTuple):
    """What a route says of the path (RTAX_*); 0 is nothing."""

    mtu_bytes: int = 0
    mtu_is_locked: bool = False
    advmss_bytes: int = 0
    hop_limit: int = 0
    window_bytes: int = 0
    initcwnd: int = 0


NO_METRICS = RouteMetrics()

_PREFERENCES = ("high", "medium", "low")
"""Router preferences (RFC 4191); among routes of one metric the first goes first."""


@dataclass(frozen=True, slots=True)
class Nexthop(Generic[DeviceT]):
    """One way of a route. ``gateway`` None means the target itself is on the link.

    ``onlink`` says that the gateway is on the link whatever its address. ``weight`` is its share
    among several, 1 to 256. A gateway may be of the other address family (RFC 5549).
    """

    device: DeviceT
    gateway: IpAddress | None = None
    weight: int = 1
    onlink: bool = False


@dataclass(frozen=True, slots=True)
class Route(Generic[DeviceT]):
    """A route as ``ip route`` shows it.

    There are no ``nexthops`` where packets go nowhere, one as a rule, several for equal-cost
    paths. ``source`` is the preferred source address, None to choose by the device. ``preference``
    is what a router said of itself (RFC 4191).
    """

    network: IpAddress
    prefix_length: int
    nexthops: tuple[Nexthop[DeviceT], ...] = ()
    type: RouteType = RouteType.UNICAST
    scope: RouteScope = RouteScope.GLOBAL
    source: IpAddress | None = None
    metric: int = 0
    tos: int = 0
    protocol: str = "boot"
    table: int = 254
    metrics: RouteMetrics = NO_METRICS
    preference: str = "medium"
    expires_ns: int | None = None

    @property
    def device(self) -> DeviceT | None:
        """The device of the first next hop."""
        return self.nexthops[0].device if self.nexthops else None

    @property
    def gateway(self) -> IpAddress | None:
        """The gateway of the first next hop."""
        return self.nexthops[0].gateway if self.nexthops else None


class Fib(Generic[DeviceT]):
    """The routes of one table: one dictionary, asked once for each prefix length in use."""

    __slots__ = ("_bits", "_lengths", "_masks", "_routes")

    def __init__(self, ip_bytes: int) -> None:
        self._bits = ip_bytes * 8
        self._routes: dict[int, tuple[Route[DeviceT], ...]] = {}
        """By the network's number, with the prefix length in front of its bits."""
        self._lengths: dict[int, int] = {}
        """How many networks there are of each prefix length."""
        self._masks: tuple[tuple[int, int], ...] = ()
        """The mask and the length's part of the key, the longest first."""

    def add(self, route: Route[DeviceT], *, first: bool = False) -> None:
        """Add a route: behind those of equal TOS, metric and preference, or with ``first`` before
        them."""
        key = self._key(route.network, route.prefix_length)
        known = self._routes.get(key, ())
        if not known:
            self._count(route.prefix_length, 1)
            self._routes[key] = (route,)
            return
        routes = (route, *known) if first else (*known, route)
        self._routes[key] = tuple(
            sorted(routes, key=lambda r: (-r.tos, r.metric, _PREFERENCES.index(r.preference)))
        )

    def remove(self, route: Route[DeviceT]) -> bool:
        """Remove an equal route; False if there was none."""
        key = self._key(route.network, route.prefix_length)
        routes = self._routes.get(key, ())
        if route not in routes:
            return False
        at = routes.index(route)
        kept = routes[:at] + routes[at + 1 :]
        if kept:
            self._routes[key] = kept
        else:
            del self._routes[key]
            self._count(route.prefix_length, -1)
        return True

    def replace(self, old: Route[DeviceT], new: Route[DeviceT]) -> None:
        """Put a route of the same prefix, TOS and metric in another's place."""
        key = self._key(old.network, old.prefix_length)
        routes = self._routes[key]
        at = routes.index(old)
        self._routes[key] = (*routes[:at], new, *routes[at + 1 :])

    def at(self, network: bytes, prefix_length: int) -> tuple[Route[DeviceT], ...]:
        """The routes to exactly this network, the preferred first."""
        return self._routes.get(self._key(network, prefix_length), ())

    def matches(self, target: bytes) -> Iterator[Route[DeviceT]]:
        """All routes that lead to ``target``, the most preferred first."""
        number = int.from_bytes(target, "big")
        for mask, length in self._masks:
            yield from self._routes.get(number & mask | length, ())

    def __iter__(self) -> Iterator[Route[DeviceT]]:
        for routes in self._routes.values():
            yield from routes

    def _key(self, network: bytes, prefix_length: int) -> int:
        number = int.from_bytes(network_of(network, prefix_length), "big")
        return number | prefix_length << self._bits

    def _count(self, prefix_length: int, number: int) -> None:
        count = self._lengths.get(prefix_length, 0)
        self._lengths[prefix_length] = count + number
        if count and count + number:
            return
        bits = self._bits
        self._masks = tuple(
            (((1 << length) - 1) << bits - length, length << bits)
            for length in sorted(self._lengths, reverse=True)
            if self._lengths[length]
        )
