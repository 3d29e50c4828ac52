"""TCP as OpenBSD's pf follows it, and after it Open vSwitch (G. van Rooij, "Real Stateful TCP
Packet Filtering in IP Filter", 2001; RFC 9293; RFC 7323 for window scaling).

Each end has the stretch of sequence numbers that it may use: up to ``high`` the other has room.
A segment outside of it is invalid, but at the beginning and the end of a connection more is let
through: whoever tracks may have come late.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct

from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.counters import CtCounters
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.policy import Update
from vnet.tables.conntrack.timeouts import Durations, Timeout
from vnet.wire.tcp import ACK, FIN, HEADER_BYTES, PSH, RST, SYN, URG


class TcpState(IntEnum):
    """States of one end, in the order in which pf compares them."""

    CLOSED = 0
    LISTEN = 1
    SYN_SENT = 2
    SYN_RECV = 3
    ESTABLISHED = 4
    CLOSE_WAIT = 5
    FIN_WAIT_1 = 6
    CLOSING = 7
    LAST_ACK = 8
    FIN_WAIT_2 = 9
    TIME_WAIT = 10


_CLOSED, _SYN_SENT, _ESTABLISHED = TcpState.CLOSED, TcpState.SYN_SENT, TcpState.ESTABLISHED
_CLOSING, _FIN_WAIT_2, _TIME_WAIT = TcpState.CLOSING, TcpState.FIN_WAIT_2, TcpState.TIME_WAIT

WSCALE_MASK = 0x0F
WSCALE_KNOWN = 0x80
WSCALE_UNKNOWN = 0x40
"""The connection was picked up midway: any scale may be in use."""

_MAX_WSCALE = 14
_OPTION_END, _OPTION_NOP, _OPTION_WSCALE = 0, 1, 3

_MAX_ACK_WINDOW = 0xFFFF + 1500
"""How far an acknowledgement may be off; the 1500 are pf's allowance."""

_FIXED = Struct("!IIHH")
_FLAGS = 0x0FFF
_U32 = 0xFFFFFFFF
_U16 = 0xFFFF
_HALF = 0x80000000


class Peer:
    """One end. ``low``: the highest sequence number sent; ``high``: what the other can take.

    ``window`` is the largest one announced, before scaling.
    """

    __slots__ = ("high", "low", "state", "window", "wscale")

    def __init__(self, state: TcpState) -> None:
        self.low = 0
        self.high = 0
        self.window = 0
        self.wscale = 0
        self.state = state


class TcpPeers:
    """Both ends: who opened the connection, and who answers."""

    __slots__ = ("original", "reply")

    def __init__(self) -> None:
        self.original = Peer(_SYN_SENT)
        self.reply = Peer(_CLOSED)


def _not_before(a: int, b: int) -> bool:
    """a >= b, for sequence numbers."""
    return (a - b) & _U32 < _HALF


def _signed(value: int) -> int:
    return ((value + _HALF) & _U32) - _HALF


def flags_are_illegal(flags: int) -> bool:
    """Combinations that no sane sender uses."""
    if flags & SYN:
        if flags & (RST | FIN):
            return True
    elif not flags & (ACK | RST):
        return True
    return not flags & ACK and bool(flags & (FIN | PSH | URG))


def window_scale(headers: Headers) -> int:
    """The scale in a segment's options with :data:`WSCALE_KNOWN`, or 0 if there is none."""
    data, at = headers.data, headers.l4 + HEADER_BYTES
    left = (data[headers.l4 + 12] >> 4) * 4 - HEADER_BYTES
    found = 0
    while left >= 3:
        kind = data[at]
        if kind == _OPTION_END:
            break
        size = 1
        if kind != _OPTION_NOP:
            if kind == _OPTION_WSCALE:
                found = min(data[at + 2], _MAX_WSCALE) | WSCALE_KNOWN
            size = max(data[at + 1], 2)
        left -= size
        at += size
    return found


def _scales(src: Peer, dst: Peer, flags: int) -> tuple[int, int]:
    if flags & SYN:
        return 0, 0
    if src.wscale & dst.wscale & WSCALE_KNOWN:
        return src.wscale & WSCALE_MASK, dst.wscale & WSCALE_MASK
    if src.wscale & dst.wscale & WSCALE_UNKNOWN:
        return _MAX_WSCALE, _MAX_WSCALE
    return 0, 0


