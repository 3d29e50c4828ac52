"""Commits as records of a database's file (ovsdb(7), "Database File Formats").

A record has, by table and row, null for a row that went and else the columns that changed. With
``_is_diff``, sets and maps of several members say only which members come, go or change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vnet.ovs.ovsdb.atoms import Datum, Uuid, is_uuid
from vnet.ovs.ovsdb.base_type import UNLIMITED
from vnet.ovs.ovsdb.commit import Change, Changes
from vnet.ovs.ovsdb.condition import unknown_column
from vnet.ovs.ovsdb.datums import added_and_removed
from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json, integer_of
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import TableSchema
from vnet.ovs.ovsdb.transaction import Transaction
from vnet.ovs.ovsdb.types import ColumnType

IS_DIFF = "_is_diff"
COMMENT = "_comment"
DATE = "_date"


def record_of(
    changes: Changes,
    schemas: Mapping[str, TableSchema],
    comments: list[str],
    *,
    is_diff: bool = True,
) -> dict[str, Json] | None:
    """The record of a commit; None where nothing that is kept in files has changed.

    It is one of differences, if that is wanted and they can be told from whole values.
    """
    is_diff = is_diff and all(
        _can_be_diff(schemas[name], change)
        for name, rows in changes.items()
        for change in rows.values()
    )
    tables = {}
    for name, rows in changes.items():
        members = {
            uuid: _row_to_json(schemas[name], change, is_diff) for uuid, change in rows.items()
        }
        kept = {uuid: json for uuid, json in members.items() if json != {} or not rows[uuid].old}
        if kept:
            tables[name] = kept
    if not tables:
        return None
    return tables | labels(comments, is_diff=is_diff)


def labels(comments: list[str], *, is_diff: bool) -> dict[str, Json]:
    """What a record says of itself, but for its date."""
    members: dict[str, Json] = {}
    if comments:
        members[COMMENT] = "\n".join(comments)
    if is_diff:
        members[IS_DIFF] = True
    return members


def _row_to_json(schema: TableSchema, change: Change, is_diff: bool) -> Json:
    old, new = change
    if new is None:
        return None
    json: dict[str, Json] = {}
    for column in schema.columns.values():
        datum = new.columns[column.name]
        before = column.type.default if old is None else old.columns[column.name]
        if datum is before or datum == before or not column.is_persistent:
            continue
        if is_diff and old is not None:
            datum = diff(before, datum, column.type)
        json[column.name] = column.type.to_json(datum)
    return json


def _can_be_diff(schema: TableSchema, change: Change) -> bool:
    """Whether a changed row's differences would be read as such.

    What is told of a column that holds its default is taken for all of it, and a difference may
    have no more members than the column itself.
    """
    old, new = change
    if old is None or new is None:
        return True
    for column in schema.composite_columns:
        before, after = old.columns[column.name], new.columns[column.name]
        if before is after or before == after:
            continue
        kind = column.type
        if kind.n_min and before == kind.default:
            return False
        if kind.n_max != UNLIMITED and len(diff(before, after, kind)) > kind.n_max:
            return False
    return True


def diff(old: Datum, new: Datum, kind: ColumnType) -> Datum:
    """What :func:`patched` makes the new datum of the old one with."""
    if kind.n_max == 1:
        return new
    if not kind.is_map:
        came, went = added_and_removed(old, new)
        return tuple(sorted(came + went))
    before, after = dict(old), dict(new)
    changed: dict[Any, Any] = {key: value for key, value in old if key not in after}
    changed |= {key: value for key, value in new if key not in before or before[key] != value}
    return tuple(sorted(changed.items()))


def patched(datum: Datum, change: Datum, kind: ColumnType) -> Datum:
    """A datum with a difference applied. Raises :class:`OvsdbError` where it does not fit."""
    if kind.n_max == 1:
        return change
    if kind.is_map:
        pairs = dict(datum)
        for key, value in change:
            if key in pairs and pairs[key] == value:
                del pairs[key]
            else:
                pairs[key] = value
        result: Datum = tuple(sorted(pairs.items()))
    else:
        result = tuple(sorted(set(datum) ^ set(change)))
    if not kind.n_min <= len(result) <= kind.n_max:
        raise OvsdbError("ovsdb error", "Datum crated by diff has size error")
    return result


def read_record(
    transaction: Transaction,
    schemas: Mapping[str, TableSchema],
    record: Json,
    *,
    is_converting: bool = False,
) -> None:
    """Draft what a record says. Raises :class:`OvsdbError`.

    While ``is_converting``, tables and columns that the schema does not know are left out.
    """
    if not isinstance(record, dict):
        raise syntax_error(record, "object expected")
    is_diff = record.get(IS_DIFF) is True
    for name, rows in record.items():
        schema = schemas.get(name)
        if schema is not None:
            _read_table(transaction, schema, rows, is_diff, is_converting)
        elif not is_converting and not _is_annotation(name, rows):
            raise syntax_error(record, f"No table named {name}.", error="unknown table")


def _is_annotation(name: str, json: Json) -> bool:
    if name == DATE:
        return integer_of(json) is not None
    return name == COMMENT or (name == IS_DIFF and isinstance(json, bool))


def _read_table(
    transaction: Transaction, schema: TableSchema, rows: Json, is_diff: bool, is_converting: bool
) -> None:
    if not isinstance(rows, dict):
        raise syntax_error(rows, "object expected")
    for text, json in rows.items():
        if not is_uuid(text):
            raise syntax_error(rows, f'"{text}" is not a valid UUID')
        uuid = Uuid(text.lower())
        row = transaction.row(schema.name, uuid)
        if json is not None:
            before = schema.defaults if row is None else row.columns
            columns = _read_row(schema, before, json, is_diff, is_converting)
            _draft(transaction, schema, uuid, row, columns)
        elif row is not None:
            transaction.delete(schema.name, row)
        else:
            raise OvsdbError("syntax error", f"transaction deletes row {uuid} that does not exist")


def _draft(
    transaction: Transaction,
    schema: TableSchema,
    uuid: Uuid,
    row: Row | None,
    columns: dict[str, Datum],
) -> None:
    if row is None:
        transaction.insert(schema.name, uuid, schema.defaults | columns)
    else:
        transaction.update(schema.name, row, columns)


def _read_row(
    schema: TableSchema,
    before: Mapping[str, Datum],
    json: Json,
    is_diff: bool,
    is_converting: bool,
) -> dict[str, Datum]:
    if not isinstance(json, dict):
        raise syntax_error(json, "row must be JSON object")
    columns = {}
    for name, value in json.items():
        column = schema.columns.get(name)
        if column is None:
            if is_converting:
                continue
            raise unknown_column(json, name, schema)
        kind = column.type
        if not is_diff or before[name] == kind.default:
            columns[name] = kind.parse(value)
        else:
            change = kind.of_size(0, UNLIMITED).parse(value)
            columns[name] = patched(before[name], change, kind)
    return columns
