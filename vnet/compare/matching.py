"""Which frame of one capture is which of the other, at one point.

First frames that are alike but for labels are found, in order; then those that came in another
order; then, between frames that were found, those that are the same but for some fields.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import itemgetter

from vnet.compare.align import align
from vnet.compare.capture import Frame
from vnet.compare.field import Field, numbered, raw


class How(StrEnum):
    """How a frame of the first capture stands to one of the second."""

    SAME = "same"
    MOVED = "moved"
    CHANGED = "changed"
    FIRST_ONLY = "only in the first"
    SECOND_ONLY = "only in the second"


@dataclass(slots=True)
class Match:
    """Two frames that are the same, or should be, or one that has no partner."""

    how: How
    first: Frame | None
    second: Frame | None
    differing: list[FieldDifference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """What a field is in both frames; None where a frame has no such field.

    ``note`` says which label was expected, where it is not the values that differ.
    """

    name: str
    first: str | None
    second: str | None
    note: str = ""


_MOST_DIFFERING = 6
"""Two frames with more differing fields than that are not one frame that changed."""

_IDENTITY = frozenset((
    "eth.type", "vlan.id", "arp.opcode", "arp.sender_ip", "arp.target_ip",
    "ip.src", "ip.dst", "ip.protocol", "ip.offset", "ipv6.src", "ipv6.dst", "ipv6.next_header",
    "udp.srcport", "udp.dstport", "tcp.srcport", "tcp.dstport", "tcp.seq", "tcp.flags",
    "icmp.type", "icmp.code", "icmp.seq", "icmpv6.type", "icmpv6.seq", "nd.target",
    "stp.type", "dhcp.option.53", "dns.name", "dns.type",
))  # fmt: skip
"""What says which frame it is, with ``inner.`` before it as well."""

_KIND = frozenset(
    ("eth.type", "arp.opcode", "ip.protocol", "ipv6.next_header", "icmp.type", "icmpv6.type")
)
"""What says which kind of frame it is."""


def number_keys(captures: Sequence[Sequence[Frame]]) -> None:
    """Give frames that are alike but for labels the same number."""
    numbers: dict[Hashable, int] = {}
    for frames in captures:
        for frame in frames:
            key = tuple([(one.name, one.key) for one in frame.fields])
            frame.key = numbers.setdefault(key, len(numbers))


def match(first: list[Frame], second: list[Frame], within_ns: int) -> list[Match]:
    """Every frame of both in exactly one match, in the order of the capture.

    Frames no more than ``within_ns`` apart, in either capture, may have changed places.
    """
    number_keys((first, second))
    pairs = align([frame.key for frame in first], [frame.key for frame in second])
    moved, tied = _moved(first, second, pairs, within_ns)
    found = [(i, j, How.SAME) for i, j in (*pairs, *tied)]
    found += [(i, j, How.MOVED) for i, j in moved]
    for names in (_IDENTITY, _KIND):
        found += [(i, j, How.CHANGED) for i, j in _changed(first, second, pairs, found, names)]
    return _in_order(first, second, pairs, found)


def _left(frames: Sequence[Frame], found: set[int]) -> list[int]:
    return [at for at in range(len(frames)) if at not in found]


def _moved(
    first: list[Frame], second: list[Frame], pairs: list[tuple[int, int]], within_ns: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Equal frames that are out of order, and those of them that come within a tie."""
    places: dict[int, list[int]] = defaultdict(list)
    for j in reversed(_left(second, {j for _, j in pairs})):
        places[second[j].key].append(j)
    moved = []
    for i in _left(first, {i for i, _ in pairs}):
        if places.get(first[i].key):
            moved.append((i, places[first[i].key].pop()))
    apart: list[tuple[int, int]] = []
    tied: list[tuple[int, int]] = []
    for pair in moved:
        (tied if _is_tie(first, second, pairs, pair, within_ns) else apart).append(pair)
    return apart, tied


def _is_tie(
    first: list[Frame],
    second: list[Frame],
    pairs: list[tuple[int, int]],
    moved: tuple[int, int],
    within_ns: int,
) -> bool:
    """Whether all that a frame changed places with came about when it did, in both captures."""
    i, j = moved
    before_i = bisect_left(pairs, i, key=itemgetter(0))
    before_j = bisect_left(pairs, j, key=itemgetter(1))
    crossed = pairs[min(before_i, before_j) : max(before_i, before_j)]
    return all(
        abs(first[i].time_ns - first[at].time_ns) <= within_ns
        and abs(second[j].time_ns - second[place].time_ns) <= within_ns
        for at, place in (*crossed[:1], *crossed[-1:])
    )


def _changed(
    first: list[Frame],
    second: list[Frame],
    pairs: list[tuple[int, int]],
    found: list[tuple[int, int, How]],
    names: frozenset[str],
) -> list[tuple[int, int]]:
    """Frames without partner, between the same others, that agree in the fields of ``names``."""
    left = _left(first, {i for i, _, _ in found})
    right = _left(second, {j for _, j, _ in found})
    here = [(bisect_left(pairs, i, key=itemgetter(0)), _identity(first[i], names)) for i in left]
    there = [(bisect_left(pairs, j, key=itemgetter(1)), _identity(second[j], names)) for j in right]
    alike = [(left[at], right[place]) for at, place in align(here, there)]
    return [(i, j) for i, j in alike if len(differing(first[i], second[j])) <= _MOST_DIFFERING]


def _identity(frame: Frame, names: frozenset[str]) -> Hashable:
    return tuple([(one.name, one.key) for one in frame.fields if one.plain_name in names])


def differing(first: Frame, second: Frame) -> list[FieldDifference]:
    """The fields that are not the same in both, in the order of the frames."""
    here, there = numbered(first.fields), numbered(second.fields)
    found = []
    for place, one in here.items():
        other = there.get(place)
        if other is None:
            found.append(FieldDifference(one.name, one.text, None))
        elif other.key != one.key:
            found.append(_difference(one, other))
    found += [FieldDifference(there[p].name, None, there[p].text) for p in there if p not in here]
    return found


def _difference(one: Field, other: Field) -> FieldDifference:
    first, second = one.value, other.value
    if one.show is not raw or other.show is not raw:
        return FieldDifference(one.name, one.text, other.text)
    assert isinstance(first, bytes)
    assert isinstance(second, bytes)
    at = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    if at is None or at < 8:
        return FieldDifference(
            one.name, one.text, other.text, "" if at is None else f"from byte {at} on"
        )
    return FieldDifference(
        one.name, f"..{raw(first[at:])}", f"..{raw(second[at:])}", f"from byte {at} on"
    )


def _in_order(
    first: list[Frame],
    second: list[Frame],
    pairs: list[tuple[int, int]],
    found: list[tuple[int, int, How]],
) -> list[Match]:
    """All matches as the first capture has them; those of the second, behind what they followed."""
    placed = [((i, -1), Match(how, first[i], second[j])) for i, j, how in found]
    for i in _left(first, {i for i, _, _ in found}):
        placed.append(((i, -1), Match(How.FIRST_ONLY, first[i], None)))
    for j in _left(second, {j for _, j, _ in found}):
        n_before = bisect_left(pairs, j, key=itemgetter(1))
        after = pairs[n_before - 1][0] if n_before else -1
        placed.append(((after, j), Match(How.SECOND_ONLY, None, second[j])))
    return [one for _, one in sorted(placed, key=itemgetter(0))]
