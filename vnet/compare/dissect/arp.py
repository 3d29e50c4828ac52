"""ARP (RFC 826) over Ethernet for IPv4; any other as bytes."""

from __future__ import annotations

from vnet.compare.cursor import Cursor
from vnet.compare.field import hexadecimal

_ETHERNET_IPV4 = (1, 0x0800, 6, 4)


def arp(cursor: Cursor) -> None:
    kinds = (
        cursor.number("arp.hardware", 2),
        cursor.number("arp.protocol", 2, hexadecimal),
        cursor.number("arp.hardware_size", 1),
        cursor.number("arp.protocol_size", 1),
    )
    cursor.number("arp.opcode", 2)
    if kinds == _ETHERNET_IPV4:
        cursor.mac("arp.sender_mac")
        cursor.ip("arp.sender_ip", 4)
        cursor.mac("arp.target_mac")
        cursor.ip("arp.target_ip", 4)
