"""TCP as the kernel follows it: states, and what moves them (nf_conntrack_proto_tcp.c).

Whoever tracks stands between two machines and guesses what they are up to: packets may be lost
behind it, and it may have come late. A packet that moves nothing but may turn out to be right is
let pass and remembered: the answer tells.
"""

from __future__ import annotations

from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.checks import transport_is_whole
from vnet.tables.conntrack.linux.entry import Entry
from vnet.tables.conntrack.linux.protocol import Outcome
from vnet.tables.conntrack.linux.segment import Segment
from vnet.tables.conntrack.linux.settings import NS_PER_S, Settings
from vnet.tables.conntrack.linux.tcp_doubt import (
    answers_ignored,
    is_challenge,
    judge_reset,
    note_ignored,
    resume,
)
from vnet.tables.conntrack.linux.tcp_seen import LEAST_BYTES, U32, Seen, TcpTracked
from vnet.tables.conntrack.linux.tcp_states import (
    ACK_ONLY,
    BAD,
    CHALLENGE_EXPECTED,
    CLOSE,
    ESTABLISHED,
    FIN_WAIT,
    IGNORED,
    NEXT,
    SIGNIFICANT,
    SIMULTANEOUS,
    SOUND,
    SYN_ONLY,
    SYN_RECV,
    SYN_SENT,
    SYN_SENT2,
    TIME_WAIT,
    WITH_FIN,
    WITH_RST,
)
from vnet.tables.conntrack.linux.tcp_window import (
    BE_LIBERAL,
    CLOSE_INIT,
    SACK_PERMITTED,
    UNACKNOWLEDGED,
    Fit,
    fit,
    read_options,
)
from vnet.wire.tcp import RST

_FAR_OFF_NS = 120 * NS_PER_S


class TcpTracker:
    """The protocol."""

    __slots__ = ()

    def follow(
        self,
        entry: Entry,
        segment: Segment,
        is_reply: bool,
        checks: bool,
        settings: Settings,
        now_ns: int,
    ) -> Outcome:
        data, at = segment.data, segment.at
        if len(data) - at < LEAST_BYTES:
            return Outcome.INVALID
        header_bytes = (data[at + 12] >> 4) * 4
        if not LEAST_BYTES <= header_bytes <= len(data) - at:
            return Outcome.INVALID
        if (checks and not transport_is_whole(segment)) or data[at + 13] & SIGNIFICANT not in SOUND:
            return Outcome.INVALID
        seen = Seen(segment)
        if not entry.status & status.CONFIRMED and not _begin(entry, seen, settings):
            return Outcome.INVALID
        return _move(entry, seen, is_reply, settings, now_ns)


def _begin(entry: Entry, seen: Seen, settings: Settings) -> bool:
    """The first segment: a SYN, or one from the midst of a connection if ``loose``."""
    state = NEXT[0][seen.kind][0]
    if state >= IGNORED or (state != SYN_SENT and not settings.tcp_loose):
        return False
    tracked = entry.l4 = TcpTracked()
    sender = tracked.ends[0]
    sender.end = seen.end
    sender.max_window = seen.window or 1
    if state == SYN_SENT:
        sender.max_end = seen.end
        read_options(seen.data, seen.options_at, seen.options_end, sender)
    else:
        # Nobody knows what was agreed on when it began: windows may be scaled.
        sender.max_end = seen.end + sender.max_window & U32
        for end in tracked.ends:
            end.flags = SACK_PERMITTED | BE_LIBERAL
    return True


