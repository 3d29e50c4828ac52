"""How much of what waits may leave in one go.

The kernel hands its device up to a millisecond's worth of segments at once (TCP segmentation
offload, whose sizes it keeps to even where a device has none): that decides which segments carry
PSH, and when a sender rather waits for the next acknowledgement than send half a chunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.tcp.recovery import Mood

if TYPE_CHECKING:
    from vnet.linux.tcp.sender import Sender

_LEAST_SEGMENTS = 2
_MOST_BYTES = 65_535
_RATE_SHIFT = 10
"""The pacing rate shifted by this is what a millisecond takes (sk_pacing_shift)."""

_RTT_SHIFT = 9
"""Every 512 us of round-trip time halve what a short path may have on top (tcp_tso_rtt_log)."""

_WINDOW_SHARE = 3
"""A third of the window is always worth sending (tcp_tso_win_divisor)."""

_RECENT_NS = 1_000_000
"""Only a sender that has just sent waits for more."""


def most_segments(sender: Sender) -> int:
    """The segments of one chunk, from the rate at which the path takes them."""
    smoothed_x8 = sender.rtt.smoothed_x8_us
    if not smoothed_x8:
        return _LEAST_SEGMENTS
    reno = sender.reno
    percent = 200 if reno.window < reno.threshold >> 1 else 120
    segments = max(reno.window, len(sender.board.segments))
    rate = sender.mss * segments * 8_000_000 * percent // 100 // smoothed_x8
    size = rate >> _RATE_SHIFT
    halvings = sender.rtt.least_us >> _RTT_SHIFT
    if halvings < 32:
        size += _MOST_BYTES >> halvings
    return max(min(size, _MOST_BYTES) // sender.mss, _LEAST_SEGMENTS)


def next_chunk(sender: Sender, now_ns: int, *, nagle: bool) -> tuple[int, bool]:
    """How much to send now, and whether only the congestion window keeps more from leaving.

    The size counts data and FIN; 0 is to wait.
    """
    mss = sender.mss
    left = sender.end - sender.nxt
    in_window = sender.window_end - sender.nxt
    room = sender.reno.window - sender.board.in_flight
    if room <= 0:
        return 0, True
    if min(left, mss) > in_window:
        return 0, False  # neither a full segment nor all there is: no silly ones
    data = sender.buffer.end - sender.nxt
    if data <= mss:
        held = nagle and data < mss and sender.fin_sequence is None and _is_held(sender)
        return (0, False) if held else (left, False)
    most = most_segments(sender)
    if _defers(sender, most, room, in_window, now_ns):
        return 0, room * mss < in_window
    most_bytes = min(max(sender.reno.window >> 1, 1), room, most) * mss
    fits = min(left, in_window)
    if most_bytes <= fits:
        return most_bytes, False
    partial = fits % mss
    if nagle and partial and sender.fin_sequence is None and _is_held(sender):
        fits -= partial
    return fits, False


def _is_held(sender: Sender) -> bool:
    """Nagle's rule as Minshall put it: one small segment may be on its way, not two."""
    if sender.corked:
        return True
    if sender.nodelay or not sender.board.segments:
        return False
    return sender.una < sender.last_small_end <= sender.nxt


def _defers(sender: Sender, most: int, room: int, in_window: int, now_ns: int) -> bool:
    """Whether the next acknowledgement is worth waiting for."""
    segments = sender.board.segments
    if sender.recovery.mood in (Mood.RECOVERY, Mood.LOSS) or not segments:
        return False
    if now_ns - sender.last_sent_ns > _RECENT_NS or sender.fin_sequence is not None:
        return False
    limit = min(in_window, room * sender.mss)
    share = min(sender.window, sender.reno.window * sender.mss) // _WINDOW_SHARE
    if limit >= most * sender.mss or limit >= share:
        return False
    # What left half a round trip ago will be acknowledged soon enough.
    return now_ns - segments[0].sent_ns >= sender.rtt.smoothed_us * 500
