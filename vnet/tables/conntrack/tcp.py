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
_SEQUENCE = Struct("!I")
_KNOWN_FLAGS = 0x3F
_TURNS = SYN | FIN | RST
"""Flags by which a connection that is established changes."""
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


def _is_illegal(flags: int) -> bool:
    if flags & SYN:
        if flags & (RST | FIN):
            return True
    elif not flags & (ACK | RST):
        return True
    return not flags & ACK and bool(flags & (FIN | PSH | URG))


ILLEGAL_FLAGS = frozenset(flags for flags in range(_KNOWN_FLAGS + 1) if _is_illegal(flags))
"""Combinations that no sane sender uses."""


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
        flags = headers.data[headers.l4 + 13] & _KNOWN_FLAGS
        return flags not in ILLEGAL_FLAGS and flags & (SYN | ACK) != SYN | ACK

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
        first, ack, offset_flags, window = _FIXED.unpack_from(headers.data, headers.l4 + 4)
        flags = offset_flags & _KNOWN_FLAGS
        if flags in ILLEGAL_FLAGS:
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
        start, end = first, first + headers.end - headers.l4 - (offset_flags >> 12) * 4
        if flags & (SYN | FIN):
            end += bool(flags & SYN) + bool(flags & FIN)
        scales = _scales(src, dst, flags)
        skew_matters = True
        if src.state < _SYN_SENT:
            window, scales, skew_matters = _meet(src, dst, headers, flags, end, window, scales)
        # What has nothing to be held against is held against what is known.
        if not flags & ACK or (ack == 0 and flags & RST):
            ack = dst.low
        if start == end:
            start = end = src.low
        skew = dst.low - ack + _HALF & _U32 if skew_matters else _HALF
        is_in_window = (
            (src.high - end) & _U32 < _HALF
            and (start - src.low + (dst.window << scales[1])) & _U32 < _HALF
            and -_MAX_ACK_WINDOW <= skew - _HALF <= _MAX_ACK_WINDOW << scales[0]
            and (not flags & RST or (first - src.low + 1) & _U32 <= 2)
        )
        if not is_in_window and self.checks_sequence:
            # A flood of such segments must not keep the connection alive: the timeout stands.
            if not _is_excusable(src, dst, start, end):
                self._counters.tcp_sequence += 1
                return Update.INVALID
            _advance(src, dst, end, ack, window, scales[0])
            _end(src, dst, flags)
            return Update.VALID
        self._counters.tcp_sequence_bypassed += not is_in_window
        _advance(src, dst, end, ack, window, scales[0])
        timeout = Timeout.TCP_ESTABLISHED
        if flags & _TURNS or src.state is not _ESTABLISHED or dst.state is not _ESTABLISHED:
            if flags & SYN and src.state < _SYN_SENT:
                src.state = _SYN_SENT
            _acknowledge(dst, flags)
            _end(src, dst, flags)
            timeout = _timeout(src.state, dst.state)
        conn.expires_ms = now_ms + durations[timeout]
        return Update.VALID


def _meet(
    src: Peer,
    dst: Peer,
    headers: Headers,
    flags: int,
    end: int,
    window: int,
    scales: tuple[int, int],
) -> tuple[int, tuple[int, int], bool]:
    """The first segment from this end: learn where it starts.

    Returns window and scales to go on with, and whether acknowledgements can be judged.
    """
    if flags & SYN and dst.wscale & WSCALE_KNOWN:
        src.wscale = window_scale(headers)
        if src.wscale & WSCALE_KNOWN:
            scales = src.wscale & WSCALE_MASK, dst.wscale & WSCALE_MASK
            window = -(-window >> scales[0])
        else:
            # The answer declines scaling: what the other end announced was meant as it stood.
            dst.window = dst.window << (dst.wscale & WSCALE_MASK) & _U16
            dst.wscale = 0
    (src.low,) = _SEQUENCE.unpack_from(headers.data, headers.l4 + 4)
    src.state = _SYN_SENT
    high = end + max(1, dst.window << scales[1]) & _U32
    is_late = src.high == 1 or _not_before(high, src.high)
    if is_late:
        # Possibly picked up midway: nothing is known yet of what was acknowledged.
        src.high = high
    src.window = max(src.window, window)
    return window, scales, not is_late


def _is_excusable(src: Peer, dst: Peer, start: int, end: int) -> bool:
    """Out of window, but near, where an end has not begun or both have ended."""
    if _SYN_SENT <= dst.state < _FIN_WAIT_2 and src.state < _FIN_WAIT_2:
        return False
    return _not_before(src.high + _MAX_ACK_WINDOW, end) and _not_before(
        start, src.low - _MAX_ACK_WINDOW
    )


def _advance(src: Peer, dst: Peer, end: int, ack: int, window: int, scale: int) -> None:
    """Take over what a segment says of its sender's window and progress."""
    if src.window < window:
        src.window = window
    if 0 < (end - src.low) & _U32 < _HALF:
        src.low = end & _U32
    room = window << scale
    if (ack + room - dst.high) & _U32 < _HALF:
        dst.high = ack + (room or 1) & _U32


def _acknowledge(dst: Peer, flags: int) -> None:
    if flags & ACK:
        if dst.state == _SYN_SENT:
            dst.state = _ESTABLISHED
        elif dst.state == _CLOSING:
            dst.state = _FIN_WAIT_2


def _end(src: Peer, dst: Peer, flags: int) -> None:
    if flags & FIN and src.state < _CLOSING:
        src.state = _CLOSING
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