class PfTcp:
    """pf's TCP.

    ``checks_sequence`` False lets any sequence number through (``dpctl/ct-disable-tcp-seq-chk``).
    """

    __slots__ = ("_counters", "checks_sequence")

    def __init__(self, counters: CtCounters) -> None:
        self._counters = counters
        self.checks_sequence = True

    def may_start(self, headers: Headers) -> bool:
        """A SYN, or a segment of a connection that stands; not the answer to a SYN."""
        flags = headers.data[headers.l4 + 13]
        return not flags_are_illegal(flags) and flags & (SYN | ACK) != SYN | ACK

    def start(self, conn: Conn, headers: Headers, now_ms: int, durations: Durations) -> None:
        data, l4 = headers.data, headers.l4
        sequence, _, offset_flags, window = _FIXED.unpack_from(data, l4 + 4)
        peers = TcpPeers()
        src, dst = peers.original, peers.reply
        src.low = sequence
        length = headers.end - l4 - (offset_flags >> 12) * 4
        length += 1 + bool(offset_flags & SYN) + bool(offset_flags & FIN)
        src.high = (sequence + length) & _U32
        if offset_flags & SYN:
            src.wscale = window_scale(headers)
        else:
            src.wscale = dst.wscale = WSCALE_UNKNOWN
        # A SYN's own window is not scaled: taken down, so that all of them are alike.
        src.window = -(-max(window, 1) >> (src.wscale & WSCALE_MASK))
        dst.high = dst.window = 1
        conn.l4 = peers
        conn.expires_ms = now_ms + durations[Timeout.TCP_FIRST_PACKET]

    def update(
        self, conn: Conn, headers: Headers, is_reply: bool, now_ms: int, durations: Durations
    ) -> Update:
        peers: TcpPeers = conn.l4
        src, dst = peers.original, peers.reply
        if is_reply:
            src, dst = dst, src
        sequence, ack, offset_flags, window = _FIXED.unpack_from(headers.data, headers.l4 + 4)
        flags = offset_flags & _FLAGS
        if flags_are_illegal(flags):
            self._counters.tcp_flags += 1
            return Update.INVALID
        if flags & (SYN | ACK) == SYN:
            if dst.state >= _FIN_WAIT_2 and src.state >= _FIN_WAIT_2:
                src.state = dst.state = _CLOSED
                return Update.REOPENED
            if src.state <= _SYN_SENT:
                src.state = _SYN_SENT
                conn.expires_ms = now_ms + durations[Timeout.TCP_FIRST_PACKET]
                return Update.VALID_NEW
        end = sequence + headers.end - headers.l4 - (offset_flags >> 12) * 4
        if flags & (SYN | FIN):
            end += bool(flags & SYN) + bool(flags & FIN)
        segment = _Segment(flags, sequence, end & _U32, ack, window, *_scales(src, dst, flags))
        if src.state < _SYN_SENT:
            segment.meet(src, dst, headers)
        segment.settle(src, dst)
        if segment.is_in_window(src, dst) or self._bypass():
            segment.advance(src, dst)
            _move(src, dst, flags)
            conn.expires_ms = now_ms + durations[_timeout(src.state, dst.state)]
            return Update.VALID
        if segment.is_excusable(src, dst):
            # The timeout stands: a flood of such segments must not keep a connection alive.
            segment.advance(src, dst)
            if flags & FIN and src.state < _CLOSING:
                src.state = _CLOSING
            if flags & RST:
                src.state = dst.state = _TIME_WAIT
            return Update.VALID
        self._counters.tcp_sequence += 1
        return Update.INVALID

    def _bypass(self) -> bool:
        if self.checks_sequence:
            return False
        self._counters.tcp_sequence_bypassed += 1
        return True


