"""What an IP packet carries, by its number (IANA, Assigned Internet Protocol Numbers)."""

from __future__ import annotations

from collections.abc import Callable

from vnet.compare.cursor import Cursor
from vnet.compare.dissect.groups import igmp
from vnet.compare.dissect.icmp import icmp, icmpv6
from vnet.compare.dissect.packet import Layers, Packet
from vnet.compare.dissect.tcp import tcp
from vnet.compare.dissect.tunnels import gre
from vnet.compare.dissect.udp import udp

_IPV4_IN_IP, _IPV6_IN_IP = 4, 41


def _ipv4_inside(cursor: Cursor, _packet: Packet, layers: Layers) -> None:
    with cursor.inside("inner."):
        layers.ipv4(cursor, layers)


def _ipv6_inside(cursor: Cursor, _packet: Packet, layers: Layers) -> None:
    with cursor.inside("inner."):
        layers.ipv6(cursor, layers)


BY_NUMBER: dict[int, Callable[[Cursor, Packet, Layers], None]] = {
    1: icmp,
    2: igmp,
    _IPV4_IN_IP: _ipv4_inside,
    6: tcp,
    17: udp,
    _IPV6_IN_IP: _ipv6_inside,
    47: gre,
    58: icmpv6,
}
"""Each takes what it understands and leaves the rest."""
