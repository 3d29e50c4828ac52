"""The connection tracker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vnet.base.chance import Stream
from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.packet import CtPacket


class ConnTracker:
    """Every connection of every zone."""

    def __init__(self, stream: Stream, now_ns: int = 0) -> None:
        raise NotImplementedError

    def execute(self, packet: CtPacket, action: CtAction, now_ns: int) -> Sequence[CtPacket]:
        """Track a packet, changing it in place. Returns the packets that go on.

        That is the packet itself, or nothing where it is a fragment whose others are missing,
        or all fragments of a packet that is now whole; behind them, fragments whose others
        never came (``state`` INVALID without TRACKED).
        """
        raise NotImplementedError

    def conns(self, now_ns: int, zone: int | None = None) -> Iterator[Conn]:
        """Connections that have not expired, in the order of their making."""
        raise NotImplementedError

    def flush(self, zone: int | None = None) -> None:
        """Forget connections: all, or a zone's."""
        raise NotImplementedError
