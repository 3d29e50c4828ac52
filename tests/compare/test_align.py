"""Alignment: in order, of equal elements only, as many as there are, and never quadratic."""

from __future__ import annotations

import itertools
from difflib import SequenceMatcher

from hypothesis import given
from hypothesis import strategies as st

from vnet.compare.align import align

LETTERS = st.lists(st.integers(0, 5), max_size=30)


@given(LETTERS, LETTERS)
def test_pairs_are_equal_and_ascend(first: list[int], second: list[int]) -> None:
    pairs = align(first, second)
    assert all(first[i] == second[j] for i, j in pairs)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(pairs))


@given(LETTERS)
def test_a_sequence_is_itself(elements: list[int]) -> None:
    assert align(elements, elements) == [(at, at) for at in range(len(elements))]


@given(LETTERS, st.data())
def test_what_was_taken_out_is_all_that_is_missing(
    elements: list[int], data: st.DataObject
) -> None:
    unique = list(enumerate(elements))
    out = data.draw(st.sets(st.integers(0, max(len(unique) - 1, 0)), max_size=8))
    left = [one for at, one in enumerate(unique) if at not in out]
    assert len(align(unique, left)) == len(left)


def test_repeated_elements_are_found_around_unique_ones() -> None:
    first = "hhxhyhhzhh"
    second = "hxhyhzhhhq"
    lcs = sum(block.size for block in SequenceMatcher(None, first, second).get_matching_blocks())
    assert len(align(first, second)) >= lcs


def test_a_long_sequence_of_few_kinds_is_quick() -> None:
    """Cell by cell these would be ten thousand million comparisons."""
    first = [at % 7 for at in range(100_000)]
    second = [at % 7 for at in range(3, 100_003)]
    assert len(align(first, second)) > 99_000