class _Segment:
    """A segment as it is judged, from ``sequence`` to before ``end``."""

    __slots__ = (
        "ack",
        "checks_ack",
        "dst_scale",
        "end",
        "first",
        "flags",
        "sequence",
        "src_scale",
        "window",
    )

    def __init__(
        self,
        flags: int,
        sequence: int,
        end: int,
        ack: int,
        window: int,
        src_scale: int,
        dst_scale: int,
    ) -> None:
        self.flags = flags
        self.first = self.sequence = sequence
        self.end = end
        self.ack = ack
        self.window = window
        self.src_scale = src_scale
        self.dst_scale = dst_scale
        self.checks_ack = True

    def meet(self, src: Peer, dst: Peer, headers: Headers) -> None:
        """The first segment from this end: learn where it starts."""
        if self.flags & SYN and dst.wscale & WSCALE_KNOWN:
            src.wscale = window_scale(headers)
            if src.wscale & WSCALE_KNOWN:
                self.src_scale = src.wscale & WSCALE_MASK
                self.window = -(-self.window >> self.src_scale)
                self.dst_scale = dst.wscale & WSCALE_MASK
            else:
                # The answer declines scaling: what the other end announced was meant as it stood.
                dst.window = dst.window << (dst.wscale & WSCALE_MASK) & _U16
                dst.wscale = 0
        src.low = self.sequence
        src.state = _SYN_SENT
        high = self.end + max(1, dst.window << self.dst_scale) & _U32
        if src.high == 1 or _not_before(high, src.high):
            src.high = high
            # Possibly picked up midway: nothing is known yet of what was acknowledged.
            self.checks_ack = False
        src.window = max(src.window, self.window)

    def settle(self, src: Peer, dst: Peer) -> None:
        """Ease the rules for what has nothing to be held against."""
        if not self.flags & ACK or (self.ack == 0 and self.flags & RST):
            self.ack = dst.low
        if self.sequence == self.end:
            self.sequence = self.end = src.low

    def is_in_window(self, src: Peer, dst: Peer) -> bool:
        if not (
            (src.high - self.end) & _U32 < _HALF
            and (self.sequence - src.low + (dst.window << self.dst_scale)) & _U32 < _HALF
        ):
            return False
        if self.checks_ack:
            skew = _signed(dst.low - self.ack)
            if not -_MAX_ACK_WINDOW <= skew <= _MAX_ACK_WINDOW << self.src_scale:
                return False
        return not self.flags & RST or _signed(self.first - src.low) in (-1, 0, 1)

    def is_excusable(self, src: Peer, dst: Peer) -> bool:
        """Out of window, but near, where an end has not begun or both have ended."""
        if not (dst.state < _SYN_SENT or dst.state >= _FIN_WAIT_2 or src.state >= _FIN_WAIT_2):
            return False
        return _not_before(src.high + _MAX_ACK_WINDOW, self.end) and _not_before(
            self.sequence, src.low - _MAX_ACK_WINDOW
        )

    def advance(self, src: Peer, dst: Peer) -> None:
        """Take over what the segment says of its sender's window and progress."""
        if src.window < self.window:
            src.window = self.window
        if 0 < (self.end - src.low) & _U32 < _HALF:
            src.low = self.end
        room = self.window << self.src_scale
        if (self.ack + room - dst.high) & _U32 < _HALF:
            dst.high = (self.ack + (room or 1)) & _U32


def _move(src: Peer, dst: Peer, flags: int) -> None:
    """The states after a segment that was in its window."""
    if flags & SYN and src.state < _SYN_SENT:
        src.state = _SYN_SENT
    if flags & FIN and src.state < _CLOSING:
        src.state = _CLOSING
    if flags & ACK:
        if dst.state == _SYN_SENT:
            dst.state = _ESTABLISHED
        elif dst.state == _CLOSING:
            dst.state = _FIN_WAIT_2
    if flags & RST:
        src.state = dst.state = _TIME_WAIT


def _timeout(src: TcpState, dst: TcpState) -> Timeout:
    """Which time the two states have."""
    less, more = (src, dst) if src < dst else (dst, src)
    if less >= _FIN_WAIT_2:
        return Timeout.TCP_CLOSED
    if less >= _CLOSING:
        return Timeout.TCP_FIN_WAIT
    if less < _ESTABLISHED:
        return Timeout.TCP_OPENING
    return Timeout.TCP_CLOSING if more >= _CLOSING else Timeout.TCP_ESTABLISHED
