"""Network address translation of packets, as their connections say."""

from __future__ import annotations

from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.mangle import OTHER_END, translate
from vnet.tables.conntrack.packet import DST_NAT, NATTED, SRC_NAT, CtPacket

_STATE = {NatKind.SOURCE: SRC_NAT, NatKind.DESTINATION: DST_NAT}


def translate_packet(packet: CtPacket, headers: Headers, conn: Conn, is_reply: bool) -> None:
    """Change a packet that goes one way of its connection or the other."""
    if conn.nat is None:
        return
    kind, key = conn.nat, conn.reply_key
    if is_reply:
        kind, key = OTHER_END[kind], conn.key
    packet.meta.state |= _STATE[kind]
    packet.data = headers.data = translate(headers, key, kind)
    packet.meta.conn = None


def translate_once(packet: CtPacket, headers: Headers, conn: Conn, zone: int) -> None:
    """Change a packet, unless it was changed in this zone before."""
    meta = packet.meta
    if conn.nat is None:
        return
    if meta.state & NATTED:
        if meta.zone == zone:
            return
        meta.state &= ~NATTED
    translate_packet(packet, headers, conn, headers.is_reply)
