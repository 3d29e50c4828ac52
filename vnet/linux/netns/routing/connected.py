"""The routes that come with addresses (net/ipv4/fib_frontend.c, net/ipv6/addrconf.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV4_ANY, IpAddress
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Nexthop, Route, RouteScope, RouteType
from vnet.tables.policy import TABLE_LOCAL, TABLE_MAIN

if TYPE_CHECKING:
    from vnet.linux.netns.address import InterfaceAddress
    from vnet.linux.netns.interface import Interface

_IPV6_CONNECTED_METRIC = 256
_IPV6_LOOPBACK = bytes(15) + b"\1"
_KERNEL = "kernel"


def local_route(interface: Interface, address: InterfaceAddress) -> Route[NetDevice]:
    """The route that makes packets to an address ours."""
    ipv6 = len(address.ip) == 16
    return Route(
        address.ip,
        len(address.ip) * 8,
        (Nexthop(interface.device),),
        type=RouteType.LOCAL,
        scope=RouteScope.GLOBAL if ipv6 else RouteScope.HOST,
        source=None if ipv6 else address.primary_ip,
        protocol=_KERNEL,
        table=TABLE_LOCAL,
    )


def broadcast_routes(interface: Interface, address: InterfaceAddress) -> list[Route[NetDevice]]:
    """The routes that make packets to everyone on an IPv4 network ours, too."""
    if address.broadcast is None:
        return []
    return [
        Route(
            address.broadcast,
            32,
            (Nexthop(interface.device),),
            type=RouteType.BROADCAST,
            scope=RouteScope.LINK,
            source=address.primary_ip,
            protocol=_KERNEL,
            table=TABLE_LOCAL,
        )
    ]


def same_network(one: Route[NetDevice], other: Route[NetDevice]) -> bool:
    """Whether two routes of the kernel's lead to one network by one device."""
    return (one.network, one.prefix_length, one.device, one.protocol) == (
        other.network,
        other.prefix_length,
        other.device,
        other.protocol,
    )


def prefix_route(interface: Interface, address: InterfaceAddress) -> Route[NetDevice] | None:
    """The route to an address's own network. An IPv4 /32 has none, nor has a second address in
    one; that of the loopback is ours as a whole."""
    if address.ip == _IPV6_LOOPBACK or address.from_router:
        # The network of what is made of a router's prefix is a matter of that prefix.
        return None
    if len(address.ip) == 16:
        return Route(
            address.network,
            address.prefix_length,
            (Nexthop(interface.device),),
            metric=_IPV6_CONNECTED_METRIC,
            protocol=_KERNEL,
        )
    is_host = address.prefix_length == 32 and address.network == address.ip
    if is_host or address.is_secondary or address.network == IPV4_ANY:
        return None
    ours = interface.device.kind == "loopback"
    return Route(
        address.network,
        address.prefix_length,
        (Nexthop(interface.device),),
        type=RouteType.LOCAL if ours else RouteType.UNICAST,
        scope=RouteScope.HOST if ours else RouteScope.LINK,
        source=IpAddress(address.ip),
        protocol=_KERNEL,
        table=TABLE_LOCAL if ours else TABLE_MAIN,
    )
