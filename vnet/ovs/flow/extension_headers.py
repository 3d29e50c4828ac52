"""Which extension headers an IPv6 packet has, as OpenFlow tells them (``ipv6_exthdr``).

The headers are walked as far as they are whole, to the first that is none of them. Sources:
OpenFlow 1.3.5, section 7.2.3.8, "ofp_ipv6exthdr_flags"; RFC 8200, section 4.1, for their order.
"""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple


class ExtensionHeaders(IntFlag):
    """OFPIEH_*"""

    NO_NEXT = 1 << 0
    ESP = 1 << 1
    AUTH = 1 << 2
    DEST = 1 << 3
    FRAG = 1 << 4
    ROUTER = 1 << 5
    HOP = 1 << 6
    UNREPEATED = 1 << 7
    """A header came more often than RFC 8200 has it."""
    UNSEQUENCED = 1 << 8
    """A header came later than RFC 8200 prefers."""


HOP_BY_HOP = 0
ROUTING = 43
FRAGMENT = 44
ENCAPSULATION = 50
AUTHENTICATION = 51
NO_NEXT_HEADER = 59
DESTINATION_OPTIONS = 60

_FLAGS = {
    HOP_BY_HOP: int(ExtensionHeaders.HOP),
    ROUTING: int(ExtensionHeaders.ROUTER),
    FRAGMENT: int(ExtensionHeaders.FRAG),
    AUTHENTICATION: int(ExtensionHeaders.AUTH),
    DESTINATION_OPTIONS: int(ExtensionHeaders.DEST),
}
_ENDS = {
    ENCAPSULATION: int(ExtensionHeaders.ESP),
    NO_NEXT_HEADER: int(ExtensionHeaders.NO_NEXT),
}
"""What stands last: nobody can read on behind it."""

_RANKS = {
    HOP_BY_HOP: 0,
    DESTINATION_OPTIONS: 1,
    ROUTING: 2,
    FRAGMENT: 3,
    AUTHENTICATION: 4,
    ENCAPSULATION: 5,
}
_LAST_RANK = 6
"""Of what is carried, and of destination options right before that."""

_IPV6_HEADER_BYTES = 40
_LEAST_BYTES = 8
_FRAGMENT_OFFSET = 0xFFF8


class Chain(NamedTuple):
    """A walk along the headers. ``places`` are those where one says what the next is, the fixed
    header's first; behind the last of them is what the packet carries. Of a later fragment nobody
    knows more than that its fragment header says.
    """

    places: list[int]
    is_later_fragment: bool


def walk(frame: bytes, l3: int) -> Chain:
    """Walk along an IPv6 header at ``l3``, whose lengths are sane, and what is whole behind it."""
    at = l3 + _IPV6_HEADER_BYTES
    end = at + int.from_bytes(frame[l3 + 4 : l3 + 6], "big")
    places = [l3 + 6]
    while frame[places[-1]] in _FLAGS and end - at >= _LEAST_BYTES:
        kind = frame[places[-1]]
        places.append(at)
        if kind == FRAGMENT and int.from_bytes(frame[at + 2 : at + 4], "big") & _FRAGMENT_OFFSET:
            return Chain(places, True)
        at += _length_bytes(kind, frame[at + 1])
    return Chain(places, False)


def extensions_seen(frame: bytes, l3: int) -> int:
    """The flags (:class:`ExtensionHeaders`) of an IPv6 header at ``l3``, whose lengths are sane."""
    return _flags_of([frame[place] for place in walk(frame, l3).places])


def _length_bytes(kind: int, length: int) -> int:
    """How long a header is that says ``length`` of itself; each kind counts otherwise."""
    if kind == FRAGMENT:
        return 8
    return (length + 2) * 4 if kind == AUTHENTICATION else (length + 1) * 8


def _flags_of(kinds: list[int]) -> int:
    flags = 0
    rank = -1
    for number, kind in enumerate(kinds):
        flag = _FLAGS.get(kind) or _ENDS.get(kind, 0)
        if flags & flag and not _may_repeat(kinds[:number], kind):
            flags |= ExtensionHeaders.UNREPEATED
        flags |= flag
        own_rank = _rank(kind, rank)
        if own_rank < rank:
            flags |= ExtensionHeaders.UNSEQUENCED
        rank = max(rank, own_rank)
    return int(flags)


def _may_repeat(before: list[int], kind: int) -> bool:
    """Destination options alone may come twice: before a routing header and at the end."""
    return kind == DESTINATION_OPTIONS and before.count(kind) == 1 and ROUTING in before


def _rank(kind: int, before: int) -> int:
    """A header's place; of the two that destination options have, the first that is not over."""
    rank = _RANKS.get(kind, _LAST_RANK)
    return _LAST_RANK if kind == DESTINATION_OPTIONS and before > rank else rank
