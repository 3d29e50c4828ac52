"""TCP segments that may be right although they move nothing, and what their answers tell.

A SYN in the midst of a connection is let pass: if its target knows nothing of the connection it
answers with a SYN+ACK, or with a challenge (RFC 5961), and the challenge with a reset.
"""

from __future__ import annotations

from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.entry import Entry
from vnet.tables.conntrack.linux.settings import Settings
from vnet.tables.conntrack.linux.tcp_seen import HALF, U32, Seen, TcpTracked
from vnet.tables.conntrack.linux.tcp_states import (
    ACK_ONLY,
    CHALLENGE_EXPECTED,
    CLOSED,
    ESTABLISHED,
    LAST_ACK,
    SYN_ACK,
    SYN_ONLY,
    SYN_SENT,
)
from vnet.tables.conntrack.linux.tcp_window import (
    MAXACK_SET,
    SACK_PERMITTED,
    WINDOW_SCALE,
    End,
    read_options,
)


def answers_ignored(tracked: TcpTracked, seen: Seen, is_reply: bool) -> bool:
    """Whether a SYN+ACK takes up a SYN that was ignored: so both ends know better than we do."""
    return (
        seen.kind == SYN_ACK
        and tracked.last_kind == SYN_ONLY
        and tracked.last_is_reply != is_reply
        and seen.ack == tracked.last_end
    )


def resume(tracked: TcpTracked, is_reply: bool) -> None:
    """Go on from the SYN that was ignored."""
    opener = tracked.ends[not is_reply]
    opener.end = opener.max_end = tracked.last_end
    opener.max_window = tracked.last_window or 1
    opener.scale = tracked.last_wscale
    tracked.last_flags &= ~CHALLENGE_EXPECTED
    opener.flags = tracked.last_flags
    tracked.ends[is_reply].clear()


def note_ignored(tracked: TcpTracked, seen: Seen, is_reply: bool, state: int) -> None:
    """Remember a segment that is let pass and moves nothing."""
    tracked.last_kind = seen.kind
    tracked.last_is_reply = is_reply
    tracked.last_sequence = seen.seq
    tracked.last_end = seen.end
    tracked.last_window = seen.window
    if state == SYN_SENT and seen.kind == ACK_ONLY and is_reply:
        # It may be a challenge, which a RST answers.
        tracked.last_ack = seen.ack
    if seen.kind != SYN_ONLY or is_reply:
        return
    offered = End()
    read_options(seen.data, seen.options_at, seen.options_end, offered)
    tracked.last_flags = offered.flags & (WINDOW_SCALE | SACK_PERMITTED)
    tracked.last_wscale = offered.scale if offered.flags & WINDOW_SCALE else 0
    if state == LAST_ACK:
        tracked.last_flags |= CHALLENGE_EXPECTED


def is_challenge(tracked: TcpTracked, seen: Seen, is_reply: bool, state: int) -> bool:
    """An ACK that answers a stray SYN must not be taken for the last one (RFC 5961)."""
    return (
        state == LAST_ACK
        and seen.kind == ACK_ONLY
        and tracked.last_is_reply != is_reply
        and tracked.last_kind == SYN_ONLY
        and bool(tracked.last_flags & CHALLENGE_EXPECTED)
    )


class Reset:
    __slots__ = ("is_answer", "stays")

    def __init__(self, stays: bool, is_answer: bool) -> None:
        self.stays = stays
        self.is_answer = is_answer


def judge_reset(
    entry: Entry, tracked: TcpTracked, seen: Seen, is_reply: bool, settings: Settings
) -> Reset | None:
    """What a RST does: None where it cannot be. It ``stays`` as it is where the number does not
    hit: a challenge may follow (RFC 5961). One that answers what we had ignored needs no window."""
    if tracked.state in CLOSED:
        # Its ends may long be at something else.
        return Reset(False, True)
    stays = False
    other = tracked.ends[not is_reply]
    is_established = tracked.state == ESTABLISHED and bool(entry.status & status.ASSURED)
    # What was acknowledged says nothing once a SYN has been let pass.
    if other.flags & MAXACK_SET and tracked.last_kind != SYN_ONLY:
        if seen.seq == 0 and not is_established:
            return Reset(False, False)
        is_old = (seen.seq - other.max_ack) & U32 >= HALF
        if is_old and not settings.tcp_ignore_invalid_rst:
            return None
        follows = (
            tracked.last_kind == ACK_ONLY
            and tracked.last_is_reply == is_reply
            and seen.seq == tracked.last_end
        )
        if not is_established or seen.seq == other.max_ack or follows:
            return Reset(False, False)
        stays = True
    answers_syn = (
        entry.status & status.SEEN_REPLY
        and tracked.last_kind == SYN_ONLY
        and tracked.last_is_reply != is_reply
    )
    answers_ack = not entry.status & status.ASSURED and tracked.last_kind == ACK_ONLY
    is_answer = bool(answers_syn or answers_ack) and seen.ack == tracked.last_end
    return Reset(stays, is_answer or _answers_challenge(tracked, seen))


def _answers_challenge(tracked: TcpTracked, seen: Seen) -> bool:
    """Whether a RST takes its number from an ACK that the other end sent instead of a SYN+ACK."""
    return (
        tracked.state == SYN_SENT
        and tracked.last_kind == ACK_ONLY
        and tracked.last_is_reply
        and seen.seq == tracked.last_ack
    )
