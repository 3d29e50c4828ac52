"""``ip route``: routes shown, asked for and changed, with the real tool's words and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, network_of
from vnet.linux.netns.errors import NO_SUCH_PROCESS
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.routes import default_table
from vnet.netdev.device import NetDevice
from vnet.shell.commands.ip_words import (
    WordReader,
    address,
    device_name,
    garbage,
    network,
    number,
    prefix,
)
from vnet.shell.views.route import RouteFilter, route_text, routes_text, table_number
from vnet.shell.views.route_get import UNREACHABLE, route_get_text
from vnet.tables.fib import Nexthop, Route, RouteMetrics, RouteScope, RouteType
from vnet.tables.policy import TABLE_LOCAL, TABLE_MAIN, Flow

_TYPES = {kind.word: kind for kind in RouteType}
_SCOPES = {scope.word: scope for scope in RouteScope}
_PROTOCOLS = ("redirect", "kernel", "boot", "static", "ra", "unspec")
_TRANSPORTS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58}
_MOST = 0xFFFF_FFFF

CHANGES = ("add", "append", "prepend", "change", "replace", "delete")


def ip_route(
    namespace: Namespace, words: Sequence[str], family: int | None, *, details: bool = False
) -> str:
    """Do what stands behind ``ip route``."""
    verb = words[0] if words else ""
    if verb and "get".startswith(verb):
        return _get(namespace, WordReader(words[1:]), family)
    if verb == "flush":
        return _flush(namespace, WordReader(words[1:]), family or 4)
    change = next((c for c in CHANGES if verb and c.startswith(verb)), None)
    if change is not None:
        return _change(namespace, change, words[1:], family)
    read = WordReader(words[1:] if (verb and "list".startswith(verb)) or verb == "show" else words)
    shown = _filter(namespace, read, family)
    _check_table(namespace, shown.table, family or 4)
    texts = [
        routes_text(namespace, each, shown, details=details) for each in _families(shown, family)
    ]
    return "\n".join(text for text in texts if text)


# -- show and flush


def _check_table(namespace: Namespace, table: int | None, family: int) -> None:
    """A table is there once something was in it; two always are."""
    policy = (namespace.routing6 if family == 6 else namespace.routing4).policy
    if table not in (None, TABLE_MAIN, TABLE_LOCAL, *policy.tables):
        raise UsageError(f"Error: ipv{family}: FIB table does not exist.\nDump terminated")


def _families(shown: RouteFilter, family: int | None) -> tuple[int, ...]:
    """IPv4 unless something says otherwise; all tables are those of both."""
    if family is not None:
        return (family,)
    if shown.network is not None:
        return (4 if len(shown.network[0]) == 4 else 6,)
    return (4, 6) if shown.table is None else (4,)


def _filter(namespace: Namespace, read: WordReader, family: int | None) -> RouteFilter:
    shown = RouteFilter()
    while read:
        word = read.next()
        match word:
            case "table":
                shown = replace(shown, table=table_number(read.next()))
            case "dev" | "oif":
                shown = replace(shown, device=device_name(namespace, read.next()))
            case "proto" | "protocol":
                shown = replace(shown, protocol=read.next())
            case "scope":
                shown = replace(shown, scope=_scope(read.next()))
            case "type":
                shown = replace(shown, type=_type(read.next()))
            case _ if word in _TYPES and word != "unicast":
                shown = replace(shown, type=_TYPES[word])
            case _:
                text = read.next() if word in ("to", "exact", "root", "match") else word
                ip, length = prefix(text, family)
                shown = replace(shown, network=(network_of(ip, length), length))
    return shown


def _flush(namespace: Namespace, read: WordReader, family: int) -> str:
    if not read:
        raise UsageError('"ip route flush" requires arguments.')
    if read.peek() == "cache":
        return ""
    shown = _filter(namespace, read, family)
    routing = namespace.routing6 if family == 6 else namespace.routing4
    gone = [
        route
        for route in tuple(routing.policy)
        if shown.table in (None, route.table) and shown.admits(route)
    ]
    for route in gone:
        namespace.routes.remove(route)
    return "" if gone else "Nothing to flush."


# -- get


def _get(namespace: Namespace, read: WordReader, family: int | None) -> str:
    target: IpAddress | None = None
    given: dict[str, object] = {}
    only_match = False
    while read:
        word = read.next()
        match word:
            case "from":
                given["source"] = address(read.next(), family)
            case "iif" | "oif" | "dev":
                key = "iif" if word == "iif" else "oif"
                given[key] = device_name(namespace, read.next())
            case "tos" | "dsfield":
                given["tos"] = number(read.next(), 255, fault="TOS value is invalid") & 0xFC
            case "mark":
                given["mark"] = number(read.next(), _MOST, fault="mark value is invalid")
            case "ipproto":
                given["protocol"] = _transport(read.next())
            case "sport" | "dport":
                key = "source_port" if word == "sport" else "target_port"
                given[key] = number(read.next(), 65_535, "port")
            case "fibmatch":
                only_match = True
            case _:
                target, _length = prefix(read.next() if word == "to" else word, family)
    if target is None:
        raise UsageError("need at least a destination address")
    flow = Flow(target, **given)  # type: ignore[arg-type]
    if not only_match:
        return route_get_text(namespace, target, flow)
    found = namespace.routes.routing_of(target).lookup(flow)
    if found is None:
        raise UsageError(UNREACHABLE)
    return route_text(namespace, found.route)


# -- changes


class _Spec:
    """A route as it is written: what is not said is None."""

    def __init__(self) -> None:
        self.network: tuple[IpAddress, int] | None = None
        self.type: RouteType | None = None
        self.hops: list[tuple[str | None, IpAddress | None, int]] = []
        self.device: str | None = None
        self.gateway: IpAddress | None = None
        self.onlink = False
        self.table: int | None = None
        self.metric: int | None = None
        self.tos = 0
        self.scope: RouteScope | None = None
        self.protocol: str | None = None
        self.source: IpAddress | None = None
        self.metrics: dict[str, int | bool] = {}


def _change(namespace: Namespace, change: str, words: Sequence[str], family: int | None) -> str:
    spec = _read(namespace, WordReader(words), family)
    if spec.network is None:
        raise UsageError("RTNETLINK answers: No such device" if words else "ip route: which?")
    if change == "delete":
        _delete(namespace, spec)
        return ""
    route = _route(namespace, spec)
    if change in ("replace", "change"):
        namespace.routes.replace(route, create=change == "replace")
    else:
        namespace.routes.add(route, append=change == "append", first=change == "prepend")
    return ""


def _read(namespace: Namespace, read: WordReader, family: int | None) -> _Spec:
    spec = _Spec()
    if read.peek() in _TYPES:
        spec.type = _TYPES[read.next()]
    while read:
        word = read.next()
        if word == "nexthop":
            spec.hops.append(_read_hop(namespace, read, family))
        elif word in ("mtu", "advmss", "hoplimit", "window", "initcwnd"):
            _read_metric(spec, word, read)
        else:
            _read_word(namespace, spec, word, read, family)
    return spec


def _read_word(
    namespace: Namespace, spec: _Spec, word: str, read: WordReader, family: int | None
) -> None:
    match word:
        case "via":
            of_target = None if spec.network is None else 4 if len(spec.network[0]) == 4 else 6
            spec.gateway = _gateway(read, family or of_target)
        case "dev" | "oif":
            spec.device = device_name(namespace, read.next())
        case "onlink":
            spec.onlink = True
        case "table":
            spec.table = table_number(read.next(), '"table" value is invalid')
        case "metric" | "priority" | "preference":
            spec.metric = number(read.next(), _MOST, fault='"metric" value is invalid')
        case "tos" | "dsfield":
            spec.tos = number(read.next(), 255, fault="TOS value is invalid")
        case "scope":
            spec.scope = _scope(read.next())
        case "proto" | "protocol":
            spec.protocol = _protocol(read.next())
        case "src":
            spec.source = address(read.next(), family)
        case _ if spec.network is None:
            spec.network = _destination(read.next() if word == "to" else word, read, family)
        case _:
            raise garbage(word)


def _destination(text: str, read: WordReader, family: int | None) -> tuple[IpAddress, int]:
    """Whose ``default`` is of the family of the gateway that follows, if one does."""
    if text == "default" and family is None and read.peek() == "via":
        read.next()
        gateway = read.peek()
        read.push("via")
        family = 6 if ":" in gateway else None
    return network(text, family)


def _read_hop(
    namespace: Namespace, read: WordReader, family: int | None
) -> tuple[str | None, IpAddress | None, int]:
    device, gateway, weight = None, None, 1
    while read and read.peek() in ("via", "dev", "weight"):
        word = read.next()
        if word == "via":
            gateway = _gateway(read, family)
        elif word == "dev":
            device = device_name(namespace, read.next())
        else:
            weight = number(read.next(), 256, fault="weight value is invalid")
    return device, gateway, weight


def _read_metric(spec: _Spec, word: str, read: WordReader) -> None:
    if word == "mtu" and read.peek() == "lock":
        read.next()
        spec.metrics["mtu_is_locked"] = True
    names = {
        "mtu": "mtu_bytes",
        "advmss": "advmss_bytes",
        "hoplimit": "hop_limit",
        "window": "window_bytes",
        "initcwnd": "initcwnd",
    }
    spec.metrics[names[word]] = number(read.next(), _MOST, fault=f'"{word}" value is invalid')


def _gateway(read: WordReader, family: int | None) -> IpAddress:
    if read.peek() in ("inet", "inet6"):
        family = 4 if read.next() == "inet" else 6
    return address(read.next(), family)


def _route(namespace: Namespace, spec: _Spec) -> Route[NetDevice]:
    assert spec.network is not None
    kind = spec.type or RouteType.UNICAST
    routes = namespace.routes
    hops: list[Nexthop[NetDevice]] = []
    if spec.hops:
        hops = [routes.nexthop(d, via, weight=w, onlink=spec.onlink) for d, via, w in spec.hops]
    elif spec.device is not None or spec.gateway is not None:
        hops = [routes.nexthop(spec.device, spec.gateway, onlink=spec.onlink)]
    elif kind in (RouteType.UNICAST, RouteType.LOCAL, RouteType.BROADCAST):
        raise UsageError("RTNETLINK answers: No such device")
    route = Route(
        *spec.network,
        tuple(hops),
        kind,
        source=spec.source,
        tos=spec.tos,
        protocol=spec.protocol or "boot",
        table=spec.table or default_table(kind),
        metrics=RouteMetrics(**spec.metrics),  # type: ignore[arg-type]
    )
    return routes.complete(route, spec.metric, spec.scope)


def _delete(namespace: Namespace, spec: _Spec) -> None:
    assert spec.network is not None
    kind = spec.type or RouteType.UNICAST
    table = spec.table or default_table(kind)
    routing = namespace.routes.routing_of(spec.network[0])
    for route in routing.policy.table(table).at(*spec.network):
        if _is_meant(spec, route):
            namespace.routes.remove(route)
            return
    raise UsageError(NO_SUCH_PROCESS)


def _is_meant(spec: _Spec, route: Route[NetDevice]) -> bool:
    """Whether a route is as it is written; what is not said does not matter."""
    ways = {(hop.device.name, hop.gateway) for hop in route.nexthops}
    return (
        spec.type in (None, route.type)
        and spec.metric in (None, route.metric)
        and spec.tos == route.tos
        and spec.scope in (None, route.scope)
        and spec.protocol in (None, route.protocol)
        and spec.source in (None, route.source)
        and (spec.device is None or any(device == spec.device for device, _ in ways))
        and (spec.gateway is None or any(via == spec.gateway for _, via in ways))
        and all(any(via in (None, g) for _, g in ways) for _, via, _ in spec.hops)
    )


def _type(text: str) -> RouteType:
    if text not in _TYPES:
        raise UsageError(f'Error: argument "{text}" is wrong: type value is invalid')
    return _TYPES[text]


def _scope(text: str) -> RouteScope:
    if text not in _SCOPES:
        raise UsageError(f'Error: argument "{text}" is wrong: invalid "scope" value')
    return _SCOPES[text]


def _protocol(text: str) -> str:
    if text not in _PROTOCOLS:
        raise UsageError(f'Error: argument "{text}" is wrong: "protocol" value is invalid')
    return text


def _transport(text: str) -> int:
    return _TRANSPORTS[text] if text in _TRANSPORTS else number(text, 255, "ipproto")
