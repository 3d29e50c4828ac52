"""``ip route`` and ``ip -6 route``: the routes in the order of the kernel's tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, ip_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.routing.groups import group_routes
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Nexthop, Route, RouteMetrics, RouteScope, RouteType
from vnet.tables.policy import TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN

TABLE_NAMES = {TABLE_DEFAULT: "default", TABLE_MAIN: "main", TABLE_LOCAL: "local"}
"""/etc/iproute2/rt_tables."""

_HASHED_TABLES = 256
_LAST_TABLE = 0xFFFF_FFFF
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class RouteFilter:
    """Which routes are shown: of ``table`` (None: all), out of ``device``, to exactly one
    ``network``, and so on. What all of them have in common is not printed."""

    table: int | None = TABLE_MAIN
    device: str | None = None
    network: tuple[IpAddress, int] | None = None
    type: RouteType | None = None
    protocol: str | None = None
    scope: RouteScope | None = None

    def admits(self, route: Route[NetDevice]) -> bool:
        return (
            (self.device is None or any(h.device.name == self.device for h in route.nexthops))
            and (self.network is None or (route.network, route.prefix_length) == self.network)
            and (self.type is None or route.type is self.type)
            and (self.protocol is None or route.protocol == self.protocol)
            and (self.scope is None or route.scope is self.scope)
        )


_EVERYTHING = RouteFilter()


def routes_text(
    namespace: Namespace,
    family: int,
    shown: RouteFilter = _EVERYTHING,
    *,
    details: bool = False,
) -> str:
    """The routes of a family (4 or 6)."""
    if shown.device is not None:
        namespace.interface(shown.device)
    policy = (namespace.routing4 if family == 4 else namespace.routing6).policy
    tables = [shown.table] if shown.table is not None else sorted(policy.tables, key=_table_order)
    order = _order4 if family == 4 else _order6
    return "\n".join(
        route_text(namespace, route, shown, details=details)
        for table in tables
        for route in sorted(_table(namespace, family, table), key=order)
        if shown.admits(route)
    )


def _table(namespace: Namespace, family: int, table: int) -> list[Route[NetDevice]]:
    routing = namespace.routing4 if family == 4 else namespace.routing6
    groups = group_routes(namespace) if (family, table) == (6, TABLE_LOCAL) else []
    return [*routing.policy.tables.get(table, ()), *groups]


def _table_order(table: int) -> tuple[int, int]:
    """The kernel keeps its tables in a hash, of which a table's number is the key."""
    return table % _HASHED_TABLES, -table


def _order4(route: Route[NetDevice]) -> tuple[int, int]:
    """The trie is walked by address; of one address the longest prefix comes first."""
    return int.from_bytes(route.network, "big"), -route.prefix_length


def _order6(route: Route[NetDevice]) -> tuple[int, int]:
    """The radix tree is walked children first: a prefix comes after all it contains, and the
    default route last."""
    host_bits = (1 << (128 - route.prefix_length)) - 1
    last = int.from_bytes(route.network, "big") | host_bits
    return last, -route.prefix_length


def destination_text(route: Route[NetDevice]) -> str:
    """The network, as ``ip`` prints it."""
    if route.prefix_length == 0:
        return "default"
    if route.prefix_length == len(route.network) * 8:
        return ip_text(route.network)
    return f"{ip_text(route.network)}/{route.prefix_length}"


def table_number(text: str, fault: str = "table id value is invalid") -> int | None:
    """A table by its name or number; None for "all". ``fault`` is what is said of others."""
    if text == "all":
        return None
    for number, name in TABLE_NAMES.items():
        if text == name:
            return number
    if not text.isdecimal() or int(text) > _LAST_TABLE:
        raise UsageError(f'Error: argument "{text}" is wrong: {fault}')
    return int(text)


def table_text(table: int) -> str:
    """A table's name, or its number."""
    return TABLE_NAMES.get(table, str(table))


