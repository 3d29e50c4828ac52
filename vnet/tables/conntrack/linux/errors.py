"""ICMP errors, which belong to the connection whose packet they quote (RFC 5508)."""

from __future__ import annotations

from vnet.tables.conntrack.extract import ICMP, ICMPV6
from vnet.tables.conntrack.key import parts_of, reverse
from vnet.tables.conntrack.linux.checks import message_is_whole
from vnet.tables.conntrack.linux.segment import ERRORS_V4, Segment, key_of, segment_of
from vnet.tables.conntrack.linux.table import EntryTable
from vnet.tables.conntrack.linux.tracking import INVALID, UNTRACKED, PacketState, Tracking
from vnet.wire import icmpv6, ipv4, ipv6

_HEADER_BYTES = 8
_MOST_TYPE_V4 = 18
_UNTRACKED_V6 = frozenset((*range(icmpv6.MLD_QUERY, icmpv6.REDIRECT), icmpv6.MLDV2_REPORT))
"""Talk among neighbours, which is of no connection."""

_FIRST_INFORMATIONAL = 128
_REDIRECT_BYTES = 40
_REDIRECTED_HEADER = 4


def is_message(segment: Segment) -> bool:
    """Whether it is ICMP, of its own IP version."""
    return segment.protocol == (ICMP if segment.family == 4 else ICMPV6)


def judge_message(
    table: EntryTable, segment: Segment, zone: bytes, checks: bool, now_ns: int
) -> Tracking | None:
    """What tracking says of an ICMP message; None where it is one that has a key of its own."""
    data, family, _, at = segment
    if len(data) - at < _HEADER_BYTES or (checks and not message_is_whole(segment)):
        return INVALID
    kind = data[at]
    if family == 4:
        if kind > _MOST_TYPE_V4:
            return INVALID
        return (
            _related(table, segment, at + _HEADER_BYTES, zone, now_ns)
            if kind in ERRORS_V4
            else None
        )
    if kind in _UNTRACKED_V6:
        return UNTRACKED
    if kind == icmpv6.REDIRECT:
        option_at = at + _REDIRECT_BYTES
        if data[option_at : option_at + 1] != bytes((_REDIRECTED_HEADER,)):
            return INVALID
        return _related(table, segment, option_at + _HEADER_BYTES, zone, now_ns)
    if kind >= _FIRST_INFORMATIONAL:
        return None
    return _related(table, segment, at + _HEADER_BYTES, zone, now_ns)


def quoted_segment(data: bytes, family: int, at: int) -> Segment | None:
    """The packet that begins ``at`` a byte of an error, cut off anywhere; None if it is no packet.

    Its ``data`` begins with its own header.
    """
    quoted = data[at:]
    least = ipv4.HEADER_BYTES if family == 4 else ipv6.HEADER_BYTES
    if len(quoted) < least or quoted[0] >> 4 != family:
        return None
    return segment_of(quoted, family)


def _related(
    table: EntryTable, segment: Segment, quoted_at: int, zone: bytes, now_ns: int
) -> Tracking:
    quoted = quoted_segment(segment.data, segment.family, quoted_at)
    key = None if quoted is None else key_of(quoted, zone)
    if key is None:
        return INVALID
    # Whoever answers the quoted packet sends what has this key.
    answer = reverse(key)
    entry = table.find(answer, now_ns)
    if entry is None:
        return INVALID
    target = segment.data[16:20] if segment.family == 4 else segment.data[24:40]
    if target != parts_of(answer).target:
        return INVALID
    return Tracking(entry, PacketState.RELATED, answer == entry.reply_key)
