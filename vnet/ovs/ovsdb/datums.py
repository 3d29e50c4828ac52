"""Sets and maps, compared and combined. What comes out is in order and without doubles again."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from typing import Any

from vnet.ovs.ovsdb.atoms import Datum

_FEW = 8
"""Up to so many members are put into place one by one; more are sorted in."""


def added_and_removed(old: Datum, new: Datum) -> tuple[list[Any], list[Any]]:
    """The members that only the new one has, and those that only the old one had, in order."""
    if len(old) + len(new) <= _FEW:
        return [one for one in new if one not in old], [one for one in old if one not in new]
    olds, news = set(old), set(new)
    return [one for one in new if one not in olds], [one for one in old if one not in news]


def union(datum: Datum, more: Datum, *, is_map: bool) -> Datum:
    """What either has. Where both have a key, the value of the first stays."""
    if is_map:
        known = dict(datum)
        coming = [pair for pair in more if pair[0] not in known]
    elif len(more) == 1:
        coming = [] if contains(datum, more[0]) else [more[0]]
    else:
        atoms = set(datum)
        coming = [atom for atom in more if atom not in atoms]
    if not coming:
        return datum
    members = [*datum]
    if len(coming) <= _FEW:
        for member in coming:
            insort(members, member)
    else:
        members += coming
        members.sort()
    return tuple(members)


def without(datum: Datum, gone: Iterable[Any]) -> Datum:
    """What is left without some members."""
    going = set(gone)
    return tuple(member for member in datum if member not in going)


def without_keys(datum: Datum, keys: Iterable[Any]) -> Datum:
    """What is left of a map without some keys."""
    going = set(keys)
    return tuple(pair for pair in datum if pair[0] not in going)


def contains(datum: Datum, member: Any) -> bool:
    """Whether a datum has an atom, or a pair."""
    return member in datum


def sort_key(datum: Datum, *, is_map: bool) -> tuple[Any, ...]:
    """What data of one type are ordered by: their sizes, their keys, then their values."""
    if is_map:
        return (len(datum), tuple(key for key, _ in datum), tuple(value for _, value in datum))
    return (len(datum), datum)