def _move(entry: Entry, seen: Seen, is_reply: bool, settings: Settings, now_ns: int) -> Outcome:
    tracked: TcpTracked = entry.l4
    before = tracked.state
    after = NEXT[is_reply][seen.kind][before]
    checks_window = True
    if after == BAD:
        return Outcome.INVALID
    if after == SYN_SENT and before >= TIME_WAIT and _may_reopen(tracked, is_reply):
        return Outcome.REOPENED
    if after == IGNORED or (after == SYN_SENT and before >= TIME_WAIT):
        if not answers_ignored(tracked, seen, is_reply):
            note_ignored(tracked, seen, is_reply, before)
            return Outcome.PASSED
        resume(tracked, is_reply)
        before, after = SYN_SENT, SYN_RECV
    elif after == TIME_WAIT and is_challenge(tracked, seen, is_reply, before):
        tracked.last_flags &= ~CHALLENGE_EXPECTED
        return Outcome.PASSED
    elif after == SYN_SENT2:
        tracked.last_flags |= SIMULTANEOUS
    elif after == SYN_RECV:
        if is_reply and seen.kind == ACK_ONLY and tracked.last_flags & SIMULTANEOUS:
            after = ESTABLISHED
    elif after == CLOSE and seen.kind == WITH_RST:
        judged = judge_reset(entry, tracked, seen, is_reply, settings)
        if judged is None:
            return Outcome.INVALID
        after = before if judged.stays else CLOSE
        checks_window = not judged.is_answer
    if checks_window:
        fits = fit(tracked, seen, is_reply, settings)
        if fits is Fit.IGNORED:
            return Outcome.PASSED
        if fits is Fit.INVALID:
            _note_invalid(entry, tracked, seen, is_reply, settings, now_ns)
            return Outcome.INVALID
    tracked.last_kind = seen.kind
    tracked.last_is_reply = is_reply
    tracked.state = after
    if before != after and after == FIN_WAIT:
        tracked.ends[is_reply].flags |= CLOSE_INIT
    return _settle(entry, tracked, seen, before, settings, now_ns)


def _may_reopen(tracked: TcpTracked, is_reply: bool) -> bool:
    """Whether a SYN may follow on what is closed (RFC 9293 section 3.6.1)."""
    if (tracked.ends[0].flags | tracked.ends[1].flags) & CLOSE_INIT:
        return True
    return tracked.last_is_reply == is_reply and tracked.last_kind == WITH_RST


def _note_invalid(
    entry: Entry, tracked: TcpTracked, seen: Seen, is_reply: bool, settings: Settings, now_ns: int
) -> None:
    """Both ends end the connection with segments that do not fit: it need not be kept for days."""
    if not entry.status & status.ASSURED or entry.status & status.FIXED_TIMEOUT:
        return
    if seen.kind not in (WITH_RST, WITH_FIN):
        return
    if tracked.last_is_reply != is_reply and tracked.last_kind in (WITH_RST, WITH_FIN):
        limit_ns = settings.tcp_unacknowledged_timeout_s * NS_PER_S
        left_ns = entry.expires_ns - now_ns
        if left_ns >= _FAR_OFF_NS and left_ns > limit_ns:
            entry.expires_ns = now_ns + limit_ns
    else:
        tracked.last_kind = seen.kind
        tracked.last_is_reply = is_reply


def _settle(
    entry: Entry, tracked: TcpTracked, seen: Seen, before: int, settings: Settings, now_ns: int
) -> Outcome:
    """The state has moved: for how long is it remembered, and may it be given up under pressure?"""
    after = tracked.state
    timeout_s = _timeout_s(tracked, seen, settings)
    if not entry.status & status.SEEN_REPLY:
        if seen.flags & RST:
            return Outcome.KILLED
        if seen.kind == SYN_ONLY and before == SYN_SENT:
            # Who only repeats itself must not keep it alive.
            return Outcome.PASSED
        if after == ESTABLISHED:
            timeout_s = min(timeout_s, settings.tcp_unacknowledged_timeout_s)
    elif (
        not entry.status & status.ASSURED
        and before in (SYN_RECV, ESTABLISHED)
        and after == ESTABLISHED
    ):
        entry.status |= status.ASSURED
    if not entry.status & status.FIXED_TIMEOUT:
        entry.expires_ns = now_ns + timeout_s * NS_PER_S
    return Outcome.VALID


def _timeout_s(tracked: TcpTracked, seen: Seen, settings: Settings) -> int:
    usual_s = settings.tcp_timeouts_s[tracked.state]
    if tracked.retransmits >= settings.tcp_max_retrans and usual_s > settings.tcp_retrans_timeout_s:
        return settings.tcp_retrans_timeout_s
    if seen.kind == WITH_RST:
        return settings.tcp_timeouts_s[CLOSE]
    flags = tracked.ends[0].flags | tracked.ends[1].flags
    if flags & UNACKNOWLEDGED and usual_s > settings.tcp_unacknowledged_timeout_s:
        return settings.tcp_unacknowledged_timeout_s
    if tracked.last_window == 0 and usual_s > settings.tcp_retrans_timeout_s:
        return settings.tcp_retrans_timeout_s
    return usual_s
