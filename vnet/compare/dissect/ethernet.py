"""Ethernet II and IEEE 802.3 frames, with their VLAN tags, and what stands in them by type."""

from __future__ import annotations

from vnet.compare.cursor import Cursor
from vnet.compare.dissect.arp import arp
from vnet.compare.dissect.bridges import lacp, spanning_tree
from vnet.compare.dissect.ip import ipv4, ipv6
from vnet.compare.dissect.packet import Layers
from vnet.compare.field import hexadecimal
from vnet.wire import bpdu
from vnet.wire.ether import TYPE_ARP, TYPE_IPV4, TYPE_IPV6, TYPE_QINQ, TYPE_VLAN
from vnet.wire.lacp import ETHER_TYPE as TYPE_SLOW

_MOST_TAGS = 8
_LEAST_TYPE = 0x600
"""Below it stands a length (IEEE 802.3 clause 3.2.6)."""


def ethernet(cursor: Cursor) -> None:
    """A frame from its target's address on, to the end of what the cursor sees."""
    cursor.mac("eth.dst")
    cursor.mac("eth.src")
    kind = cursor.number("eth.type", 2, hexadecimal)
    for _ in range(_MOST_TAGS):
        if kind not in (TYPE_VLAN, TYPE_QINQ):
            break
        cursor.bits(("vlan.priority", 3), ("vlan.dei", 1), ("vlan.id", 12))
        kind = cursor.number("eth.type", 2, hexadecimal)
    end = cursor.end
    if kind < _LEAST_TYPE:
        cursor.end = min(end, cursor.at + kind)
        _llc(cursor)
        cursor.rest("data")
    elif kind == TYPE_ARP:
        arp(cursor)
    elif kind == TYPE_IPV4:
        ipv4(cursor, _LAYERS)
    elif kind == TYPE_IPV6:
        ipv6(cursor, _LAYERS)
    elif kind == TYPE_SLOW:
        lacp(cursor)
    else:
        cursor.rest("data")
    cursor.end = end
    cursor.rest("eth.padding")


def _llc(cursor: Cursor) -> None:
    header = cursor.number("llc.header", 3, hexadecimal)
    if header == int.from_bytes(bpdu.LLC, "big"):
        spanning_tree(cursor)


_LAYERS = Layers(ethernet, ipv4, ipv6)
