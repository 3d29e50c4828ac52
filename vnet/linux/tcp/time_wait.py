"""What is left of a connection for a minute (RFC 9293 section 3.6.1, RFC 6191).

Late segments of the old connection must not be taken for those of a new one, and the peer may
not have got our last acknowledgement.
"""

from __future__ import annotations

from enum import Enum

from vnet.linux.tcp.connection import Connection
from vnet.linux.tcp.sequence import earlier, fold
from vnet.linux.timer_wheel import expiry_ns
from vnet.wire import tcp_options
from vnet.wire.tcp import ACK, FIN, RST, SYN, Tcp
from vnet.wire.tcp_options import TcpOptions

TWO_MSL_NS = 60_000_000_000
_QUIET_NS = 500_000_000
_MS = 1_000_000


class Verdict(Enum):
    """What is to become of a segment that meets the remains of a connection."""

    IGNORE = 0
    ANSWER = 1
    """Acknowledge it again."""
    FORGET = 2
    """A reset: the minute is over."""
    NEW = 3
    """It opens a new connection on the same ports."""


class TimeWait:
    """Remembers where both sides stood; ``expires_ns`` moves when the peer is heard."""

    __slots__ = (
        "_clock_offset",
        "_echoes",
        "_quiet_until_ns",
        "_window",
        "expires_ns",
        "nxt",
        "ports",
        "receive_nxt",
        "recent_ms",
    )

    def __init__(self, connection: Connection, now_ns: int) -> None:
        self.ports = connection.ports
        self.nxt = connection.sender.nxt
        self.receive_nxt = connection.receiver.nxt
        self.recent_ms = connection.recent_ms
        self._echoes = connection.agreed.timestamps
        self._clock_offset = connection.clock_offset
        self._window = min(connection.window.told >> connection.window.scale, 65_535)
        self._quiet_until_ns = 0
        self.expires_ns = expiry_ns(now_ns, TWO_MSL_NS)

    @property
    def next_isn(self) -> int:
        """Where a new connection on these ports begins, clear of all of the old one's."""
        return self.nxt + 65_537

    def judge(self, segment: Tcp, options: TcpOptions, now_ns: int) -> Verdict:
        """A segment came; sequence numbers are compared as they are on the wire."""
        flags = segment.flags
        stamps = options.timestamps if self._echoes else None
        old = stamps is not None and earlier(stamps[0], self.recent_ms) and not flags & RST
        expected = fold(self.receive_nxt)
        bare = not segment.payload and not flags & (SYN | FIN)
        if not old and segment.sequence == expected and (bare or flags & RST):
            if flags & RST:
                return Verdict.FORGET
            self._heard(now_ns)
            if stamps is not None:
                self.recent_ms = stamps[0]
            return Verdict.IGNORE
        if flags & (SYN | RST | ACK) == SYN and not old:
            later = stamps is not None and earlier(self.recent_ms, stamps[0])
            if later or earlier(expected, segment.sequence):
                return Verdict.NEW
        if flags & RST:
            return Verdict.IGNORE
        if old or flags & ACK:
            self._heard(now_ns)
        if not segment.payload and not flags & (SYN | FIN):
            if now_ns < self._quiet_until_ns:
                return Verdict.IGNORE
            self._quiet_until_ns = now_ns + _QUIET_NS
        return Verdict.ANSWER

    def _heard(self, now_ns: int) -> None:
        self.expires_ns = expiry_ns(now_ns, TWO_MSL_NS)

    def acknowledgement(self, now_ns: int) -> Tcp:
        """The last acknowledgement, once more."""
        options = b""
        if self._echoes:
            stamp = fold(now_ns // _MS + self._clock_offset)
            options = tcp_options.emit_timestamps(stamp, self.recent_ms)
        source, target = self.ports
        nxt, acknowledged = fold(self.nxt), fold(self.receive_nxt)
        return Tcp(source, target, nxt, acknowledged, ACK, self._window, 0, options, b"")
