"""ICMP (RFC 792) and ICMPv6 (RFC 4443): echoes, and errors with the packets they quote."""

from __future__ import annotations

from collections.abc import Callable

from vnet.compare.cursor import Cursor, FrameEndsError
from vnet.compare.dissect.groups import mld
from vnet.compare.dissect.neighbors import MESSAGES as NEIGHBOR_MESSAGES
from vnet.compare.dissect.neighbors import neighbor_message
from vnet.compare.dissect.packet import Layers, Packet, plain_checksum, transport_checksum
from vnet.compare.field import exact, loose, raw
from vnet.wire import icmp as v4
from vnet.wire import icmpv6 as v6

_TIME_BYTES = 16
"""What ping(8) of iputils begins its data with, where there is room; what follows counts up."""

_MESSAGES_V4 = (v4.ECHO_REQUEST, v4.ECHO_REPLY, v4.TIMESTAMP_REQUEST, v4.TIMESTAMP_REPLY)
_ERRORS_V6 = (v6.UNREACHABLE, v6.PACKET_TOO_BIG, v6.TIME_EXCEEDED, v6.PARAMETER_PROBLEM)
_LISTENERS_V6 = (v6.MLD_QUERY, v6.MLD_REPORT, v6.MLD_DONE, v6.MLDV2_REPORT)


def icmp(cursor: Cursor, packet: Packet, layers: Layers) -> None:
    begin = cursor.at
    kind = cursor.number("icmp.type", 1)
    cursor.number("icmp.code", 1)
    is_echo = kind in (v4.ECHO_REQUEST, v4.ECHO_REPLY)
    free = _free_of_echo(cursor, begin) if is_echo else b""
    cursor.add(plain_checksum("icmp.checksum", cursor, begin, packet, free))
    if kind in _MESSAGES_V4:
        cursor.label("icmp.id", 2, "icmp.id")
        cursor.number("icmp.seq", 2)
        if is_echo:
            _echo_data(cursor, "icmp")
        else:
            cursor.loose("icmp.times", 12)
    elif kind in v4.ERRORS:
        if kind == v4.REDIRECT:
            cursor.ip("icmp.gateway", 4)
        else:
            cursor.number("icmp.unused", 2)
            cursor.number("icmp.mtu", 2)
        _quoted(cursor, layers, layers.ipv4)
    cursor.rest("icmp.data")


def icmpv6(cursor: Cursor, packet: Packet, layers: Layers) -> None:
    begin = cursor.at
    kind = cursor.number("icmpv6.type", 1)
    cursor.number("icmpv6.code", 1)
    is_echo = kind in (v6.ECHO_REQUEST, v6.ECHO_REPLY)
    free = _free_of_echo(cursor, begin) if is_echo else b""
    cursor.add(transport_checksum("icmpv6.checksum", cursor, begin, packet, free))
    if is_echo:
        cursor.label("icmpv6.id", 2, "icmpv6.id")
        cursor.number("icmpv6.seq", 2)
        _echo_data(cursor, "icmpv6")
    elif kind in _ERRORS_V6:
        cursor.number("icmpv6.parameter", 4)
        _quoted(cursor, layers, layers.ipv6)
    elif kind in NEIGHBOR_MESSAGES:
        neighbor_message(cursor, kind)
    elif kind in _LISTENERS_V6:
        mld(cursor, kind)
    cursor.rest("icmpv6.data")


def _free_of_echo(cursor: Cursor, begin: int) -> bytes:
    """What an echo's checksum covers that may be anything: its id, and the time of sending."""
    timed = begin + v4.HEADER_BYTES
    time = cursor.peek(timed, _TIME_BYTES) if _is_timed(cursor, timed) else b""
    return cursor.peek(begin + 4, 2) + time


def _is_timed(cursor: Cursor, at: int) -> bool:
    """Whether data that begins at ``at`` is ping's; in a fragment it has no end here."""
    n_bytes = cursor.end - at - _TIME_BYTES
    if n_bytes < 0:
        return False
    counting = bytes((_TIME_BYTES + index) & 0xFF for index in range(n_bytes))
    return cursor.peek(at + _TIME_BYTES, n_bytes) == counting


def _echo_data(cursor: Cursor, layer: str) -> None:
    if _is_timed(cursor, cursor.at):
        cursor.add(loose(f"{layer}.time", cursor.take(_TIME_BYTES), raw))
        cursor.add(exact(f"{layer}.data_bytes", len(cursor.take(cursor.left_bytes))))


def _quoted(cursor: Cursor, layers: Layers, packet: Callable[[Cursor, Layers], None]) -> None:
    """The packet an error is about, as far as it is quoted; an error in it is not opened again."""
    if "quoted." in cursor.prefix:
        return
    with cursor.inside("quoted."):
        try:
            packet(cursor, layers)
        except FrameEndsError:
            cursor.rest("data")
