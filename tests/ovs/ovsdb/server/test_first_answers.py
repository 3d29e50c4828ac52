"""What a client is told first, of which most was made for others who asked for the same."""

from __future__ import annotations

import itertools

import pytest

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.server.monitor import Monitor
from vnet.ovs.ovsdb.server.row_update import TableView, Version
from vnet.ovs.ovsdb.server.served import Served
from vnet.ovs.ovsdb.server.shape import Filters, read_shape
from vnet.ovs.ovsdb.shipped import open_vswitch_schema

N_BRIDGES = 20


@pytest.fixture
def database() -> Database:
    numbers = itertools.count(1)
    database = Database(
        open_vswitch_schema(), new_uuid=lambda: Uuid.from_bytes(next(numbers).to_bytes(16))
    )
    names = [f"b{number}" for number in range(N_BRIDGES)]
    database.execute([*(insert(name) for name in names), root(names)])
    return database


def insert(name: str) -> Json:
    return {"op": "insert", "table": "Bridge", "row": {"name": name}, "uuid-name": name}


def root(names: list[str]) -> Json:
    bridges = ["set", [["named-uuid", name] for name in names]]
    return {"op": "insert", "table": "Open_vSwitch", "row": {"bridges": bridges}}


def named(name: str) -> list[Json]:
    return [["name", "==", name]]


def first_answer(served: Served, requests: dict[str, Json], version: Version = Version.V3) -> str:
    """What a client gets that asks, and goes."""
    filters: Filters = {}
    shape = read_shape(served.database.schema, requests, filters)
    monitor = Monitor("m", version, served.watch(shape), served.history, filters)
    text = monitor.begin()
    monitor.end()
    served.tidy()
    return text


def test_only_rows_that_have_changed_are_written_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Served(database, "standalone")
    requests: dict[str, Json] = {"Bridge": [{"columns": ["name", "external_ids"]}]}
    first_answer(served, requests)
    told = []
    tell = TableView.row_update2

    def counting(self: TableView, *arguments: object, **options: object) -> Json:
        told.append(self.name)
        return tell(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(TableView, "row_update2", counting)
    row = {"external_ids": ["map", [["a", "b"]]]}
    database.execute([{"op": "update", "table": "Bridge", "where": named("b3"), "row": row}])
    assert '"a","b"' in first_answer(served, requests)
    assert told == ["Bridge"]


def test_it_is_what_a_server_says_that_nobody_has_asked_before(database: Database) -> None:
    served = Served(database, "standalone")
    columns: list[Json] = ["name", "ports", "other_config"]
    all_rows: dict[str, Json] = {"Bridge": [{"columns": columns}], "Port": [{}]}
    some_rows: dict[str, Json] = {"Bridge": [{"columns": columns, "where": named("b5")}]}
    others: list[dict[str, Json]] = [{"Bridge": [{"columns": [name]}]} for name in columns]
    changes: list[Json] = [
        {"op": "update", "table": "Bridge", "where": named("b5"), "row": {"name": 'b"5'}},
        {"op": "update", "table": "Open_vSwitch", "where": [], "row": {"bridges": ["set", []]}},
    ]
    for change in [None, *changes]:
        if change is not None:
            database.execute([change])
        for requests in [all_rows, some_rows, *others]:
            for version in Version:
                fresh = Served(database, "standalone")
                expected = first_answer(fresh, requests, version)
                assert first_answer(served, requests, version) == expected
    assert first_answer(served, all_rows, Version.V2) == "{}"
