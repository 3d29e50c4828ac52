"""``ip route get``: the way of one packet, as the kernel would send or receive it."""

from __future__ import annotations

from vnet.base.errors import UsageError
from vnet.base.ids import IPV6_ANY, IpAddress, ip_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.routing.destination import Destination
from vnet.shell.views.route import mark_text, preferred_text, table_text
from vnet.tables.fib import RouteType
from vnet.tables.policy import LOOPBACK, TABLE_MAIN, Flow

_NS_PER_S = 1_000_000_000

UNREACHABLE = "RTNETLINK answers: Network is unreachable"
_REFUSED = {
    RouteType.BLACKHOLE: "RTNETLINK answers: Invalid argument",
    RouteType.UNREACHABLE: "RTNETLINK answers: No route to host",
    RouteType.PROHIBIT: "RTNETLINK answers: Permission denied",
}
_FLAGS = {RouteType.LOCAL: "local", RouteType.BROADCAST: "local,brd", RouteType.MULTICAST: "mc"}


def route_get_text(namespace: Namespace, target: IpAddress, asked: Flow | None = None) -> str:
    """The route of a packet to ``target``; ``asked`` says more of it than that.

    Raises :class:`UsageError` with the kernel's answer where it goes nowhere.
    """
    flow = asked or Flow(target)
    routing = namespace.routes.routing_of(target)
    found = routing.lookup(flow)
    if found is None:
        raise UsageError(UNREACHABLE)
    if not found.leads_somewhere:
        raise UsageError(_REFUSED[found.type])
    return _text6(found, flow) if len(target) == 16 else _text4(namespace, found, flow)


def _text4(namespace: Namespace, found: Destination, flow: Flow) -> str:
    now_ns = namespace.scheduler.now_ns
    path = namespace.ipv4.paths.path(flow.target, now_ns)
    redirected = path is not None and path.gateway is not None
    gateway = path.gateway if path is not None and redirected else found.gateway
    parts = _way(found, flow, gateway)
    if found.route.table != TABLE_MAIN and namespace.routing4.policy.has_own_rules:
        # Without rules the kernel keeps the tables local and main as one.
        parts.append(f"table {table_text(found.route.table)}")
    if flow.iif == LOOPBACK:
        source = flow.source or found.source_for(flow.target)
        if source is not None and not flow.source:
            parts.append(f"src {ip_text(source)}")
        parts += [f"mark {mark_text(flow.mark)}"] if flow.mark else []
        parts.append("uid 0")
    flags = [_FLAGS[found.type]] if found.type in _FLAGS else []
    flags += ["redirected"] if redirected else []
    cached = ["\n    cache"]
    cached += [f"<{','.join(flags)}>"] if flags else []
    if path is not None:
        cached.append(f"expires {(path.expires_ns - now_ns) // _NS_PER_S}sec")
        lock = "lock " if path.is_locked else ""
        cached += [f"mtu {lock}{path.mtu_bytes}"] if path.mtu_bytes is not None else []
    elif found.route.metrics.mtu_bytes:
        cached.append(f"mtu {found.route.metrics.mtu_bytes}")
    cached += [f"iif {flow.iif}"] if flow.iif != LOOPBACK else []
    return " ".join(parts) + " " + " ".join(cached) + " "


def _way(found: Destination, flow: Flow, gateway: bytes | None) -> list[str]:
    """What both families say alike: where to, from where, over what."""
    route = found.route
    parts = [] if route.type is RouteType.UNICAST else [route.type.word]
    parts.append(ip_text(flow.target))
    if flow.source or len(flow.target) == 16:
        parts.append(f"from {ip_text(flow.source or IPV6_ANY)}")
    parts += [f"via {ip_text(gateway)}"] if gateway is not None else []
    # Whatever is ours comes by the loopback, on whatever device the address is.
    comes_in = flow.iif != LOOPBACK and route.type is RouteType.BROADCAST
    parts.append(f"dev {LOOPBACK if found.is_ours or comes_in else found.out.device.name}")
    return parts


def _text6(found: Destination, flow: Flow) -> str:
    route = found.route
    parts = _way(found, flow, found.gateway)
    parts += [f"table {table_text(route.table)}"] if route.table != TABLE_MAIN else []
    parts += [f"proto {route.protocol}"] if route.protocol != "boot" else []
    source = flow.source or found.source_for(flow.target)
    if found.is_ours:
        source = flow.target
    parts += [f"src {ip_text(source)}"] if source is not None else []
    return " ".join([*parts, f"metric {route.metric}", preferred_text(route)])
