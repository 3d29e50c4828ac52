"""TCP (RFC 9293) segments and their options.

Sequence numbers are given as they are, with the flow they count in as their label's scope: what
they count from is known only to who saw the flow's first segment.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from vnet.compare.cursor import Cursor
from vnet.compare.dissect.packet import Layers, Packet, transport_checksum
from vnet.compare.dissect.ports import take_port
from vnet.compare.field import FREE, Field, Label, Value, exact, loose
from vnet.wire import tcp as header

SEQUENCE = "tcp.sequence"
"""The kind of a label that is a sequence number."""

_HEADER_WORDS_AT, _FLAGS_AT = 12, 13
_END, _NOP, _MSS, _WINDOW_SCALE, _SACK, _TIMESTAMPS = 0, 1, 2, 3, 5, 8
_FLAG_LETTERS = "FSRPAUEC"


class Flow(NamedTuple):
    """One direction of a connection; ``prefix`` keeps those apart that are inside of others."""

    source: bytes
    source_port: int
    target: bytes
    target_port: int
    prefix: str

    def back(self) -> Flow:
        return Flow(self.target, self.target_port, self.source, self.source_port, self.prefix)


def tcp(cursor: Cursor, packet: Packet, _layers: Layers) -> None:
    begin = cursor.at
    source_port = take_port(cursor, "tcp.srcport")
    target_port = take_port(cursor, "tcp.dstport")
    flow = Flow(packet.source, source_port, packet.target, target_port, cursor.prefix)
    cursor.add(_sequence("tcp.seq", cursor.take(4), flow))
    flags = int.from_bytes(cursor.peek(begin + _FLAGS_AT, 1), "big")
    acknowledged = cursor.take(4)
    if flags & header.ACK:
        cursor.add(_sequence("tcp.ack", acknowledged, flow.back()))
    else:
        cursor.add(exact("tcp.ack", int.from_bytes(acknowledged, "big")))
    header_words, _ = cursor.bits(("tcp.header_words", 4), ("tcp.reserved", 4))
    cursor.number("tcp.flags", 1, flags_shown)
    cursor.number("tcp.window", 2)
    cursor.add(transport_checksum("tcp.checksum", cursor, begin, packet, b""))
    cursor.number("tcp.urgent", 2)
    _options(cursor, min(begin + header_words * 4, cursor.end), flow.back())
    cursor.rest("tcp.data")


def _sequence(name: str, taken: bytes, scope: Hashable) -> Field:
    value = int.from_bytes(taken, "big")
    return Field(name, value, FREE, Label(SEQUENCE, scope, value))


def flags_shown(value: Value) -> str:
    assert isinstance(value, int)
    return "".join(letter for bit, letter in enumerate(_FLAG_LETTERS) if value >> bit & 1) or "none"


def _options(cursor: Cursor, end: int, back: Flow) -> None:
    """Options to ``end``; from the first that cannot be, the rest as bytes."""
    while cursor.at < end:
        kind = cursor.data[cursor.at]
        if kind in (_END, _NOP):
            cursor.number("tcp.option", 1)
            continue
        size_bytes = int.from_bytes(cursor.peek(cursor.at + 1, 1), "big")
        if size_bytes < 2 or cursor.at + size_bytes > end:
            cursor.raw("tcp.options", end - cursor.at)
            return
        cursor.number("tcp.option", 1)
        cursor.number("tcp.option.length", 1)
        _option(cursor, kind, size_bytes - 2, back)


def _option(cursor: Cursor, kind: int, n_bytes: int, back: Flow) -> None:
    if (kind, n_bytes) == (_MSS, 2):
        cursor.number("tcp.mss", 2)
    elif (kind, n_bytes) == (_WINDOW_SCALE, 1):
        cursor.number("tcp.window_scale", 1)
    elif (kind, n_bytes) == (_TIMESTAMPS, 8):
        for name in ("tcp.timestamp", "tcp.timestamp_echo"):
            value = int.from_bytes(cursor.take(4), "big")
            cursor.add(loose(name, value) if value else exact(name, value))
    elif kind == _SACK and n_bytes % 8 == 0:
        for _ in range(n_bytes // 8):
            cursor.add(_sequence("tcp.sack.left", cursor.take(4), back))
            cursor.add(_sequence("tcp.sack.right", cursor.take(4), back))
    else:
        cursor.raw("tcp.option.data", n_bytes)
