"""What a machine writes into the options of an IPv4 packet: its address and the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV4_ANY, IPV4_BROADCAST, is_multicast_ip
from vnet.wire.ipv4 import Ipv4

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_NS_PER_MS = 1_000_000
_MS_PER_DAY = 86_400_000


class MachineValues:
    """The values for a packet with ``header`` that came in by ``interface``, if it came in."""

    __slots__ = ("_header", "_interface", "_namespace")

    def __init__(self, namespace: Namespace, header: Ipv4, interface: Interface | None) -> None:
        self._namespace = namespace
        self._header = header
        self._interface = interface

    def address(self) -> bytes:
        """The address that the packet was sent to, or else the one we would answer from."""
        namespace, header = self._namespace, self._header
        if namespace.owns(header.target):
            return header.target
        route = namespace.route_to(header.source)
        if route is not None:
            return route.source_for(header.source) or IPV4_ANY
        return (self._interface and self._interface.source_for(header.source)) or IPV4_ANY

    def is_foreign(self, ip: bytes) -> bool:
        """Whether ``ip`` is an address of one machine that is not this one."""
        namespace = self._namespace
        to_many = is_multicast_ip(ip) or ip in (IPV4_ANY, IPV4_BROADCAST)
        return not (
            to_many
            or namespace.owns(ip)
            or any(interface.is_broadcast(ip) for interface in namespace.interfaces.values())
        )

    def clock_ms(self) -> int:
        """Milliseconds since midnight UT; the lab's clock starts at one."""
        return self._namespace.scheduler.now_ns // _NS_PER_MS % _MS_PER_DAY