def route_text(
    namespace: Namespace,
    route: Route[NetDevice],
    shown: RouteFilter = _EVERYTHING,
    *,
    details: bool = False,
) -> str:
    """One route, on a line for itself and one for each of several next hops."""
    ipv6 = len(route.network) == 16
    several = len(route.nexthops) > 1
    hop = route.nexthops[0] if route.nexthops and not several else None
    parts = [route.type.word] if details or route.type is not RouteType.UNICAST else []
    parts.append(destination_text(route))
    parts += [f"tos {route.tos:#04x}"] if route.tos else []
    parts += _way(route, hop, shown)
    if shown.table is None and (details or route.table != TABLE_MAIN):
        parts.append(f"table {table_text(route.table)}")
    if (details or route.protocol != "boot") and shown.protocol is None:
        parts.append(f"proto {route.protocol}")
    if (details or route.scope is not RouteScope.GLOBAL) and shown.scope is None:
        parts.append(f"scope {route.scope.word}")
    parts += [f"src {ip_text(route.source)}"] if route.source is not None else []
    parts += [f"metric {route.metric}"] if route.metric or (ipv6 and route.nexthops) else []
    parts += _flags(namespace, route, hop) if hop is not None else []
    parts += _expiry(namespace, route) + _metrics(route.metrics)
    text = " ".join(parts) + " "
    text += preferred_text(route) if ipv6 else ""
    return text + "".join(_hop_text(namespace, route, each) for each in route.nexthops if several)


def mark_text(mark: int) -> str:
    """A packet's mark: small ones in decimal."""
    return str(mark) if mark < 16 else f"{mark:#x}"


def preferred_text(route: Route[NetDevice]) -> str:
    """What ends every IPv6 route: how much its router thinks of itself."""
    return f"pref {route.preference}"


def _way(
    route: Route[NetDevice], hop: Nexthop[NetDevice] | None, shown: RouteFilter
) -> Iterable[str]:
    if hop is None:
        # IPv6 hangs routes that lead nowhere on the loopback.
        nowhere = not route.nexthops and len(route.network) == 16
        return ["dev lo"] if nowhere and shown.device is None else []
    way = [_via(hop, len(route.network))] if hop.gateway is not None else []
    return way if shown.device is not None else [*way, f"dev {hop.device.name}"]


def _via(hop: Nexthop[NetDevice], ip_bytes: int) -> str:
    assert hop.gateway is not None
    other = "" if len(hop.gateway) == ip_bytes else "inet6 " if ip_bytes == 4 else "inet "
    return f"via {other}{ip_text(hop.gateway)}"


def _flags(namespace: Namespace, route: Route[NetDevice], hop: Nexthop[NetDevice]) -> Iterable[str]:
    """What is the matter with a next hop. What is ours stays so without a carrier."""
    stays = route.type in (RouteType.LOCAL, RouteType.ANYCAST)
    if not stays and not namespace.routes.routing_of(route.network).is_alive(hop.device):
        yield "dead"
    if hop.onlink:
        yield "onlink"
    if not stays and not hop.device.running:
        yield "linkdown"


def _expiry(namespace: Namespace, route: Route[NetDevice]) -> list[str]:
    """How long a route that a router advertised still holds."""
    if route.expires_ns is None:
        return []
    return [f"expires {(route.expires_ns - namespace.scheduler.now_ns) // _NS_PER_S}sec"]


def _metrics(metrics: RouteMetrics) -> list[str]:
    lock = "lock " if metrics.mtu_is_locked else ""
    named = {
        f"mtu {lock}": metrics.mtu_bytes,
        "window ": metrics.window_bytes,
        "advmss ": metrics.advmss_bytes,
        "hoplimit ": metrics.hop_limit,
        "initcwnd ": metrics.initcwnd,
    }
    return [f"{name}{value}" for name, value in named.items() if value]


def _hop_text(namespace: Namespace, route: Route[NetDevice], hop: Nexthop[NetDevice]) -> str:
    parts = ["\n\tnexthop"]
    parts += [f"via {ip_text(hop.gateway)}"] if hop.gateway is not None else []
    parts += [f"dev {hop.device.name}", f"weight {hop.weight}"]
    parts += _flags(namespace, route, hop)
    return " ".join(parts) + " "
