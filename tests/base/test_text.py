"""What may be shown of a stranger's text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vnet.base.text import did_you_mean, escaped, one_of, printable, quote


@given(st.text())
def test_nothing_a_terminal_obeys_gets_through(text: str) -> None:
    assert escaped(text).isprintable()
    assert quote(text).isprintable()
    assert printable(text).replace("\n", "").replace("\t", "").isprintable()


def test_lines_and_tabs_stay_where_they_are_meant() -> None:
    assert printable("a\tb\n\x1b[2J") == "a\tb\n\\x1b[2J"
    assert escaped("a\nb") == "a\\nb"


def test_long_text_is_cut_and_long_lists_are_counted() -> None:
    assert len(quote("x" * 1000)) == 82
    assert one_of([f"n{i}" for i in range(12)], limit=2) == "n0, n1, and 10 more"


def test_a_near_miss_is_suggested_and_a_far_one_gets_the_list() -> None:
    assert did_you_mean("brigde", ["bridge", "route"], "there are") == "did you mean 'bridge'?"
    assert did_you_mean("zzz", ["bridge", "route"], "there are") == "there are: bridge, route"
    assert did_you_mean("zzz", [], "there are") == ""
