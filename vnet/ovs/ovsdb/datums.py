"""Sets and maps, compared and combined. What comes out is in order and without doubles again.

Sets grow to thousands of members, of which a transaction adds one: what is common at both ends
is skipped, and single members are put where they belong.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from vnet.ovs.ovsdb.atoms import Datum

_FEW = 8
"""Up to so many members are put into place one by one; more are sorted in."""


def added_and_removed(old: Datum, new: Datum) -> tuple[list[Any], list[Any]]:
    """The members that only the new one has, and those that only the old one had, in order."""
    old, new = _differing(old, new)
    if len(old) + len(new) <= _FEW:
        return [one for one in new if one not in old], [one for one in old if one not in new]
    olds, news = set(old), set(new)
    return [one for one in new if one not in olds], [one for one in old if one not in news]


def _differing(old: Datum, new: Datum) -> tuple[Datum, Datum]:
    """Both without what they have in common at their beginnings and their ends."""
    shorter = min(len(old), len(new))
    if shorter <= _FEW:
        return old, new
    low, high = 0, shorter
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    head, low, high = low, 0, shorter - low
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return old[head : len(old) - low], new[head : len(new) - low]


def union(datum: Datum, more: Datum, *, is_map: bool) -> Datum:
    """What either has. Where both have a key, the value of the first stays."""
    if len(more) > _FEW:
        known = {member[0] for member in datum} if is_map else set(datum)
        coming = [one for one in more if (one[0] if is_map else one) not in known]
        return tuple(sorted([*datum, *coming]))
    for member in more:
        place = bisect_left(datum, (member[0],) if is_map else member)
        if place < len(datum):
            there = datum[place]
            if (there[0] == member[0]) if is_map else (there == member):
                continue
        datum = (*datum[:place], member, *datum[place:])
    return datum


def without(datum: Datum, gone: Iterable[Any]) -> Datum:
    """What is left without some members."""
    going = set(gone)
    return tuple(member for member in datum if member not in going)


def without_keys(datum: Datum, keys: Iterable[Any]) -> Datum:
    """What is left of a map without some keys."""
    going = set(keys)
    return tuple(pair for pair in datum if pair[0] not in going)


def sort_key(datum: Datum, *, is_map: bool) -> tuple[Any, ...]:
    """What data of one type are ordered by: their sizes, their keys, then their values."""
    if is_map:
        return (len(datum), tuple(key for key, _ in datum), tuple(value for _, value in datum))
    return (len(datum), datum)
