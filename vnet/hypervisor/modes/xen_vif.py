"""What Xen's scripts for single guests have in common that put them on no bridge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vnet.base.ids import IpAddress, ip_text
from vnet.hypervisor.backend import BackEnd
from vnet.linux.netns.namespace import Namespace
from vnet.tables.fib import Nexthop, Route

HOST_BITS = 32


class VifScript(Protocol):
    """Brings the back ends of guests online, and takes them away again."""

    def online(self, vif: BackEnd, addresses: Sequence[IpAddress]) -> None:
        """The guest's back end comes up; ``addresses`` are those that its configuration names."""

    def offline(self, vif: BackEnd) -> None:
        """The guest has gone: the back end goes, and what led to it."""


def add_guest_route(namespace: Namespace, guest: IpAddress, vif: str, source: IpAddress) -> str:
    """The way to one guest; returns the command."""
    device = namespace.interface(vif).device
    route = Route(guest, HOST_BITS, (Nexthop(device),), source=source, protocol="boot")
    namespace.routes.add(namespace.routes.complete(route, None))
    return f"ip route add {ip_text(guest)} dev {vif} src {ip_text(source)}"
