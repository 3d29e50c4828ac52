"""The routes that come with addresses and with ``ip route add``, as table entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IpAddress
from vnet.netdev.device import NetDevice
from vnet.tables.fib import RouteEntry, RouteScope

if TYPE_CHECKING:
    from vnet.linux.netns.address import InterfaceAddress
    from vnet.linux.netns.interface import Interface

_IPV6_CONNECTED_METRIC = 256
_IPV6_STATIC_METRIC = 1024
"""IPv6 routes have these metrics unless told otherwise; IPv4's have 0."""

_KERNEL = "kernel"


def connected_route(
    interface: Interface, address: InterfaceAddress
) -> RouteEntry[NetDevice] | None:
    """The route to an address's own network; an IPv4 /32 has none."""
    ipv6 = len(address.ip) == 16
    if address.prefix_length == 32 and not ipv6:
        return None
    return RouteEntry(
        address.network,
        address.prefix_length,
        None,
        interface.device,
        None if ipv6 else address.ip,
        RouteScope.GLOBAL if ipv6 else RouteScope.LINK,
        _IPV6_CONNECTED_METRIC if ipv6 else 0,
        _KERNEL,
    )


def same_network(one: RouteEntry[NetDevice], other: RouteEntry[NetDevice]) -> bool:
    """Whether two connected routes lead to one network by one device.

    The second address of a network is "secondary" to Linux: the first one's route serves.
    """
    return (one.network, one.prefix_length, one.device, one.protocol) == (
        other.network,
        other.prefix_length,
        other.device,
        other.protocol,
    )


def source_by(route: RouteEntry[NetDevice], out: Interface, target: bytes) -> IpAddress | None:
    """The address that a packet to ``target`` leaves from, by its route over ``out``.

    IPv4 looks at the gateway's network (fib_select_path()); IPv6 at the target's scope (RFC 6724
    rule 2), for the gateway is usually link-local and tells nothing.
    """
    towards = target if len(target) == 16 else route.gateway or target
    return route.source or out.source_for(towards)


def static_route(
    network: IpAddress,
    prefix_length: int,
    gateway: IpAddress | None,
    device: NetDevice,
    source: IpAddress | None,
    metric: int | None,
) -> RouteEntry[NetDevice]:
    """What ``ip route add`` makes."""
    if metric is None:
        metric = _IPV6_STATIC_METRIC if len(network) == 16 else 0
    scope = RouteScope.LINK if gateway is None else RouteScope.GLOBAL
    return RouteEntry(network, prefix_length, gateway, device, source, scope, metric, "static")
