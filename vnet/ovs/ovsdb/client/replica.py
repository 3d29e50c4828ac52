"""A copy of somebody else's database, kept up to date by what a monitor tells.

There are two notations: <table-updates> of RFC 7047 section 4.1.6 with whole rows, and
<table-updates2> of ovsdb-server(7) section 4.1.14 with differences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from vnet.ovs.ovsdb.atoms import ZERO_UUID, Datum, Uuid
from vnet.ovs.ovsdb.commit import Change, Commit
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.file_record import patched
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import DatabaseSchema, TableSchema

Rows = dict[Uuid, Row]
_Changes = dict[Uuid, Change]
_NewRow = Callable[[TableSchema, Uuid, Row | None, Json], Row | None]
"""What becomes of a row by an update; None: it is gone. Raises :class:`OvsdbError`."""


class Replica:
    """The rows of a database, by table. Updates that make no sense raise :class:`OvsdbError`:
    then nothing has changed, and the copy is of no use any more."""

    def __init__(self, schema: DatabaseSchema) -> None:
        self.schema = schema
        self.tables: dict[str, Rows] = {name: {} for name in schema.tables}

    def apply(self, updates: Json, *, whole_rows: bool, txn_id: Uuid = ZERO_UUID) -> Commit:
        """Take in what a monitor told."""
        read = _whole_row if whole_rows else _changed_row
        changes = {
            name: self._changes(self._table(name), table_updates, read)
            for name, table_updates in _members(updates, "table-updates")
        }
        return self._take_in(changes, txn_id)

    def replace(self, updates: Json, *, whole_rows: bool, txn_id: Uuid = ZERO_UUID) -> Commit:
        """Take in a first reply, which has all rows there are: what differs has changed."""
        fresh = Replica(self.schema)
        fresh.apply(updates, whole_rows=whole_rows)
        changes = {name: _differences(old, fresh.tables[name]) for name, old in self.tables.items()}
        return self._take_in(changes, txn_id)

    def convert(self, schema: DatabaseSchema) -> None:
        """The database has another schema now: keep what there is room for in that."""
        self.tables = {
            name: {
                uuid: Row(uuid, ZERO_UUID, _fitted(table, row))
                for uuid, row in self.tables.get(name, {}).items()
            }
            for name, table in schema.tables.items()
        }
        self.schema = schema

    def _take_in(self, changes: Mapping[str, _Changes], txn_id: Uuid) -> Commit:
        for name, table_changes in changes.items():
            rows = self.tables[name]
            for uuid, change in table_changes.items():
                if change.new is None:
                    del rows[uuid]
                else:
                    rows[uuid] = change.new
        return Commit(txn_id, {name: table for name, table in changes.items() if table})

    def _table(self, name: str) -> TableSchema:
        if name not in self.schema.tables:
            _complain(f"No table named {name}")
        return self.schema.tables[name]

    def _changes(self, table: TableSchema, updates: Json, read: _NewRow) -> _Changes:
        rows, changes = self.tables[table.name], {}
        for text, update in _members(updates, f"table-update for table {table.name}"):
            uuid = Uuid.parse(text)
            old = rows.get(uuid)
            new = read(table, uuid, old, update)
            if old is not None or new is not None:
                changes[uuid] = Change(old, new)
        return changes


def _differences(old: Rows, new: Rows) -> _Changes:
    changes: _Changes = {uuid: Change(row, None) for uuid, row in old.items() if uuid not in new}
    for uuid, row in new.items():
        was = old.get(uuid)
        if was is None or was.columns != row.columns:
            changes[uuid] = Change(was, row)
    return changes


def _whole_row(table: TableSchema, uuid: Uuid, _old: Row | None, update: Json) -> Row | None:
    """A <row-update> of RFC 7047: ``new`` has every column, and is missing where a row has gone."""
    members = dict(_members(update, "row-update"))
    new = members.get("new")
    if new is None:
        if "old" not in members:
            _complain("row-update has neither old nor new")
        return None
    return Row(uuid, ZERO_UUID, dict(table.defaults) | _columns(table, new))


def _changed_row(table: TableSchema, uuid: Uuid, old: Row | None, update: Json) -> Row | None:
    """A <row-update2>, whose one member says what it is. Columns with defaults are left out."""
    members = _members(update, "row-update2")
    if len(members) != 1:
        _complain("row-update2 does not have exactly one member")
    what, value = members[0]
    if what == "delete":
        return None
    if what in ("initial", "insert"):
        return Row(uuid, ZERO_UUID, dict(table.defaults) | _columns(table, value))
    if what != "modify" or old is None:
        _complain(f"row {uuid} of table {table.name} cannot be updated by {what}")
    changed = {
        name: patched(old.columns[name], datum, table.columns[name].type)
        for name, datum in _columns(table, value).items()
    }
    return Row(uuid, ZERO_UUID, old.columns | changed)


def _columns(table: TableSchema, json: Json) -> dict[str, Datum]:
    """Columns of a <row>; those that the schema lacks are passed over."""
    return {
        name: table.columns[name].type.parse(value)
        for name, value in _members(json, "row")
        if name in table.columns
    }


def _fitted(table: TableSchema, row: Row) -> dict[str, Datum]:
    return {name: row.columns.get(name, default) for name, default in table.defaults.items()}


def _members(json: Json, what: str) -> list[tuple[str, Json]]:
    if not isinstance(json, dict):
        _complain(f"<{what}> is not an object")
    return list(json.items())


def _complain(details: str) -> NoReturn:
    raise OvsdbError("syntax error", details)
