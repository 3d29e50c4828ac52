"""What is known of a connection of TCP, and a segment as it is read."""

from __future__ import annotations

from struct import Struct

from vnet.tables.conntrack.linux.segment import Segment
from vnet.tables.conntrack.linux.tcp_states import KIND, WITH_NONE, TcpConnState
from vnet.tables.conntrack.linux.tcp_window import End
from vnet.wire.tcp import FIN, SYN

LEAST_BYTES = 20
U32 = 0xFFFFFFFF
HALF = 0x80000000
_FIXED = Struct("!IIBBH")


class TcpTracked:
    """A connection: its ``state``, both ends, and the last segment that mattered."""

    __slots__ = (
        "ends",
        "last_ack",
        "last_end",
        "last_flags",
        "last_is_reply",
        "last_kind",
        "last_sequence",
        "last_window",
        "last_wscale",
        "retransmits",
        "state",
    )

    def __init__(self) -> None:
        self.state = 0
        self.ends = (End(), End())
        self.last_is_reply = False
        self.last_kind = WITH_NONE
        self.last_sequence = self.last_ack = self.last_end = self.last_window = 0
        self.last_wscale = self.last_flags = 0
        self.retransmits = 0

    def __str__(self) -> str:
        return TcpConnState(self.state).name


class Seen:
    """A segment, read: ``end`` is the sequence number behind it, ``options`` where they are."""

    __slots__ = (
        "ack",
        "data",
        "end",
        "flags",
        "kind",
        "options_at",
        "options_end",
        "seq",
        "window",
    )

    def __init__(self, segment: Segment) -> None:
        data, at = segment.data, segment.at
        self.seq, self.ack, offset, self.flags, self.window = _FIXED.unpack_from(data, at + 4)
        self.kind = KIND[self.flags]
        self.data = data
        self.options_at = at + LEAST_BYTES
        self.options_end = at + (offset >> 4) * 4
        size = len(data) - self.options_end
        self.end = self.seq + size + bool(self.flags & SYN) + bool(self.flags & FIN) & U32
