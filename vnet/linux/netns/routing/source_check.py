"""Whether a packet may come from its source by the interface it came by (fib_validate_source()).

With rp_filter 1 the way back must lead over the same interface, with 2 there must be some way
back. Without it the source must only not be an address of our own.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from vnet.linux.netns.routing.destination import Destination
from vnet.tables.fib import RouteType
from vnet.tables.policy import Flow

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_STRICT = 1
_NOWHERE = (RouteType.BLACKHOLE, RouteType.UNREACHABLE, RouteType.PROHIBIT)
"""A route that refuses packets is as good as none: nobody can say that it leads elsewhere."""


class Source(Enum):
    """What is known of a packet's source."""

    NEAR = auto()  # a neighbour on the interface that the packet came by
    FAR = auto()  # somebody behind a router, or not asked about
    IMPOSSIBLE = auto()  # ours, or no single host's
    NO_WAY_BACK = auto()  # rp_filter says that no packet from there can come by here


def check_source(
    namespace: Namespace,
    interface: Interface,
    source: bytes,
    target: bytes,
    tos: int,
    out: Interface | None,
) -> Source:
    """Judge the source of a packet to ``target``, which is to leave by ``out`` (None: is ours)."""
    conf = interface.conf4
    if not conf.rp_filter and (out is not interface or not conf.send_redirects):
        if conf.accept_local:
            return Source.FAR
        if not namespace.routing4.policy.has_own_rules:
            return Source.IMPOSSIBLE if namespace.owner_of(source) else Source.FAR
    back = Flow(source, target, out.device.name if out is not None else "lo", tos=tos)
    found = namespace.routing4.lookup(back)
    if found is None or found.type in _NOWHERE:
        return Source.NO_WAY_BACK if conf.rp_filter else Source.FAR
    ours = found.type is RouteType.LOCAL
    if found.type is not RouteType.UNICAST and not (ours and conf.accept_local):
        return Source.IMPOSSIBLE
    if _leads_over(found, interface) or (ours and interface is namespace.loopback):
        return _by_distance(found)
    has_address = any(len(address.ip) == 4 for address in interface.addresses)
    if not has_address or conf.rp_filter == _STRICT:
        return Source.NO_WAY_BACK if conf.rp_filter else Source.FAR
    here = namespace.routing4.lookup(back._replace(oif=interface.device.name))
    if here is not None and here.type is RouteType.UNICAST:
        return _by_distance(here)
    return Source.FAR


def _leads_over(found: Destination, interface: Interface) -> bool:
    """Of several next hops any will do."""
    return any(hop.device is interface.device for hop in found.route.nexthops)


def _by_distance(found: Destination) -> Source:
    return Source.NEAR if found.gateway is None else Source.FAR
