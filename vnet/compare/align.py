"""Which element of one sequence is which of another, in order, for sequences of any length.

The idea is patience diff's: what occurs once in both is an anchor, the longest run of anchors
that is in order holds, and the gaps between are looked at in the same way. Where a gap has no
such element, a small one is compared cell by cell, and in a large one the first of a kind is
taken for the first of the other's, the second for the second. No step is quadratic in the whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence

_MOST_CELLS = 40_000

Pairs = list[tuple[int, int]]
_Gap = tuple[int, int, int, int]


def align(first: Sequence[Hashable], second: Sequence[Hashable]) -> Pairs:
    """Positions of equal elements, ascending in both sequences."""
    pairs: Pairs = []
    gaps: list[_Gap] = [(0, len(first), 0, len(second))]
    while gaps:
        gap, ends = _trimmed(first, second, gaps.pop())
        pairs += ends
        anchors = _anchors(first, second, gap)
        pairs += anchors
        if anchors:
            gaps += _between(gap, anchors)
    return sorted(pairs)


def _trimmed(
    first: Sequence[Hashable], second: Sequence[Hashable], gap: _Gap
) -> tuple[_Gap, Pairs]:
    """A gap without what is the same at its begin and its end."""
    i, i_end, j, j_end = gap
    pairs = []
    while i < i_end and j < j_end and first[i] == second[j]:
        pairs.append((i, j))
        i, j = i + 1, j + 1
    while i < i_end and j < j_end and first[i_end - 1] == second[j_end - 1]:
        i_end, j_end = i_end - 1, j_end - 1
        pairs.append((i_end, j_end))
    return (i, i_end, j, j_end), pairs


def _anchors(first: Sequence[Hashable], second: Sequence[Hashable], gap: _Gap) -> Pairs:
    i, i_end, j, j_end = gap
    if i == i_end or j == j_end:
        return []
    here = Counter(first[i:i_end])
    there = Counter(second[j:j_end])
    places = {second[at]: at for at in range(j, j_end) if there[second[at]] == 1}
    once = [
        (at, places[first[at]])
        for at in range(i, i_end)
        if here[first[at]] == 1 and first[at] in places
    ]
    if once:
        return longest_ascent(once)
    if not here.keys() & there.keys():
        return []
    if (i_end - i) * (j_end - j) <= _MOST_CELLS:
        return _cell_by_cell(first, second, gap)
    return longest_ascent(_by_occurrence(first, second, gap))


def _by_occurrence(first: Sequence[Hashable], second: Sequence[Hashable], gap: _Gap) -> Pairs:
    """The n-th of a kind with the other's n-th."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for at in range(gap[3] - 1, gap[2] - 1, -1):
        places[second[at]].append(at)
    pairs = []
    for at in range(gap[0], gap[1]):
        left = places.get(first[at])
        if left:
            pairs.append((at, left.pop()))
    return pairs


def longest_ascent(pairs: Iterable[tuple[int, int]]) -> Pairs:
    """The longest run whose second positions ascend, of pairs whose first do.

    Piles of patience sorting: each card remembers the top of the pile to its left.
    """
    tops: list[int] = []
    cards: list[tuple[int, int]] = []
    left_of: list[int] = []
    top_cards: list[int] = []
    for pair in pairs:
        pile = bisect_left(tops, pair[1])
        left_of.append(top_cards[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(pair[1])
            top_cards.append(len(cards))
        else:
            tops[pile] = pair[1]
            top_cards[pile] = len(cards)
        cards.append(pair)
    run = []
    card = top_cards[-1] if top_cards else -1
    while card >= 0:
        run.append(cards[card])
        card = left_of[card]
    return run[::-1]


def _cell_by_cell(first: Sequence[Hashable], second: Sequence[Hashable], gap: _Gap) -> Pairs:
    """The longest common subsequence of a small gap."""
    i, i_end, j, j_end = gap
    width = j_end - j
    rows = [[0] * (width + 1)]
    for at in range(i_end - 1, i - 1, -1):
        below, row = rows[-1], [0] * (width + 1)
        for column in range(width - 1, -1, -1):
            if first[at] == second[j + column]:
                row[column] = below[column + 1] + 1
            else:
                row[column] = max(below[column], row[column + 1])
        rows.append(row)
    rows.reverse()
    pairs = []
    at, column = 0, 0
    while at < i_end - i and column < width:
        if first[i + at] == second[j + column]:
            pairs.append((i + at, j + column))
            at, column = at + 1, column + 1
        elif rows[at + 1][column] >= rows[at][column + 1]:
            at += 1
        else:
            column += 1
    return pairs


def _between(gap: _Gap, anchors: Pairs) -> list[_Gap]:
    gaps = []
    i, j = gap[0], gap[2]
    for at, place in [*anchors, (gap[1], gap[3])]:
        if at > i and place > j:
            gaps.append((i, at, j, place))
        i, j = at + 1, place + 1
    return gaps
