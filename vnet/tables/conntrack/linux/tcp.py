"""TCP as the kernel follows it: states, and what moves them (nf_conntrack_proto_tcp.c).

Whoever tracks stands between two machines and guesses what they are up to: packets may be lost
behind it, and it may have come late. A packet that moves nothing but may turn out to be right is
let pass and remembered: the answer tells.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct

from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.checks import transport_is_whole
from vnet.tables.conntrack.linux.entry import Entry
from vnet.tables.conntrack.linux.protocol import Outcome
from vnet.tables.conntrack.linux.segment import Segment
from vnet.tables.conntrack.linux.settings import NS_PER_S, Settings
from vnet.tables.conntrack.linux.tcp_window import (
    BE_LIBERAL,
    CLOSE_INIT,
    MAXACK_SET,
    SACK_PERMITTED,
    UNACKNOWLEDGED,
    WINDOW_SCALE,
    End,
    Fit,
    fit,
    read_options,
)
from vnet.wire.tcp import ACK, FIN, RST, SYN, URG


class TcpConnState(IntEnum):
    """States of a connection, by the kernel's numbers and names."""

    NONE = 0
    SYN_SENT = 1
    SYN_RECV = 2
    ESTABLISHED = 3
    FIN_WAIT = 4
    CLOSE_WAIT = 5
    LAST_ACK = 6
    TIME_WAIT = 7
    CLOSE = 8
    SYN_SENT2 = 9


SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT = 1, 2, 3, 4, 5
LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2 = 6, 7, 8, 9
_CLOSED = frozenset((FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE))
IGNORED, BAD = 10, 11
"""Not states: the packet moves nothing, or cannot be."""

SYN_ONLY, SYN_ACK, WITH_FIN, ACK_ONLY, WITH_RST, WITH_NONE = range(6)
"""What a segment is taken for, by its flags."""

_IG, _IV = IGNORED, BAD
_NEVER = (_IV,) * 10
_CLOSING = (_IV, _IV, 4, 4, 6, 6, 6, 7, 8, _IV)
_RESET = (_IV, 8, 8, 8, 8, 8, 8, 8, 8, 8)
_NEXT = (
    (  # from who opened the connection: by kind, then by state
        (1, 1, _IG, _IG, _IG, _IG, _IG, 1, 1, 9),
        (_IV, _IV, 2, _IV, _IV, _IV, _IV, _IV, _IV, 2),
        _CLOSING,
        (3, _IV, 3, 3, 5, 5, 7, 7, 8, _IV),
        _RESET,
        _NEVER,
    ),
    (  # from who answers
        (_IV, 9, _IV, _IV, _IV, _IV, _IV, 1, _IV, 9),
        (_IV, 2, _IG, _IG, _IG, _IG, _IG, _IG, _IG, 2),
        _CLOSING,
        (_IV, _IG, 2, 3, 5, 5, 7, 7, 8, _IG),
        _RESET,
        _NEVER,
    ),
)

_SIGNIFICANT = FIN | SYN | RST | ACK | URG
_SOUND = frozenset(
    (SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG)
)
_KIND = tuple(
    WITH_RST
    if flags & RST
    else (SYN_ACK if flags & ACK else SYN_ONLY)
    if flags & SYN
    else WITH_FIN
    if flags & FIN
    else ACK_ONLY
    if flags & ACK
    else WITH_NONE
    for flags in range(256)
)

CHALLENGE_EXPECTED = 0x40
SIMULTANEOUS = 0x80
"""Of ``last_flags``: an ignored SYN may be answered by a challenge (RFC 5961); both ends opened."""

_LEAST_BYTES = 20
_FIXED = Struct("!IIBBH")
_U32 = 0xFFFFFFFF
_HALF = 0x80000000
_FAR_OFF_NS = 120 * NS_PER_S


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
        self.kind = _KIND[self.flags]
        self.data = data
        self.options_at = at + _LEAST_BYTES
        self.options_end = at + (offset >> 4) * 4
        size = len(data) - self.options_end
        self.end = self.seq + size + bool(self.flags & SYN) + bool(self.flags & FIN) & _U32


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
        if len(data) - at < _LEAST_BYTES:
            return Outcome.INVALID
        header_bytes = (data[at + 12] >> 4) * 4
        if not _LEAST_BYTES <= header_bytes <= len(data) - at:
            return Outcome.INVALID
        if (checks and not transport_is_whole(segment)) or data[
            at + 13
        ] & _SIGNIFICANT not in _SOUND:
            return Outcome.INVALID
        seen = Seen(segment)
        if not entry.status & status.CONFIRMED and not _begin(entry, seen, settings):
            return Outcome.INVALID
        return _move(entry, seen, is_reply, settings, now_ns)


def _begin(entry: Entry, seen: Seen, settings: Settings) -> bool:
    """The first segment: a SYN, or one from the midst of a connection if ``loose``."""
    state = _NEXT[0][seen.kind][0]
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
        sender.max_end = seen.end + sender.max_window & _U32
        for end in tracked.ends:
            end.flags = SACK_PERMITTED | BE_LIBERAL
    return True


