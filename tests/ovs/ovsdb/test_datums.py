"""Sets and maps: what is quick for large ones is what is right for small ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vnet.ovs.ovsdb.datums import added_and_removed, union

MEMBERS = st.sets(st.integers(0, 60)).map(lambda members: tuple(sorted(members)))
MAPS = st.dictionaries(st.integers(0, 60), st.integers(0, 3)).map(
    lambda pairs: tuple(sorted(pairs.items()))
)


@given(MEMBERS, MEMBERS)
def test_a_difference_of_sets(old: tuple[int, ...], new: tuple[int, ...]) -> None:
    came, went = added_and_removed(old, new)
    assert came == sorted(set(new) - set(old))
    assert went == sorted(set(old) - set(new))


@given(MEMBERS, MEMBERS)
def test_a_union_of_sets(datum: tuple[int, ...], more: tuple[int, ...]) -> None:
    assert union(datum, more, is_map=False) == tuple(sorted({*datum, *more}))


@given(MAPS, MAPS)
def test_in_a_union_of_maps_the_first_has_the_last_word(
    datum: tuple[tuple[int, int], ...], more: tuple[tuple[int, int], ...]
) -> None:
    expected = tuple(sorted((dict(more) | dict(datum)).items()))
    assert union(datum, more, is_map=True) == expected
