"""What bridges tell each other: spanning tree (IEEE 802.1D clause 9.3) and LACP (802.1AX)."""

from __future__ import annotations

from vnet.compare.cursor import Cursor
from vnet.compare.field import hexadecimal
from vnet.wire.bpdu import BpduType
from vnet.wire.lacp import SUBTYPE_LACP

_TLV_ACTOR, _TLV_PARTNER = 1, 2
_INFORMATION_BYTES = 20


def spanning_tree(cursor: Cursor) -> None:
    cursor.number("stp.protocol", 2)
    cursor.number("stp.version", 1)
    kind = cursor.number("stp.type", 1, hexadecimal)
    if kind == BpduType.TOPOLOGY_CHANGE_NOTICE:
        return
    cursor.number("stp.flags", 1, hexadecimal)
    cursor.number("stp.root.priority", 2)
    cursor.mac("stp.root.mac")
    cursor.number("stp.root.cost", 4)
    cursor.number("stp.bridge.priority", 2)
    cursor.mac("stp.bridge.mac")
    cursor.number("stp.port", 2, hexadecimal)
    for name in ("stp.message_age", "stp.max_age", "stp.hello_time", "stp.forward_delay"):
        cursor.number(name, 2)
    if kind == BpduType.RAPID:
        cursor.number("stp.version1_bytes", 1)


def lacp(cursor: Cursor) -> None:
    if cursor.number("slow.subtype", 1) != SUBTYPE_LACP:
        return
    cursor.number("lacp.version", 1)
    for name, kind in (("actor", _TLV_ACTOR), ("partner", _TLV_PARTNER)):
        got = cursor.number(f"lacp.{name}.type", 1)
        if (got, cursor.number(f"lacp.{name}.length", 1)) != (kind, _INFORMATION_BYTES):
            return
        cursor.number(f"lacp.{name}.system_priority", 2)
        cursor.mac(f"lacp.{name}.system")
        cursor.number(f"lacp.{name}.key", 2)
        cursor.number(f"lacp.{name}.port_priority", 2)
        cursor.number(f"lacp.{name}.port", 2)
        cursor.number(f"lacp.{name}.state", 1, hexadecimal)
        cursor.raw(f"lacp.{name}.reserved", 3)