def _move(entry: Entry, seen: Seen, is_reply: bool, settings: Settings, now_ns: int) -> Outcome:
    tracked: TcpTracked = entry.l4
    before = tracked.state
    after = _NEXT[is_reply][seen.kind][before]
    checks_window = True
    if after == BAD:
        return Outcome.INVALID
    if after == SYN_SENT and before >= TIME_WAIT and _may_reopen(tracked, is_reply):
        return Outcome.REOPENED
    if after == IGNORED or (after == SYN_SENT and before >= TIME_WAIT):
        if not _answers_ignored(tracked, seen, is_reply):
            _note_ignored(tracked, seen, is_reply, before)
            return Outcome.PASSED
        _resume(tracked, is_reply)
        before, after = SYN_SENT, SYN_RECV
    elif after == TIME_WAIT and _is_challenge(tracked, seen, is_reply, before):
        tracked.last_flags &= ~CHALLENGE_EXPECTED
        return Outcome.PASSED
    elif after == SYN_SENT2:
        tracked.last_flags |= SIMULTANEOUS
    elif after == SYN_RECV:
        if is_reply and seen.kind == ACK_ONLY and tracked.last_flags & SIMULTANEOUS:
            after = ESTABLISHED
    elif after == CLOSE and seen.kind == WITH_RST:
        judged = _reset(entry, tracked, seen, is_reply, settings)
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


def _answers_ignored(tracked: TcpTracked, seen: Seen, is_reply: bool) -> bool:
    """Whether a SYN+ACK takes up a SYN that was ignored: so both ends know better than we do."""
    return (
        seen.kind == SYN_ACK
        and tracked.last_kind == SYN_ONLY
        and tracked.last_is_reply != is_reply
        and seen.ack == tracked.last_end
    )


def _resume(tracked: TcpTracked, is_reply: bool) -> None:
    """Go on from the SYN that was ignored."""
    opener = tracked.ends[not is_reply]
    opener.end = opener.max_end = tracked.last_end
    opener.max_window = tracked.last_window or 1
    opener.scale = tracked.last_wscale
    tracked.last_flags &= ~CHALLENGE_EXPECTED
    opener.flags = tracked.last_flags
    tracked.ends[is_reply].clear()


def _note_ignored(tracked: TcpTracked, seen: Seen, is_reply: bool, state: int) -> None:
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


def _is_challenge(tracked: TcpTracked, seen: Seen, is_reply: bool, state: int) -> bool:
    """An ACK that answers a stray SYN must not be taken for the last one (RFC 5961)."""
    return (
        state == LAST_ACK
        and seen.kind == ACK_ONLY
        and tracked.last_is_reply != is_reply
        and tracked.last_kind == SYN_ONLY
        and bool(tracked.last_flags & CHALLENGE_EXPECTED)
    )


class _Reset:
    __slots__ = ("is_answer", "stays")

    def __init__(self, stays: bool, is_answer: bool) -> None:
        self.stays = stays
        self.is_answer = is_answer


def _reset(
    entry: Entry, tracked: TcpTracked, seen: Seen, is_reply: bool, settings: Settings
) -> _Reset | None:
    """What a RST does: None where it cannot be. It ``stays`` as it is where the number does not
    hit: a challenge may follow (RFC 5961). One that answers what we had ignored needs no window."""
    if tracked.state in _CLOSED:
        # Its ends may long be at something else.
        return _Reset(False, True)
    stays = False
    other = tracked.ends[not is_reply]
    is_established = tracked.state == ESTABLISHED and bool(entry.status & status.ASSURED)
    # What was acknowledged says nothing once a SYN has been let pass.
    if other.flags & MAXACK_SET and tracked.last_kind != SYN_ONLY:
        if seen.seq == 0 and not is_established:
            return _Reset(False, False)
        is_old = (seen.seq - other.max_ack) & _U32 >= _HALF
        if is_old and not settings.tcp_ignore_invalid_rst:
            return None
        follows = (
            tracked.last_kind == ACK_ONLY
            and tracked.last_is_reply == is_reply
            and seen.seq == tracked.last_end
        )
        if not is_established or seen.seq == other.max_ack or follows:
            return _Reset(False, False)
        stays = True
    answers_syn = (
        entry.status & status.SEEN_REPLY
        and tracked.last_kind == SYN_ONLY
        and tracked.last_is_reply != is_reply
    )
    answers_ack = not entry.status & status.ASSURED and tracked.last_kind == ACK_ONLY
    is_answer = bool(answers_syn or answers_ack) and seen.ack == tracked.last_end
    return _Reset(stays, is_answer or _answers_challenge(tracked, seen))


def _answers_challenge(tracked: TcpTracked, seen: Seen) -> bool:
    """Whether a RST takes its number from an ACK that the other end sent instead of a SYN+ACK."""
    return (
        tracked.state == SYN_SENT
        and tracked.last_kind == ACK_ONLY
        and tracked.last_is_reply
        and seen.seq == tracked.last_ack
    )


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
