"""Who listens to which group: IGMP (RFC 2236, 3376) and MLD (RFC 2710, 3810)."""

from __future__ import annotations

from vnet.compare.cursor import Cursor
from vnet.compare.dissect.packet import Layers, Packet, plain_checksum
from vnet.compare.field import hexadecimal
from vnet.wire import icmpv6

_IGMPV3_REPORT = 0x22
_IGMP_QUERY = 0x11


def igmp(cursor: Cursor, packet: Packet, _layers: Layers) -> None:
    begin = cursor.at
    kind = cursor.number("igmp.type", 1, hexadecimal)
    cursor.number("igmp.code", 1)
    cursor.add(plain_checksum("igmp.checksum", cursor, begin, packet, b""))
    if kind == _IGMPV3_REPORT:
        cursor.number("igmp.reserved", 2)
        _records(cursor, "igmp", 4)
        return
    cursor.ip("igmp.group", 4)
    if kind == _IGMP_QUERY and cursor.left_bytes >= 4:
        _query(cursor, "igmp", 4)


def mld(cursor: Cursor, kind: int) -> None:
    """A message behind its checksum."""
    if kind == icmpv6.MLDV2_REPORT:
        cursor.number("mld.reserved", 2)
        _records(cursor, "mld", 16)
        return
    cursor.number("mld.delay", 2)
    cursor.number("mld.reserved", 2)
    cursor.ip("mld.group", 16)
    if kind == icmpv6.MLD_QUERY and cursor.left_bytes >= 4:
        _query(cursor, "mld", 16)


def _query(cursor: Cursor, layer: str, ip_bytes: int) -> None:
    cursor.number(f"{layer}.robustness", 1, hexadecimal)
    cursor.number(f"{layer}.interval", 1)
    for _ in range(cursor.number(f"{layer}.sources", 2)):
        cursor.ip(f"{layer}.source", ip_bytes)


def _records(cursor: Cursor, layer: str, ip_bytes: int) -> None:
    for _ in range(cursor.number(f"{layer}.records", 2)):
        cursor.number(f"{layer}.record", 1)
        words = cursor.number(f"{layer}.record.words", 1)
        n_sources = cursor.number(f"{layer}.sources", 2)
        cursor.ip(f"{layer}.group", ip_bytes)
        for _ in range(n_sources):
            cursor.ip(f"{layer}.source", ip_bytes)
        cursor.raw(f"{layer}.record.data", words * 4)
