"""The IPv6 routes that are ours with others: a router's anycast addresses, and multicast.

The kernel keeps them in its table ``local``. Here the protocols know their groups themselves, and
nothing looks these routes up: they are made when they are to be shown.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.ids import IpAddress
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Nexthop, Route, RouteType
from vnet.tables.policy import TABLE_LOCAL, TABLE_MAIN

_LINK_LOCAL = IpAddress(b"\xfe\x80" + bytes(14))
_MULTICAST = IpAddress(b"\xff" + bytes(15))
_METRIC = 256


def group_routes(namespace: Namespace) -> list[Route[NetDevice]]:
    """Those of a machine, in the order in which its devices came by a link-local network."""
    main = namespace.routing6.policy.table(TABLE_MAIN)
    ages = [route.device for route in main.at(_LINK_LOCAL, 64)]
    interfaces = sorted(
        namespace.interfaces.values(),
        key=lambda each: ages.index(each.device) if each.device in ages else len(ages),
    )
    return [route for interface in interfaces for route in _of_interface(interface)]


def _of_interface(interface: Interface) -> Iterator[Route[NetDevice]]:
    if interface.addrconf is None:
        return
    for subnet in interface.addrconf.anycasts:
        yield _route(interface, IpAddress(subnet), 128, RouteType.ANYCAST, 0)
    speaks = any(len(address.ip) == 16 for address in interface.addresses)
    if speaks and interface.device.admin_up and interface.device.kind != "loopback":
        yield _route(interface, _MULTICAST, 8, RouteType.MULTICAST, _METRIC)


def _route(
    interface: Interface, network: IpAddress, length: int, kind: RouteType, metric: int
) -> Route[NetDevice]:
    return Route(
        network,
        length,
        (Nexthop(interface.device),),
        type=kind,
        metric=metric,
        protocol="kernel",
        table=TABLE_LOCAL,
    )
