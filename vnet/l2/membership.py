"""What IGMP and MLD messages say to a switch that listens in: who wants what group, who asks.

Groups are 16 bytes; an IPv4 group is mapped into IPv6 (``::ffff:224.1.1.1``), so that one table
holds both kinds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vnet.wire import igmp

MAPPED_PREFIX = bytes(10) + b"\xff\xff"

MLD_QUERY = 130
MLD_REPORT = 131
MLD_DONE = 132
MLD_REPORT_V2 = 143

_IGMP_HEADER_BYTES = 8
_MLD_HEADER_BYTES = 8
_RECORD_HEADER_BYTES = 4

_RECORD_TYPES = range(igmp.MODE_IS_INCLUDE, igmp.BLOCK_OLD_SOURCES + 1)
_TO_INCLUDE = (igmp.MODE_IS_INCLUDE, igmp.CHANGE_TO_INCLUDE)


class Membership(NamedTuple):
    """Somebody joins a group, or wants no more of it."""

    group: bytes
    joins: bool


def mapped(ipv4: bytes) -> bytes:
    """A group of IPv4 as one of IPv6."""
    return MAPPED_PREFIX + ipv4


def igmp_memberships(message: bytes) -> Iterator[Membership]:
    """What a report or leave of any version says; nothing, for other messages."""
    if len(message) < _IGMP_HEADER_BYTES:
        return
    match message[0]:
        case igmp.REPORT_V1 | igmp.REPORT_V2:
            yield Membership(mapped(message[4:8]), True)
        case igmp.LEAVE:
            yield Membership(mapped(message[4:8]), False)
        case igmp.REPORT_V3:
            for membership in _records(message, 4, skips_unknown=False):
                yield Membership(mapped(membership.group), membership.joins)


def mld_memberships(message: bytes) -> Iterator[Membership]:
    """The same for MLD, whose message begins with the ICMPv6 type."""
    if len(message) < _MLD_HEADER_BYTES:
        return
    group = message[_MLD_HEADER_BYTES : _MLD_HEADER_BYTES + 16]
    if message[0] == MLD_REPORT_V2:
        yield from _records(message, 16, skips_unknown=True)
    elif message[0] in (MLD_REPORT, MLD_DONE) and len(group) == 16:
        yield Membership(group, message[0] == MLD_REPORT)


def _records(message: bytes, ip_bytes: int, *, skips_unknown: bool) -> Iterator[Membership]:
    """The records of a report, up to the first that is cut short.

    Sources do not matter: to include none of them is to leave, everything else joins. As Open
    vSwitch does, auxiliary data is stepped over by bytes where its length counts words, and a
    record of unknown type in IGMP is not stepped over at all, which hides all that follow.
    """
    at = 8
    for _ in range(message[6] << 8 | message[7]):
        end = at + _RECORD_HEADER_BYTES + ip_bytes
        if end > len(message):
            return
        kind, aux_bytes = message[at], message[at + 1]
        n_sources = message[at + 2] << 8 | message[at + 3]
        is_known = kind in _RECORD_TYPES
        if not is_known and not skips_unknown:
            return
        if is_known:
            leaves = kind in _TO_INCLUDE and not n_sources
            yield Membership(message[at + _RECORD_HEADER_BYTES : end], not leaves)
        at = end + n_sources * ip_bytes + aux_bytes
