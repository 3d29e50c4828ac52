"""The addresses, routes and rules that a topology file gives a machine, put into its tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vnet.base.ids import ip_text, is_link_local_ip6
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Nexthop, Route, RouteMetrics
from vnet.topology import model


def add_addresses(namespace: Namespace, device: str, addresses: Iterable[model.Address]) -> None:
    """Give ``device`` its addresses."""
    for address in addresses:
        namespace.add_address(device, address.ip, address.prefix_length)


def address_commands(device: str, addresses: Iterable[model.Address]) -> list[str]:
    """The same in the words of ip(8)."""
    return [f"ip addr add {ip_text(a.ip)}/{a.prefix_length} dev {device}" for a in addresses]


def add_routes(namespace: Namespace, routes: Iterable[model.Route]) -> None:
    """Add static routes, in order: a later one's gateway may be reached by an earlier one."""
    link = _link_of_neighbors(namespace)
    for route in routes:
        hops = tuple(_nexthop(namespace, route, hop, link) for hop in route.nexthops)
        wanted = Route(
            route.network,
            route.prefix_length,
            hops,
            route.type,
            source=route.source,
            tos=route.tos,
            protocol="static",
            table=route.table,
            metrics=RouteMetrics(mtu_bytes=route.mtu_bytes),
        )
        namespace.routes.add(namespace.routes.complete(wanted, route.metric))


def _link_of_neighbors(namespace: Namespace) -> str | None:
    """The link that a link-local gateway is on, which says nothing of it: such a machine has one,
    the card or the bridge that has taken over its addresses."""
    speak = [i for i in namespace.interfaces.values() if i.addrconf is not None]
    speak.sort(key=lambda interface: not interface.addresses)
    return speak[0].device.name if speak else None


def _nexthop(
    namespace: Namespace, route: model.Route, hop: model.Nexthop, link: str | None
) -> Nexthop[NetDevice]:
    device = hop.device
    if device is None and hop.gateway is not None and is_link_local_ip6(hop.gateway):
        device = link
    return namespace.routes.nexthop(device, hop.gateway, weight=hop.weight, onlink=route.onlink)


def add_rules(namespace: Namespace, rules: Iterable[model.PolicyRule]) -> None:
    """Add rules, in order; those without a priority go before all that are there."""
    for each in rules:
        rule = each.rule
        if not each.has_priority:
            rule = replace(rule, priority=namespace.rules.next_priority(each.family))
        namespace.rules.add(each.family, rule)
