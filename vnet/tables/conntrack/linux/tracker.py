"""The kernel's connection tracker, from outside: look at a packet, confirm its connection."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.tables.conntrack.extract import ICMP, ICMPV6, TCP, UDP
from vnet.tables.conntrack.key import PROTOCOL_AT, reverse
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.datagrams import (
    GreTracker,
    IcmpTracker,
    OtherTracker,
    UdpTracker,
)
from vnet.tables.conntrack.linux.entry import Counted, Entry
from vnet.tables.conntrack.linux.errors import is_message, judge_message
from vnet.tables.conntrack.linux.protocol import L4Tracker, Outcome
from vnet.tables.conntrack.linux.segment import GRE, UDPLITE, Segment, key_of, segment_of
from vnet.tables.conntrack.linux.settings import DEFAULTS, NS_PER_S, Settings
from vnet.tables.conntrack.linux.table import EntryTable
from vnet.tables.conntrack.linux.tcp import TcpTracker
from vnet.tables.conntrack.linux.tcp_states import CLOSE
from vnet.tables.conntrack.linux.tracking import (
    INVALID,
    NO_TEMPLATE,
    PacketState,
    Template,
    Tracking,
)

_UDP = UdpTracker()
_ICMP = IcmpTracker()
_OTHER = OtherTracker()
_BY_NUMBER: dict[int, L4Tracker] = {
    TCP: TcpTracker(),
    UDP: _UDP,
    UDPLITE: _UDP,
    ICMP: _ICMP,
    ICMPV6: _ICMP,
    GRE: GreTracker(),
}


class Tracker:
    """The connections of one machine."""

    __slots__ = ("settings", "table")

    def __init__(self) -> None:
        self.settings: Settings = DEFAULTS
        self.table = EntryTable(DEFAULTS.buckets)

    def configure(self, settings: Settings) -> None:
        """Other settings hold from now on."""
        self.settings = settings
        if settings.buckets != self.table.buckets:
            self.table.forget_buckets()
            self.table.buckets = settings.buckets

    # -- packets

    def look(
        self,
        data: bytes,
        family: int,
        now_ns: int,
        *,
        checks: bool,
        template: Template = NO_TEMPLATE,
    ) -> Tracking | None:
        """What a packet (whole, no fragment) is; None where it must be dropped: there is no room.

        A connection that it begins is not in the table yet: see :meth:`confirm`. With ``checks``
        checksums are looked at, if the settings say so, too.
        """
        segment = segment_of(data, family)
        if segment is None:
            return INVALID
        checks = checks and self.settings.checks_checksums
        if is_message(segment):
            found = judge_message(self.table, segment, template.zone_bytes, checks, now_ns)
            if found is not None:
                return found
        elif segment.protocol in (ICMP, ICMPV6):
            return INVALID  # The other IP version's messages are nobody's.
        key = key_of(segment, template.zone_bytes)
        return INVALID if key is None else self._resolve(segment, key, checks, template, now_ns)

    def _resolve(
        self, segment: Segment, key: bytes, checks: bool, template: Template, now_ns: int
    ) -> Tracking | None:
        entry = self.table.find(key, now_ns)
        if entry is None and template.zone_reply != template.zone_original:
            answer = key[:-5] + template.reply_zone_bytes + key[PROTOCOL_AT:]
            entry = self.table.find(answer, now_ns)
            key = key if entry is None else answer
        if entry is None:
            if not self._has_room(key, now_ns):
                return None
            entry = self._begin(key, template)
        # Of one with the same key both ways, everything but the first packet is an answer.
        is_reply = key == entry.reply_key if entry.is_confirmed else key != entry.key
        protocol = _BY_NUMBER.get(segment.protocol, _OTHER)
        outcome = protocol.follow(entry, segment, is_reply, checks, self.settings, now_ns)
        if outcome is Outcome.REOPENED:
            self.table.remove(entry)
            return self._resolve(segment, key, checks, template, now_ns)
        if outcome is Outcome.INVALID:
            return INVALID
        if entry.counted is not None and outcome is not Outcome.PASSED:
            entry.counted[is_reply].add(len(segment.data))
        if outcome is Outcome.KILLED:
            self.table.remove(entry)
        return Tracking(entry, self._state(entry, is_reply), is_reply)

    def follow(self, entry: Entry, segment: Segment, is_reply: bool, now_ns: int) -> bool:
        """One more whole packet of a connection; False where :meth:`look` must be asked."""
        protocol = _BY_NUMBER.get(segment.protocol, _OTHER)
        outcome = protocol.follow(entry, segment, is_reply, False, self.settings, now_ns)
        if outcome is Outcome.VALID and entry.counted is not None:
            entry.counted[is_reply].add(len(segment.data))
        return outcome is Outcome.VALID

    def _state(self, entry: Entry, is_reply: bool) -> PacketState:
        if is_reply:
            entry.status |= status.SEEN_REPLY
            return PacketState.ESTABLISHED
        if entry.status & status.SEEN_REPLY:
            return PacketState.ESTABLISHED
        return PacketState.RELATED if entry.status & status.EXPECTED else PacketState.NEW

    def _begin(self, key: bytes, template: Template) -> Entry:
        reply_key = reverse(key)
        if template.zone_reply != template.zone_original:
            reply_key = reply_key[:-5] + template.reply_zone_bytes + reply_key[PROTOCOL_AT:]
        entry = Entry(key, reply_key)
        if self.settings.counts:
            entry.counted = (Counted(), Counted())
        return entry

    def _has_room(self, key: bytes, now_ns: int) -> bool:
        if len(self.table) < self.settings.most_entries or not self.settings.most_entries:
            return True
        self.table.sweep(now_ns)
        if len(self.table) < self.settings.most_entries:
            self.table.forget_buckets()
            return True
        return self.table.evict(key, now_ns)

    def confirm(self, tracking: Tracking, now_ns: int) -> bool:
        """The packet got through: its connection is one from now on.

        False where the packet must be dropped: another connection has one of its keys.
        """
        entry = tracking.conn
        if entry is None or tracking.is_reply or entry.status & status.CONFIRMED:
            return True
        find = self.table.find
        if find(entry.key, now_ns) is not None or find(entry.reply_key, now_ns) is not None:
            self.table.unbind(entry)
            return False
        self.table.add(entry, now_ns)
        return True

    def give_up(self, tracking: Tracking) -> None:
        """The packet was dropped: a connection that it would have begun never was."""
        entry = tracking.conn
        if entry is not None and not entry.status & status.CONFIRMED:
            self.table.unbind(entry)

    # -- looking and changing

    def entries(self, now_ns: int) -> Iterator[Entry]:
        """Living connections, in the order in which they began."""
        return (entry for entry in self.table if entry.expires_ns > now_ns)

    def count(self, now_ns: int) -> int:
        """How many there are."""
        self.table.sweep(now_ns)
        return len(self.table)

    def close(self, entry: Entry, now_ns: int) -> None:
        """A connection of TCP is over, for we have reset it."""
        if entry.is_confirmed and entry.l4.state != CLOSE:
            entry.l4.state = CLOSE
            if not entry.status & status.FIXED_TIMEOUT:
                entry.expires_ns = now_ns + self.settings.tcp_timeouts_s[CLOSE] * NS_PER_S

    def delete(self, entry: Entry) -> None:
        """Forget a connection (``conntrack -D``)."""
        self.table.remove(entry)

    def flush(self) -> None:
        """Forget all (``conntrack -F``)."""
        for entry in list(self.table):
            self.table.remove(entry)
