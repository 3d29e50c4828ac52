"""Settings that stand in a database: ``db:DB,TABLE,COLUMN`` as a remote, or as a file's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vnet.live.ovsdb.remotes import RemoteOptions, RemoteStatus
from vnet.live.streams.reconnect import MAX_BACKOFF_MS
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import ColumnSchema
from vnet.ovs.ovsdb.table import Table

PREFIX = "db:"

Databases = Mapping[str, Database]


class DbTargetError(Exception):
    """A sentence about what a ``db:`` names and is not there."""


class DbColumn(NamedTuple):
    """The column that a ``db:`` names."""

    database: Database
    table: Table
    column: ColumnSchema

    @property
    def is_strings(self) -> bool:
        """Whether it holds strings."""
        kind = self.column.type
        return kind.key.kind == "string" and not kind.is_map

    @property
    def referenced(self) -> Table | None:
        """The table whose rows it points to, if any."""
        kind = self.column.type
        if kind.is_map or kind.key.ref_table is None:
            return None
        return self.database.tables[kind.key.ref_table]

    def strings(self) -> Iterator[str]:
        """All strings that the rows hold."""
        for row in self.table.rows.values():
            yield from row.datum(self.column.name)

    def referenced_rows(self) -> Iterator[Row]:
        """All rows that the rows point to."""
        table = self.referenced
        if table is None:
            return
        for row in self.table.rows.values():
            for uuid in row.datum(self.column.name):
                referenced = table.rows.get(uuid)
                if referenced is not None:
                    yield referenced


def find_column(text: str, databases: Databases) -> DbColumn:
    """The column that ``db:DB,TABLE,COLUMN`` names. Raises :class:`DbTargetError`."""
    names = [name for name in text.partition(":")[2].split(",") if name]
    if len(names) < 3:
        raise DbTargetError(f'"{text}": invalid syntax')
    database = databases.get(names[0])
    if database is None:
        raise DbTargetError(f'"{text}": no database named {names[0]}')
    table = database.tables.get(names[1])
    if table is None:
        raise DbTargetError(f'"{text}": no table named {names[1]}')
    column = table.schema.all_columns.get(names[2])
    if column is None:
        raise DbTargetError(f'"{text}": table "{names[1]}" has no column "{names[2]}"')
    return DbColumn(database, table, column)


def first_string(text: str, databases: Databases) -> str:
    """What ``db:...`` stands for where a string is wanted: the first there is, or none.

    Raises :class:`DbTargetError`. A text of another kind stands for itself.
    """
    if not text.startswith(PREFIX):
        return text
    found = find_column(text, databases)
    if not found.is_strings:
        raise DbTargetError(
            f'"{text}": table "{found.table.schema.name}" column "{found.column.name}" is '
            "not string or set of strings"
        )
    return next((string for string in found.strings() if string), "")


def remotes_in(text: str, databases: Databases) -> dict[str, RemoteOptions]:
    """The remotes that ``db:...`` stands for: strings, or rows like those of Manager.

    Raises :class:`DbTargetError`.
    """
    found = find_column(text, databases)
    if found.is_strings:
        return {target: RemoteOptions() for target in found.strings()}
    rows = [(_string(row, "target"), row) for row in found.referenced_rows()]
    return {target: _options(row) for target, row in rows if target}


def status_operations(
    text: str, databases: Databases, statuses: Mapping[str, RemoteStatus]
) -> tuple[Database, list[Json]] | None:
    """What to do to a database so that its rows tell how their remotes stand; None: nothing.

    ``statuses`` has all remotes in use.
    """
    found = find_column(text, databases)
    table = found.referenced
    if table is None:
        return None
    operations: list[Json] = []
    for row in found.referenced_rows():
        status = statuses.get(_string(row, "target"))
        if status is None:
            continue
        changes = _status_columns(table, row, status)
        if changes:
            where = [["_uuid", "==", ["uuid", row.uuid]]]
            operations.append(
                {"op": "update", "table": table.schema.name, "where": where, "row": changes}
            )
    return (found.database, operations) if operations else None


def _status_columns(table: Table, row: Row, status: RemoteStatus) -> dict[str, Json]:
    pairs = tuple(sorted(status.pairs.items()))
    wanted = {"is_connected": (status.is_connected,), "status": pairs}
    columns = table.schema.columns
    return {
        name: columns[name].type.to_json(datum)
        for name, datum in wanted.items()
        if name in columns and row.datum(name) != datum
    }


def _options(row: Row) -> RemoteOptions:
    probe_interval_ms = _integer(row, "inactivity_probe")
    max_backoff_ms = _integer(row, "max_backoff")
    return RemoteOptions(
        max_backoff_ms=MAX_BACKOFF_MS if max_backoff_ms is None else max_backoff_ms,
        probe_interval_ms=probe_interval_ms,
        is_read_only=row.columns.get("read_only") == (True,),
    )


def _string(row: Row, column: str) -> str:
    datum = row.columns.get(column) or ("",)
    return str(datum[0])


def _integer(row: Row, column: str) -> int | None:
    datum = row.columns.get(column)
    return int(datum[0]) if datum else None
