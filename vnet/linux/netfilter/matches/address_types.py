"""What kind of address an address is, as the routing tables say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import is_multicast_ip
from vnet.netdev.device import NetDevice
from vnet.tables.fib import RouteType
from vnet.tables.policy import TABLE_LOCAL

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace

_UNSPECIFIED, _BROADCAST = bytes(4), b"\xff" * 4


def type_of(
    namespace: Namespace, address: bytes, device: NetDevice | None, *, is_limited: bool
) -> str:
    """``LOCAL``, ``UNICAST`` and so on; with ``is_limited`` as seen from one device."""
    if len(address) == 16:
        return _type6(namespace, address, device if is_limited else None)
    if address in (_UNSPECIFIED, _BROADCAST):
        return "BROADCAST"
    if is_multicast_ip(address):
        return "MULTICAST"
    for route in namespace.routing4.policy.table(TABLE_LOCAL).matches(address):
        if not is_limited or route.device is device:
            return route.type.name
        return "UNICAST"
    return "UNICAST"


def _type6(namespace: Namespace, address: bytes, device: NetDevice | None) -> str:
    if not any(address):
        return "UNSPEC"
    if is_multicast_ip(address):
        return "MULTICAST"
    found = namespace.routing6.to(address)
    if found is None:
        return "UNREACHABLE"
    is_ours = found.type is RouteType.LOCAL
    if is_ours and device is not None:
        owner = namespace.owner_of(address)
        if owner is None or owner.device is not device:
            return "UNICAST"
    return found.type.name
