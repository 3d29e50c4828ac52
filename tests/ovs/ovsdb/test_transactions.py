"""Transactions, compared reply by reply with the real ovsdb-server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ovs.ovsdb.kit import new_database, transact
from tests.ovs.ovsdb.real_server import IS_INSTALLED, RealServer, create, serving
from tests.ovs.ovsdb.transactions import (
    EVERYTHING,
    FILLED,
    SCHEMA,
    SEQUENCES,
    delete,
    insert,
    update,
    uuid,
    wait,
)
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.database import Database, Wait
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.ovsdb.view import LocalView

ANY_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
OWN_UUID = re.compile(r"(?!0{8})([0-9a-f]{8})-0000-4000-8000-0000\1")
needs_ovs = pytest.mark.skipif(not IS_INSTALLED, reason="needs ovsdb-server and ovsdb-tool")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    directory = tmp_path_factory.mktemp("ovsdb")
    with serving(directory, create(directory, SCHEMA), SCHEMA["name"]) as server:
        yield server


AS_KEPT = DatabaseSchema.from_json(SCHEMA).to_json()
"""The schema as it is written to files: the order of columns decides what is told first."""


def emptied(server: RealServer) -> None:
    clearing = [{"op": "delete", "table": table, "where": []} for table in SCHEMA["tables"]]
    results = server.transact(clearing)
    assert all("error" not in result for result in results), results


def masked(results: Any) -> Any:
    """Results without the UUIDs that are drawn at random: those here repeat their number."""
    text = json.dumps(results, sort_keys=True)
    return json.loads(
        ANY_UUID.sub(lambda found: found[0] if OWN_UUID.match(found[0]) else "random", text)
    )


@needs_ovs
@pytest.mark.ovs
@pytest.mark.parametrize("operations", SEQUENCES, ids=lambda operations: str(operations)[:100])
def test_replies_and_rows_are_those_of_ovsdb_server(
    real: RealServer, operations: list[Any]
) -> None:
    database = new_database(AS_KEPT)
    emptied(real)
    assert transact(database, FILLED) == real.transact(FILLED)
    assert masked(transact(database, operations)) == masked(real.transact(operations))
    assert transact(database, EVERYTHING) == real.transact(EVERYTHING)


@pytest.fixture
def filled() -> Database:
    database = new_database(SCHEMA)
    transact(database, FILLED)
    return database


def test_a_weak_reference_goes_with_its_row_whatever_else_changes(filled: Database) -> None:
    """The real server keeps it where the row that points changes in the same transaction."""
    transact(filled, [update("root", 1, leaves=["set", []], named=["map", []])])
    row = filled.tables["root"].rows[Uuid(uuid(1))]
    assert (row.columns["weak"], row.columns["named_weakly"]) == ((), ())
    assert not filled.tables["leaf"].rows


def test_listeners_hear_of_commits_that_change_something(filled: Database) -> None:
    heard: list[Commit] = []
    filled.on_commit(heard.append)
    transact(filled, [update("root", 1, number=1)])
    transact(filled, [update("root", 1, number=9), {"op": "abort"}])
    assert not heard
    transact(filled, [update("root", 1, number=9), delete("root", 3)])
    filled.forget(heard.append)
    transact(filled, [update("root", 1, number=10)])
    (commit,) = heard
    changes = commit.changes["root"]
    assert set(changes) == {uuid(1), uuid(3)}
    assert changes[Uuid(uuid(3))].new is None
    old, new = changes[Uuid(uuid(1))]
    assert old is not None
    assert new is not None
    assert (old.columns["number"], new.columns["number"]) == ((1,), (9,))
    assert old.version != new.version
    assert set(commit.changes) == {"root"}


def test_a_wait_that_is_not_true_changes_nothing_and_says_how_long_it_may_take(
    filled: Database,
) -> None:
    operations = [
        update("root", 1, number=9),
        wait("==", [{"name": "z"}], ["number", "==", 9], timeout=500),
    ]
    assert filled.execute(operations) == Wait(500)
    assert filled.tables["root"].rows[Uuid(uuid(1))].columns["number"] == (1,)
    assert filled.execute(operations, elapsed_ms=499) == Wait(500)
    late = filled.execute(operations, elapsed_ms=500)
    assert not isinstance(late, Wait)
    assert late[1] == {"error": "timed out", "details": '"wait" timed out after 500 ms'}


def test_who_may_only_read_is_refused_before_anything_changes(filled: Database) -> None:
    results = filled.execute([update("root", 1, number=9)], read_only=True)
    assert results == [
        {
            "error": "not allowed",
            "details": "update operation not allowed when database server is in read only mode",
        }
    ]
    assert filled.tables["root"].rows[Uuid(uuid(1))].columns["number"] == (1,)


def test_a_lock_is_asserted_of_who_holds_it(filled: Database) -> None:
    operations = [{"op": "assert", "lock": "l"}, update("root", 1, number=9)]
    refused = filled.execute(operations)
    assert refused == [{"error": "not owner", "details": "Asserted lock l not held."}, None]
    assert filled.execute(operations, holds_lock="l".__eq__) == [{}, {"count": 1}]


def test_only_the_server_writes_to_a_reserved_database() -> None:
    database = new_database({**SCHEMA, "name": "_Reserved"})
    operations = [insert("root", 1)]
    (refused,) = transact(database, operations)
    assert refused["details"] == (
        "insert operation not allowed on table in reserved database _Reserved"
    )
    assert database.execute(operations, by_server=True) == [{"uuid": ["uuid", uuid(1)]}]


def test_a_view_of_a_database_here_is_up_to_date_on_return(filled: Database) -> None:
    view = LocalView(filled)
    heard: list[object] = []
    view.on_commit(heard.append)
    view.transact([update("root", 1, number=9)], lambda results: heard.append(results))
    assert view.rows("root")[Uuid(uuid(1))].columns["number"] == (9,)
    assert isinstance(heard[0], Commit)
    assert heard[1] == [{"count": 1}]
    view.transact([wait("==", [], timeout=10), {"op": "abort"}], heard.append)
    assert heard[2] == [
        {"error": "timed out", "details": '"where" clause test failed'},
        None,
    ]
