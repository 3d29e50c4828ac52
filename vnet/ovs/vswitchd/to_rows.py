"""From wanted configuration to rows of a database: the other way round than
:mod:`~vnet.ovs.vswitchd.from_rows`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vnet.ovs.ovsdb.atoms import Datum
from vnet.ovs.ovsdb.base_type import BaseType
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.schema import ColumnSchema, DatabaseSchema
from vnet.ovs.vswitchd.config import TABLES
from vnet.ovs.vswitchd.row import Row, columns_of

_TABLE_NAMES = {row_type: table for table, row_type in TABLES.items()}


def members(schema: DatabaseSchema, row: Row) -> Iterator[tuple[ColumnSchema, Any]]:
    """The columns that a row sets, with the members that stand for them."""
    columns = schema.tables[_TABLE_NAMES[type(row)]].columns
    for name in columns_of(type(row)):
        if name in columns and not _is_unset(columns[name], getattr(row, name)):
            yield columns[name], getattr(row, name)


def _is_unset(column: ColumnSchema, value: Any) -> bool:
    return _datum(column, value) == column.type.default


def _datum(column: ColumnSchema, value: Any) -> Datum:
    """What a column holds for a member without references."""
    if isinstance(value, Mapping):
        return tuple(sorted(value.items())) if not _reference(column) else tuple(value.items())
    if isinstance(value, tuple):
        return tuple(sorted(value)) if not _reference(column) else value
    return () if value is None else (value,)


def _reference(column: ColumnSchema) -> BaseType | None:
    """The part of a column that refers to rows, if one does."""
    known = column.type
    referring = known.key if known.value is None else known.value
    return None if referring.ref_table is None else referring


class Insertions:
    """The operations that insert rows, with all that hangs on them, in order.

    Rows that are referred to weakly are called by name; those that are not among them, or were
    there before (``known``, by table and name), are left out.
    """

    def __init__(self, schema: DatabaseSchema) -> None:
        self.operations: list[Json] = []
        self._schema = schema
        self._known: dict[tuple[str, str], Json] = {}

    def insert(self, row: Row) -> Json:
        """Insert a row; what refers to it then."""
        table = _TABLE_NAMES[type(row)]
        columns = {
            column.name: self._json(column, value) for column, value in members(self._schema, row)
        }
        symbol = f"row{len(self.operations)}"
        operation = {"op": "insert", "table": table, "uuid-name": symbol, "row": columns}
        self.operations.append(operation)
        reference = ["named-uuid", symbol]
        if "name" in columns:
            self._known[table, columns["name"]] = reference
        return reference

    def _json(self, column: ColumnSchema, value: Any) -> Json:
        reference = _reference(column)
        if reference is None:
            return column.type.to_json(_datum(column, value))
        if isinstance(value, Mapping):
            return ["map", [[key, self.insert(row)] for key, row in value.items()]]
        rows = value if isinstance(value, tuple) else (value,)
        if reference.is_weak:
            found = (self._known.get((str(reference.ref_table), name)) for name in rows)
            return ["set", [row for row in found if row is not None]]
        return ["set", [self.insert(row) for row in rows]]
