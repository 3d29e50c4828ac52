"""Whether a TCP segment can be of a connection, by what both ends have said so far.

After G. van Rooij, "Real Stateful TCP Packet Filtering in IP Filter", 2001: a segment must touch
the window that the other end has opened, and acknowledge what the other end has sent, in reason.
RFC 7323 for scaled windows, RFC 2018 for selective acknowledgements.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING

from vnet.wire.tcp import ACK, RST, SYN

if TYPE_CHECKING:
    from vnet.tables.conntrack.linux.settings import Settings
    from vnet.tables.conntrack.linux.tcp_seen import Seen, TcpTracked

WINDOW_SCALE = 0x01
SACK_PERMITTED = 0x02
CLOSE_INIT = 0x04
BE_LIBERAL = 0x08
UNACKNOWLEDGED = 0x10
MAXACK_SET = 0x20
"""What is known of an end: it scales windows; it takes selective acknowledgements; it closed first;
nothing it sends is out of its window; what it sent is not all acknowledged; it has acknowledged."""

_U32 = 0xFFFFFFFF
_HALF = 0x80000000
_LEAST_ACK_WINDOW = 66_000
_MOST_SCALE = 14
_OPTION_END, _OPTION_NOP, _OPTION_WSCALE, _OPTION_SACK_PERMITTED, _OPTION_SACK = 0, 1, 3, 4, 5
_TIMESTAMP_ONLY = b"\x01\x01\x08\x0a"
_TIMESTAMP_ONLY_BYTES = 12

_SYN_SENT, _SYN_RECV = 1, 2
_ACK_ONLY = 3


class Fit(Enum):
    """How a segment sits: it fits; it does not but may pass; it cannot be."""

    FITS = auto()
    IGNORED = auto()
    INVALID = auto()


class End:
    """One end. It has sent up to ``end``, may send up to ``max_end``, and has opened windows of up
    to ``max_window`` (0: nothing was heard of it); ``max_ack`` is the most it has acknowledged."""

    __slots__ = ("end", "flags", "max_ack", "max_end", "max_window", "scale")

    def __init__(self) -> None:
        self.flags = 0
        self.clear()

    def clear(self) -> None:
        """Know nothing, but whether it is followed leniently."""
        self.end = self.max_end = self.max_window = self.max_ack = 0
        self.scale = 0
        self.flags &= BE_LIBERAL


def fit(tracked: TcpTracked, seen: Seen, is_reply: bool, settings: Settings) -> Fit:
    """Hold a segment against its connection, and if it fits, learn from it."""
    sender, receiver = tracked.ends[is_reply], tracked.ends[not is_reply]
    seq, ack, end, flags = seen.seq, seen.ack, seen.end, seen.flags
    sack = ack
    if receiver.flags & SACK_PERMITTED and seen.options_end > seen.options_at:
        sack = _highest_sack(seen.data, seen.options_at, seen.options_end, ack)
    if sender.max_window == 0:
        if flags & SYN:
            _opened(sender, receiver, seen, is_reply)
            if not flags & ACK:
                return Fit.FITS
        else:
            _joined(sender, receiver, seen, sack)
    elif flags & SYN and tracked.state in (_SYN_SENT, _SYN_RECV) and _after(end, sender.end):
        # Whoever starts over uses higher numbers.
        _opened(sender, receiver, seen, is_reply)
        if is_reply and not flags & ACK:
            return Fit.FITS
    if not flags & ACK or (flags & RST and ack == 0):
        ack = sack = receiver.end
    if flags & RST and seq == 0 and tracked.state == _SYN_SENT:
        seq = end = sender.end
    unfit = _unfit(sender, receiver, seq, end, sack)
    if unfit is None:
        _learn(tracked, seen, is_reply, (seq, ack, sack, end))
        return Fit.FITS
    if sender.flags & BE_LIBERAL or settings.tcp_be_liberal:
        return Fit.FITS
    return unfit


def _after(a: int, b: int) -> bool:
    """a > b, for sequence numbers."""
    return (b - a) & _U32 >= _HALF


def _opened(sender: End, receiver: End, seen: Seen, is_reply: bool) -> None:
    """An end begins: with a SYN, or once more."""
    sender.end = sender.max_end = seen.end
    sender.max_window = seen.window or 1
    read_options(seen.data, seen.options_at, seen.options_end, sender)
    if is_reply and not sender.flags & receiver.flags & WINDOW_SCALE:
        # Both must want it.
        sender.scale = receiver.scale = 0


def _joined(sender: End, receiver: End, seen: Seen, sack: int) -> None:
    """The first of an end, and no SYN: what went before is not known."""
    sender.end = seen.end
    sender.max_window = (seen.window << sender.scale) or 1
    sender.max_end = seen.end + sender.max_window & _U32
    if receiver.max_window == 0:
        receiver.end = receiver.max_end = sack
    elif sack == receiver.end + 1 & _U32:
        # Probably the answer to a keepalive.
        receiver.end = sack


def _unfit(sender: End, receiver: End, seq: int, end: int, sack: int) -> Fit | None:
    """What is wrong with a segment; None where nothing is."""
    least_ack = receiver.end - max(sender.max_window, _LEAST_ACK_WINDOW) - 1 & _U32
    is_acked_too_late = not _after(sack, least_ack)
    is_acked_too_early = not _after(receiver.end + 1, sack)
    is_behind = not _after(end, sender.end - receiver.max_window - 1)
    if not _after(sender.max_end + 1, seq):
        excess = end - sender.max_end + 1 & _U32
        fits_otherwise = receiver.max_window and not is_behind and not is_acked_too_late
        if fits_otherwise and excess <= receiver.max_window and not is_acked_too_early:
            # If it gets through and is acknowledged, that must not look wrong.
            sender.end = end
            sender.flags |= UNACKNOWLEDGED
            return Fit.IGNORED
        return Fit.INVALID
    if is_acked_too_early:
        return Fit.INVALID
    if (receiver.max_window and is_behind) or is_acked_too_late:
        return Fit.IGNORED
    return None


def _learn(
    tracked: TcpTracked, seen: Seen, is_reply: bool, numbers: tuple[int, int, int, int]
) -> None:
    seq, ack, sack, end = numbers
    sender, receiver = tracked.ends[is_reply], tracked.ends[not is_reply]
    window = seen.window if seen.flags & SYN else seen.window << sender.scale
    sender.max_window = max(sender.max_window, window + (sack - ack & _U32))
    if _after(end, sender.end):
        sender.end = end
        sender.flags |= UNACKNOWLEDGED
    if seen.flags & ACK:
        if not sender.flags & MAXACK_SET or _after(ack, sender.max_ack):
            sender.max_ack = ack
        sender.flags |= MAXACK_SET
    if receiver.max_window and _after(end, sender.max_end):
        receiver.max_window += end - sender.max_end & _U32
    if _after(sack + window, receiver.max_end - 1):
        receiver.max_end = sack + (window or 1) & _U32
    if ack == receiver.end:
        receiver.flags &= ~UNACKNOWLEDGED
    if seen.kind == _ACK_ONLY:
        _count_repeats(tracked, seen.window, is_reply, seq, ack, end)


def _count_repeats(
    tracked: TcpTracked, window: int, is_reply: bool, seq: int, ack: int, end: int
) -> None:
    """Is it the same segment as before, once more?"""
    if (
        tracked.last_is_reply == is_reply
        and tracked.last_sequence == seq
        and tracked.last_ack == ack
        and tracked.last_end == end
        and tracked.last_window == window
    ):
        tracked.retransmits += 1
        return
    tracked.last_is_reply = is_reply
    tracked.last_sequence, tracked.last_ack, tracked.last_end = seq, ack, end
    tracked.last_window = window
    tracked.retransmits = 0


def read_options(data: bytes, at: int, end: int, into: End) -> None:
    """What a SYN offers: window scaling, selective acknowledgements."""
    if at == end:
        return
    into.scale = 0
    into.flags &= BE_LIBERAL
    for kind, start, stop in _options(data, at, end):
        if kind == _OPTION_SACK_PERMITTED and stop == start:
            into.flags |= SACK_PERMITTED
        elif kind == _OPTION_WSCALE and stop - start == 1:
            into.scale = min(data[start], _MOST_SCALE)
            into.flags |= WINDOW_SCALE


def _highest_sack(data: bytes, at: int, end: int, ack: int) -> int:
    """The highest right edge of what is acknowledged selectively, or ``ack``."""
    if end - at == _TIMESTAMP_ONLY_BYTES and data[at : at + 4] == _TIMESTAMP_ONLY:
        return ack
    for kind, start, stop in _options(data, at, end):
        if kind != _OPTION_SACK or stop == start or (stop - start) % 8:
            continue
        for right_at in range(start + 4, stop, 8):
            right = int.from_bytes(data[right_at : right_at + 4], "big")
            if _after(right, ack):
                ack = right
        break
    return ack


def _options(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Each option with where its value starts and ends; up to one that cannot be."""
    while at < end and data[at] != _OPTION_END:
        if data[at] == _OPTION_NOP:
            at += 1
            continue
        size = data[at + 1] if at + 1 < end else 0
        if size < 2 or at + size > end:
            return
        yield data[at], at + 2, at + size
        at += size
