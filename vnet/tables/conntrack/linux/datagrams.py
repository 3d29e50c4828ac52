"""Protocols without connections of their own: UDP, ICMP, GRE and all that is not known by name."""

from __future__ import annotations

from vnet.tables.conntrack.extract import ICMP
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.checks import transport_is_whole
from vnet.tables.conntrack.linux.entry import Entry
from vnet.tables.conntrack.linux.protocol import Outcome
from vnet.tables.conntrack.linux.segment import ADDRESS_MASK_REQUEST, UDPLITE, Segment
from vnet.tables.conntrack.linux.settings import NS_PER_S, Settings
from vnet.wire import icmp, icmpv6

_UDP_BYTES = 8
_STREAM_AFTER_NS = 2 * NS_PER_S
_INFORMATION_REQUEST = 15
_OPENING_V4 = frozenset(
    (icmp.ECHO_REQUEST, icmp.TIMESTAMP_REQUEST, _INFORMATION_REQUEST, ADDRESS_MASK_REQUEST)
)
_OPENING_V6 = frozenset((icmpv6.ECHO_REQUEST, 139))


def refresh(entry: Entry, timeout_s: int, now_ns: int) -> None:
    """Remember a connection for so long from now, unless its time is fixed."""
    if not entry.status & status.FIXED_TIMEOUT:
        entry.expires_ns = now_ns + timeout_s * NS_PER_S


class UdpTracker:
    """UDP and UDP-Lite. ``Entry.l4`` is when an exchange becomes a stream, in nanoseconds."""

    __slots__ = ()

    def follow(
        self,
        entry: Entry,
        segment: Segment,
        is_reply: bool,  # noqa: ARG002
        checks: bool,
        settings: Settings,
        now_ns: int,
    ) -> Outcome:
        if not _is_sound(segment, checks):
            return Outcome.INVALID
        if not entry.status & status.CONFIRMED:
            entry.l4 = now_ns + _STREAM_AFTER_NS
        note_datagram(entry, settings, now_ns)
        return Outcome.VALID


def note_datagram(entry: Entry, settings: Settings, now_ns: int) -> None:
    """One more of an exchange: which is a stream if it goes on for two seconds."""
    timeout_s = settings.udp_timeout_s
    if entry.status & status.SEEN_REPLY and now_ns > entry.l4:
        timeout_s = settings.udp_stream_timeout_s
        entry.status |= status.ASSURED
    refresh(entry, timeout_s, now_ns)


def _is_sound(segment: Segment, checks: bool) -> bool:
    data, _, protocol, at = segment
    size = len(data) - at
    if size < _UDP_BYTES:
        return False
    length, check = data[at + 4] << 8 | data[at + 5], data[at + 6 : at + 8]
    if protocol == UDPLITE:
        covered = length or size
        if not _UDP_BYTES <= covered <= size or check == b"\0\0":
            return False
        return not checks or covered != size or transport_is_whole(segment)
    if not _UDP_BYTES <= length <= size:
        return False
    return check == b"\0\0" or not checks or transport_is_whole(segment)


class IcmpTracker:
    """ICMP's and ICMPv6's questions; their errors are :mod:`.errors`'."""

    __slots__ = ()

    def follow(
        self,
        entry: Entry,
        segment: Segment,
        is_reply: bool,  # noqa: ARG002
        checks: bool,  # noqa: ARG002
        settings: Settings,
        now_ns: int,
    ) -> Outcome:
        is_v4 = segment.protocol == ICMP
        opening = _OPENING_V4 if is_v4 else _OPENING_V6
        if not entry.status & status.CONFIRMED and segment.data[segment.at] not in opening:
            return Outcome.INVALID
        refresh(entry, settings.icmp_timeout_s if is_v4 else settings.icmpv6_timeout_s, now_ns)
        return Outcome.VALID


class GreTracker:
    """GRE, whose exchanges count as streams once they were answered."""

    __slots__ = ()

    def follow(
        self,
        entry: Entry,
        segment: Segment,  # noqa: ARG002
        is_reply: bool,  # noqa: ARG002
        checks: bool,  # noqa: ARG002
        settings: Settings,
        now_ns: int,
    ) -> Outcome:
        if entry.status & status.SEEN_REPLY:
            refresh(entry, settings.gre_stream_timeout_s, now_ns)
            entry.status |= status.ASSURED
        else:
            refresh(entry, settings.gre_timeout_s, now_ns)
        return Outcome.VALID


class OtherTracker:
    """Every other protocol: addresses are all there is."""

    __slots__ = ()

    def follow(
        self,
        entry: Entry,
        segment: Segment,  # noqa: ARG002
        is_reply: bool,  # noqa: ARG002
        checks: bool,  # noqa: ARG002
        settings: Settings,
        now_ns: int,
    ) -> Outcome:
        refresh(entry, settings.generic_timeout_s, now_ns)
        return Outcome.VALID
