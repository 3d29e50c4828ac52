"""A database made equal to another server's, by what that one tells its monitors."""

from __future__ import annotations

from collections.abc import Callable, Collection

from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.file_record import IS_DIFF, read_record
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.transaction import Transaction

_NOT_COPIED = ("_uuid", "_version")

_RowReader = Callable[[Json], Json]
"""What a file's record would say of a row."""


def clear(database: Database, *, but: Collection[str] = ()) -> None:
    """Delete all rows, except those of some tables. Raises :class:`OvsdbError`."""
    transaction = Transaction(database.tables, database.new_uuid)
    for name, table in database.tables.items():
        if name not in but:
            for row in tuple(table.rows.values()):
                transaction.delete(name, row)
    database.commit(transaction)


def apply_updates(database: Database, updates: Json) -> None:
    """Do what <table-updates> (of "update") say. Raises :class:`OvsdbError`."""
    _apply(database, _record(updates, _row_of_update))


def apply_updates2(database: Database, updates: Json) -> None:
    """Do what <table-updates2> (of "update2" and "update3") say. Raises :class:`OvsdbError`."""
    _apply(database, _record(updates, _row_of_update2) | {IS_DIFF: True})


def _apply(database: Database, record: dict[str, Json]) -> None:
    transaction = Transaction(database.tables, database.new_uuid)
    read_record(transaction, database.schema.tables, record)
    database.commit(transaction)


def _record(updates: Json, read_row: _RowReader) -> dict[str, Json]:
    if type(updates) is not dict:
        raise OvsdbError("Not a JSON object", "<table-updates> is not object")
    record: dict[str, Json] = {}
    for table, rows in updates.items():
        if type(rows) is not dict:
            raise OvsdbError("Not a JSON object", "<table-update> for table is not object")
        record[table] = {uuid: read_row(update) for uuid, update in rows.items()}
    return record


def _row_of_update(update: Json) -> Json:
    old, new = _members(update, "old", "new")
    if new is None:
        return None
    changed = new if old is None else old
    return {name: new[name] for name in changed if name in new and name not in _NOT_COPIED}


def _row_of_update2(update: Json) -> Json:
    for columns in _members(update, "initial", "insert", "modify"):
        if columns is not None:
            return {name: columns[name] for name in columns if name not in _NOT_COPIED}
    return None


def _members(update: Json, *names: str) -> list[dict[str, Json] | None]:
    if type(update) is not dict:
        raise OvsdbError("Not a JSON object", "<row-update> is not object")
    members = [update.get(name) for name in names]
    if any(member is not None and type(member) is not dict for member in members):
        raise OvsdbError("Not a JSON object", "<row> is not object")
    return members
