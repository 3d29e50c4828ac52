"""Whatever is asked, a database answers, and what is refused changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ovs.ovsdb.kit import new_database
from tests.ovs.ovsdb.transactions import EVERYTHING, FILLED, SCHEMA, ref
from vnet.ovs.ovsdb.database import Database, Wait

NAMES = sorted({name for table in SCHEMA["tables"].values() for name in table["columns"]})
WORDS = [
    *("set", "map", "uuid", "named-uuid", "==", "!=", "<", "includes", "excludes", "true", "+="),
    *("*=", "%=", "insert", "delete", "a", "b c", "", "_uuid", "_version", *NAMES),
]
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from((0, 1, -1, 5, 2**63 - 1, -(2**63), 2**70, 0.5, 1e308)),
    st.sampled_from(WORDS),
    st.just(ref(1)),
    st.just(ref(11)),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
        st.lists(inner, max_size=3).map(lambda members: ["set", members]),
        st.lists(st.lists(inner, min_size=2, max_size=2), max_size=3).map(
            lambda members: ["map", members]
        ),
    ),
    max_leaves=8,
)
CLAUSES = st.lists(st.one_of(VALUES, st.tuples(*[st.sampled_from(WORDS)] * 2, VALUES).map(list)))
ROWS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)
MEMBERS = {
    "table": st.sampled_from((*SCHEMA["tables"], "none")),
    "row": ROWS,
    "rows": st.lists(ROWS, max_size=2),
    "where": CLAUSES,
    "mutations": CLAUSES,
    "columns": st.lists(st.sampled_from(WORDS), max_size=3),
    "sort": st.lists(st.sampled_from(WORDS), max_size=3),
    "until": st.sampled_from(("==", "!=", "=")),
    "timeout": st.sampled_from((0, 5, -1, "x")),
    "uuid": st.sampled_from((ref(1)[1], ref(7)[1], "x")),
    "uuid-name": st.sampled_from(("a", "b", "-")),
    "comment": st.sampled_from(("c", 5)),
    "lock": st.sampled_from(("l", 5)),
    "durable": st.sampled_from((True, 5)),
}
NEEDED = {
    "insert": ("table", "row"),
    "select": ("table", "where"),
    "update": ("table", "where", "row"),
    "mutate": ("table", "where", "mutations"),
    "delete": ("table", "where"),
    "wait": ("table", "where", "columns", "until", "rows", "timeout"),
    "commit": ("durable",),
    "abort": (),
    "comment": ("comment",),
    "assert": ("lock",),
}


@st.composite
def operations(draw: st.DrawFn) -> Any:
    """An operation with all its members; now and then one of them is something else."""
    name = draw(st.sampled_from(sorted(NEEDED)))
    members = [*NEEDED[name], *draw(st.lists(st.sampled_from(sorted(MEMBERS)), max_size=1))]
    operation = {member: draw(MEMBERS[member]) for member in members}
    if members and draw(st.integers(0, 9)) == 0:
        operation[draw(st.sampled_from(members))] = draw(VALUES)
    return {"op": name, **operation}


def contents(database: Database) -> Any:
    return database.execute(EVERYTHING)


@pytest.mark.slow
@given(st.lists(st.one_of(operations(), operations(), VALUES), max_size=4))
def test_whatever_is_asked_is_answered(asked: list[Any]) -> None:
    database = new_database(SCHEMA)
    database.execute(FILLED)
    before = contents(database)
    results = database.execute(asked)
    if isinstance(results, Wait):
        assert contents(database) == before
        return
    assert len(results) >= len(asked)
    if any(result is not None and "error" in result for result in results):
        assert contents(database) == before
