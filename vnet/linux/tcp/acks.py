"""What an acknowledgement does to a sender: the scoreboard, the clock, the window, the timer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet.linux.tcp.rack import DUPLICATES
from vnet.linux.tcp.recovery import News, Next
from vnet.linux.tcp.scoreboard import Sent
from vnet.linux.tcp.timers import Alarm

if TYPE_CHECKING:
    from vnet.linux.tcp.sender import Sender

Blocks = Sequence[tuple[int, int]]


def acknowledged(
    sender: Sender,
    acknowledgement: int,
    blocks: Blocks,
    now_ns: int,
    *,
    echo_ms: int | None,
    says_more: bool,
) -> None:
    """An acceptable acknowledgement came in.

    ``blocks`` are SACK's, unfolded. ``echo_ms`` is our clock at the time of what caused it.
    ``says_more``: it came with data, or changed the window, so that it is no duplicate.
    """
    board = sender.board
    if not board.segments:
        sender.una = max(sender.una, acknowledgement)
        return sender.window_probe.answered(now_ns)
    before_una, before_lost = sender.una, board.lost_out
    sacked, repeated, sack_rtt_us = 0, False, -1
    if blocks:
        repeated = _take_repeat(sender, blocks, acknowledgement)
        sacked, sack_rtt_us = _take_sacks(sender, blocks[repeated:], now_ns)
    arrived, original, rtt_us = _clean(sender, acknowledgement, now_ns, echo_ms)
    advanced = sender.una > before_una
    if rtt_us < 0:
        rtt_us = sack_rtt_us
    if rtt_us < 0 and advanced and echo_ms is not None:
        rtt_us = (sender.wire.clock_ms() - echo_ms) * 1000
    if rtt_us >= 0:
        sender.rtt.sample(rtt_us, sender.una, sender.nxt)
    if advanced and not blocks and sender.is_at_ease:
        # Nearly every acknowledgement: what was sent has arrived, and that is all.
        sender.progressed = True
        sender.set_timer(now_ns)
        return sender.reno.acknowledged(arrived)
    duplicate = not (says_more or advanced or repeated)
    sender.loss_probe.answered(acknowledgement, repeated=repeated, quiet=duplicate and not sacked)
    sender.progressed = sender.progressed or advanced or sacked > 0 or duplicate
    news = News(
        arrived + sacked, advanced, sacked > 0, duplicate, repeated, original, echo_ms, now_ns
    )
    then = sender.recovery.acknowledged(news)
    if (advanced or sack_rtt_us >= 0) and sender.timers.alarm is not Alarm.REORDERING:
        sender.set_timer(now_ns)
    _adjust_window(sender, news, board.lost_out > before_lost)
    return _send_on(sender, then, now_ns)


def _send_on(sender: Sender, then: Next, now_ns: int) -> None:
    if then is Next.NEW:
        sender.push(now_ns, nagle=False)
        if sender.nxt <= sender.recovery.high:
            sender.recovery.watching = False
            then = Next.LOST
    if then is Next.LOST:
        sender.resend_lost(now_ns)


def _take_repeat(sender: Sender, blocks: Blocks, acknowledgement: int) -> bool:
    """Whether the first block reports a second copy (RFC 2883): it lies below the
    acknowledgement, or within the second block."""
    start, end = blocks[0]
    if start >= acknowledgement and not (
        len(blocks) > 1 and blocks[1][0] <= start and end <= blocks[1][1]
    ):
        return False
    sender.recovery.repeated()
    sender.rack.widen()
    return True


def _take_sacks(sender: Sender, blocks: Blocks, now_ns: int) -> tuple[int, int]:
    """Mark what arrived out of order: how many segments, and the round-trip time of the first
    that was never sent again, or -1."""
    board, rack = sender.board, sender.rack
    count, rtt_us = 0, -1
    for start, end in blocks:
        if start >= end or end > sender.nxt or start < sender.una:
            continue
        for segment in board.sack(start, end):
            count += 1
            rack.arrived(segment, now_ns, sender.rtt.least_us)
            if not segment.ever_resent:
                if rtt_us < 0:
                    rtt_us = (now_ns - segment.sent_ns) // 1000
                _note_order(sender, segment)
    return count, rtt_us


def _clean(
    sender: Sender, acknowledgement: int, now_ns: int, echo_ms: int | None
) -> tuple[int, bool, int]:
    """Let go what is acknowledged: how many segments had not been reported by SACK, whether one
    of the time before the trouble was never sent again, and the round-trip time or -1."""
    if acknowledgement <= sender.una:
        return 0, False, -1
    count, gone, first_ns = 0, 0, -1
    again = original = False
    for segment in sender.board.acknowledge(acknowledgement):
        gone += 1
        if segment.ever_resent:
            again = True
        elif not segment.sacked:
            if first_ns < 0:
                first_ns = segment.sent_ns
            original = original or segment.end <= sender.recovery.high
            _note_order(sender, segment)
        if not segment.sacked:
            count += 1
            sender.rack.arrived(segment, now_ns, sender.rtt.least_us, echo_ms)
    sender.board.trim(acknowledgement)
    sender.una = acknowledgement
    sender.bytes_acked += sender.buffer.acknowledge(acknowledgement)
    sender.retries = 0
    sender.window_probe.sent = 0
    if not sender.sack and sender.board.sacked_out:
        # One segment filled the hole; the others are those that duplicates told of.
        sender.board.sacked_out = max(0, sender.board.sacked_out - max(0, gone - 1))
    return count, original, -1 if again or first_ns < 0 else (now_ns - first_ns) // 1000


def _note_order(sender: Sender, segment: Sent) -> None:
    if segment.end < sender.board.highest_sacked:
        sender.rack.overtaken(segment, sender.board, sender.mss)


def _adjust_window(sender: Sender, news: News, newly_lost: bool) -> None:
    if sender.recovery.shrinking:
        sender.reno.reduce(
            sender.board.in_flight,
            news.delivered,
            advanced=news.advanced,
            newly_lost=newly_lost,
        )
    elif news.advanced or (sender.rack.reordering > DUPLICATES and news.sacked):
        sender.reno.acknowledged(news.delivered)
