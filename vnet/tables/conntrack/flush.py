"""Forgetting connections by their tuples (``dpctl/flush-conntrack``, ovs-dpctl(8))."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.tables.conntrack.extract import ICMP, ICMPV6, REVERSE_TYPE_V4, REVERSE_TYPE_V6
from vnet.tables.conntrack.key import KeyParts, parts_of
from vnet.tables.conntrack.tracker import ConnTracker


@dataclass(frozen=True, slots=True)
class TupleMatch:
    """One direction. Addresses are packed; what is None or 0 may be anything.

    Of ICMP, identifier, type and code must be the same, 0 or not.
    """

    source: bytes | None = None
    target: bytes | None = None
    source_port: int = 0
    target_port: int = 0
    icmp_id: int = 0
    icmp_type: int = 0
    icmp_code: int = 0

    def admits(self, parts: KeyParts, is_icmp: bool) -> bool:
        """Whether one direction of a connection is as asked for."""
        if self.source not in (None, parts.source) or self.target not in (None, parts.target):
            return False
        if is_icmp:
            asked = self.icmp_id, self.icmp_type, self.icmp_code
            return asked == (parts.ident, parts.source_part >> 8, 0)
        return self.source_port in (0, parts.source_part) and self.target_port in (
            0,
            parts.target_part,
        )

    def is_exact(self, is_icmp: bool) -> bool:
        """Whether it names both ends."""
        has_ends = self.source is not None and self.target is not None
        return has_ends and (is_icmp or bool(self.source_port and self.target_port))


NOTHING = TupleMatch()


@dataclass(frozen=True, slots=True)
class ConnMatch:
    """Connections of ``protocol`` (0: any), of IPv6 or not (None: either), and two tuples."""

    protocol: int = 0
    is_v6: bool | None = None
    original: TupleMatch = NOTHING
    reply: TupleMatch = NOTHING

    @property
    def is_icmp(self) -> bool:
        return self.protocol in (ICMP, ICMPV6)

    def admits(self, key: bytes, reply_key: bytes) -> bool:
        """Whether a connection is as asked for."""
        parts = parts_of(key)
        if self.protocol not in (0, parts.protocol):
            return False
        if self.is_v6 is not None and self.is_v6 != (len(parts.source) == 16):
            return False
        return self.original.admits(parts, self.is_icmp) and self.reply.admits(
            parts_of(reply_key), self.is_icmp
        )


def flush_matching(
    tracker: ConnTracker, match: ConnMatch, now_ns: int, zone: int | None = None
) -> bool:
    """Forget the connections that match, or, if nothing is asked for, all of them.

    An exact original tuple alone names one connection, of zone 0 unless ``zone`` says else;
    False if there is none. Anything less is looked for in every zone.
    """
    if match == ConnMatch():
        tracker.flush(zone)
        return True
    if match.original.is_exact(match.is_icmp) and match.reply == NOTHING:
        key = _exact_key(match, zone or 0)
        return key is not None and tracker.flush_key(key, now_ns)
    for conn in list(tracker.conns(now_ns, zone)):
        if match.admits(conn.key, conn.reply_key):
            tracker.store.forget(conn)
    return True


def _exact_key(match: ConnMatch, zone: int) -> bytes | None:
    """The key of an exact original tuple; None for a message that nothing answers."""
    asked = match.original
    assert asked.source is not None
    assert asked.target is not None
    source_part, target_part, ident = asked.source_port, asked.target_port, 0
    if match.is_icmp:
        answers = REVERSE_TYPE_V4 if match.protocol == ICMP else REVERSE_TYPE_V6
        answer = answers.get(asked.icmp_type)
        if answer is None or asked.icmp_code:
            return None
        source_part, target_part, ident = asked.icmp_type << 8, answer << 8, asked.icmp_id
    parts = KeyParts(
        asked.source, asked.target, source_part, target_part, zone, match.protocol, ident
    )
    return parts.pack()
