"""What routing says of a flow: a type, and for most types an interface and a next hop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IpAddress
from vnet.tables.fib import RouteType

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.netdev.device import NetDevice
    from vnet.tables.fib import Route

REFUSING = frozenset((RouteType.BLACKHOLE, RouteType.UNREACHABLE, RouteType.PROHIBIT))
"""Types of routes that lead nowhere."""


class Destination:
    """Where a flow goes. ``gateway`` None means that its target itself is the next hop.

    There is no ``out`` where packets go nowhere. ``mtu_bytes`` is what fits through the route's
    first link; what routers further on have said is not in it.
    """

    __slots__ = ("_out", "gateway", "mtu_bytes", "route", "type")

    def __init__(
        self, route: Route[NetDevice], out: Interface | None, gateway: IpAddress | None
    ) -> None:
        self.route = route
        self.type = route.type
        self._out = out
        self.gateway = gateway
        self.mtu_bytes = 0
        if out is not None:
            # IPv6's may be less than the device's, by its settings or by what a router has said.
            ipv6 = len(route.network) == 16
            first_link_bytes = out.conf6.mtu if ipv6 else out.device.mtu_bytes
            self.mtu_bytes = route.metrics.mtu_bytes or first_link_bytes

    @property
    def leads_somewhere(self) -> bool:
        return self._out is not None

    @property
    def out(self) -> Interface:
        """The interface that packets leave by, or that has the address if it is ours."""
        assert self._out is not None
        return self._out

    def source_for(self, target: bytes) -> IpAddress | None:
        """The address that a packet to ``target`` leaves from.

        IPv4 looks at the gateway's network (fib_select_path()); IPv6 at the target's scope (RFC
        6724 rule 2), for the gateway is usually link-local and tells nothing.
        """
        if self.route.source is not None:
            return self.route.source
        towards = target if len(target) == 16 else self.gateway or target
        return self.out.source_for(towards)

    @property
    def is_ours(self) -> bool:
        return self.type is RouteType.LOCAL or self.type is RouteType.ANYCAST
