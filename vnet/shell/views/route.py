"""``ip route`` and ``ip -6 route``: the routes in the order of the kernel's tables."""

from __future__ import annotations

from vnet.base.ids import ip_text
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import NetDevice
from vnet.tables.fib import RouteEntry, RouteScope


def routes_text(
    namespace: Namespace, family: int, *, device: str | None = None, prefix: str | None = None
) -> str:
    """All routes of a family (4 or 6); with ``device``, those out of it, without its name.

    ``prefix`` is a destination as it is printed: ``default``, ``10.0.0.0/24``.
    """
    if device is not None:
        namespace.interface(device)
    fib = namespace.fib4 if family == 4 else namespace.fib6
    routes = [
        route
        for route in sorted(fib, key=_order4 if family == 4 else _order6)
        if (device is None or route.device.name == device)
        and (prefix is None or _destination(route) == prefix)
    ]
    if family == 4:
        return "\n".join(_line4(route, device is None) for route in routes)
    return "\n".join(_line6(namespace, route, device is None) for route in routes)


def _order4(route: RouteEntry[NetDevice]) -> tuple[int, int, int]:
    """The trie is walked by address; of one address the longest prefix comes first."""
    return int.from_bytes(route.network, "big"), -route.prefix_length, route.metric


def _order6(route: RouteEntry[NetDevice]) -> tuple[int, int, int]:
    """The radix tree is walked children first: a prefix comes after all it contains, and the
    default route last."""
    host_bits = (1 << (128 - route.prefix_length)) - 1
    last = int.from_bytes(route.network, "big") | host_bits
    return last, -route.prefix_length, route.metric


def _destination(route: RouteEntry[NetDevice]) -> str:
    if route.prefix_length == 0:
        return "default"
    if route.prefix_length == len(route.network) * 8:
        return ip_text(route.network)
    return f"{ip_text(route.network)}/{route.prefix_length}"


def _start(route: RouteEntry[NetDevice], with_device: bool) -> list[str]:
    parts = [_destination(route)]
    if route.gateway is not None:
        parts.append(f"via {ip_text(route.gateway)}")
    if with_device:
        parts.append(f"dev {route.device.name}")
    parts.append(f"proto {route.protocol}")
    return parts


def _is_down(route: RouteEntry[NetDevice]) -> bool:
    return route.device.admin_up and not route.device.carrier


def _line4(route: RouteEntry[NetDevice], with_device: bool) -> str:
    parts = _start(route, with_device)
    if route.scope is not RouteScope.GLOBAL:
        parts.append(f"scope {route.scope.value}")
    if route.source is not None:
        parts.append(f"src {ip_text(route.source)}")
    if route.metric:
        parts.append(f"metric {route.metric}")
    if _is_down(route):
        parts.append("linkdown")
    return " ".join(parts) + " "


def _line6(namespace: Namespace, route: RouteEntry[NetDevice], with_device: bool) -> str:
    parts = _start(route, with_device)
    if route.source is not None:
        parts.append(f"src {ip_text(route.source)}")
    parts.append(f"metric {route.metric}")
    if _is_down(route):
        parts.append("linkdown")
    parts += _learned(namespace, route)
    return " ".join([*parts, "pref medium"])


def _learned(namespace: Namespace, route: RouteEntry[NetDevice]) -> list[str]:
    """What is said of a route that a router advertised."""
    interface = namespace.interfaces[route.device.name]
    expiries = {} if interface.addrconf is None else interface.addrconf.routers.expiries
    end_ns = expiries.get(route)
    if end_ns is None:
        return []
    left_s = (end_ns - namespace.scheduler.now_ns) // 1_000_000_000
    hops = [f"hoplimit {interface.conf6.hop_limit}"] if route.gateway is not None else []
    return [f"expires {left_s}sec", *hops]
