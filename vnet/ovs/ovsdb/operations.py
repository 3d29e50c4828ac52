"""The operations of a transaction (RFC 7047 section 5.2), one function each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from vnet.ovs.ovsdb.atoms import Datum, Uuid, is_uuid
from vnet.ovs.ovsdb.condition import Condition, unknown_column
from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json, integer_of
from vnet.ovs.ovsdb.mutation import Mutation
from vnet.ovs.ovsdb.name_order import in_hash_order
from vnet.ovs.ovsdb.object_parser import (
    ObjectParser,
    is_array,
    is_boolean,
    is_id,
    is_integer,
    is_object,
    is_string,
)
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import TableSchema
from vnet.ovs.ovsdb.symbols import Symbols
from vnet.ovs.ovsdb.transaction import Transaction

Result = dict[str, Json]


class UnmetWaitError(Exception):
    """A "wait" is not true yet, and may still become so."""


class Execution:
    """What the operations of one transaction share.

    ``timeout_ms`` is the shortest time that one of its "wait" operations gives, if any does.
    """

    def __init__(
        self,
        tables: Mapping[str, TableSchema],
        transaction: Transaction,
        *,
        elapsed_ms: int,
        holds_lock: Callable[[str], bool],
    ) -> None:
        self.tables = tables
        self.transaction = transaction
        self.symbols = Symbols(transaction.new_uuid)
        self.elapsed_ms = elapsed_ms
        self.holds_lock = holds_lock
        self.timeout_ms: int | None = None


def _table(execution: Execution, parser: ObjectParser) -> TableSchema | None:
    """The table of an operation. Where there is none, the parser knows."""
    name = parser.member("table", is_id)
    table = None if name is None else execution.tables.get(name)
    if name is not None and table is None:
        parser.fail(f"No table named {name}.")
    return table


def _checked(parser: ObjectParser, table: TableSchema | None) -> TableSchema:
    """The table, once all members are read. Raises the first fault of the parser."""
    parser.check()
    assert table is not None
    return table


def row_from_json(
    table: TableSchema, json: Json, symbols: Symbols | None = None
) -> dict[str, Datum]:
    """The columns of a <row>. Raises :class:`OvsdbError` for the fault that ovsdb would tell."""
    if not isinstance(json, dict):
        raise syntax_error(json, "row must be JSON object")
    columns = table.all_columns
    try:
        return {name: columns[name].type.parse(value, symbols) for name, value in json.items()}
    except (KeyError, OvsdbError):
        for name in in_hash_order(json):
            if name not in columns:
                raise unknown_column(json, name, table) from None
            columns[name].type.parse(json[name], symbols)
        raise


def _insert(execution: Execution, parser: ObjectParser) -> Result:
    named = _table(execution, parser)
    uuid_text = parser.member("uuid", is_string, optional=True)
    name = parser.member("uuid-name", is_id, optional=True)
    row = parser.member("row", is_object)
    table = _checked(parser, named)
    uuid = None if uuid_text is None else _explicit_uuid(execution, table, uuid_text)
    if name is not None:
        if execution.symbols.is_inserted(name):
            raise syntax_error(
                name,
                'This "uuid-name" appeared on an earlier "insert" operation.',
                error="duplicate uuid-name",
            )
        uuid = execution.symbols.insert(name, uuid)
    elif uuid is None:
        uuid = execution.transaction.new_uuid()
    columns = table.defaults | row_from_json(table, row, execution.symbols)
    columns.pop("_uuid", None)
    columns.pop("_version", None)
    for column in table.strict_columns:
        if column.name not in row:
            column.type.check(columns[column.name])
    execution.transaction.insert(table.name, uuid, columns)
    return {"uuid": ["uuid", uuid]}


def _explicit_uuid(execution: Execution, table: TableSchema, text: str) -> Uuid:
    if not is_uuid(text):
        raise syntax_error(text, "bad uuid")
    uuid = Uuid(text.lower())
    if not execution.transaction.may_insert(table.name, uuid):
        raise syntax_error(
            text,
            "This UUID would duplicate a UUID already present within the table or deleted "
            "within the same transaction.",
            error="duplicate uuid",
        )
    return uuid


def _select(execution: Execution, parser: ObjectParser) -> Result:
    named = _table(execution, parser)
    where = parser.member("where", is_array)
    columns_json = parser.member("columns", is_array, optional=True)
    sort_json = parser.member("sort", is_array, optional=True)
    table = _checked(parser, named)
    condition = Condition.from_json(table, where, execution.symbols)
    columns = _columns(table, columns_json)
    sort = _columns(table, sort_json)
    rows = execution.transaction.rows(table.name, condition)
    if "_uuid" not in columns:
        rows = list({_values(row, columns): row for row in reversed(rows)}.values())
    sort_columns = [table.all_columns[name] for name in sort]
    rows.sort(key=lambda row: row.order(sort_columns))
    types = {name: table.all_columns[name].type for name in columns}
    return {
        "rows": [
            {name: kind.to_json(row.datum(name)) for name, kind in types.items()} for row in rows
        ]
    }


def _columns(table: TableSchema, json: Json) -> tuple[str, ...]:
    """The columns that are named; all of them where none are asked for."""
    return tuple(table.all_columns) if json is None else table.column_names(json)


def _values(row: Row, columns: tuple[str, ...]) -> tuple[Datum, ...]:
    return tuple(row.datum(name) for name in columns)


def _update(execution: Execution, parser: ObjectParser) -> Result:
    named = _table(execution, parser)
    where = parser.member("where", is_array)
    row_json = parser.member("row", is_object)
    table = _checked(parser, named)
    columns = row_from_json(table, row_json, execution.symbols)
    for name in in_hash_order(columns):
        if not table.all_columns[name].is_mutable:
            raise syntax_error(
                parser.json,
                f"Cannot update immutable column {name} in table {table.name}.",
                error="constraint violation",
            )
    condition = Condition.from_json(table, where, execution.symbols)
    rows = execution.transaction.rows(table.name, condition)
    for row in rows:
        execution.transaction.update(table.name, row, columns)
    return {"count": len(rows)}


def _mutate(execution: Execution, parser: ObjectParser) -> Result:
    named = _table(execution, parser)
    where = parser.member("where", is_array)
    mutations_json = parser.member("mutations", is_array)
    table = _checked(parser, named)
    mutations = [Mutation.from_json(table, json, execution.symbols) for json in mutations_json]
    condition = Condition.from_json(table, where, execution.symbols)
    rows = execution.transaction.rows(table.name, condition)
    for row in rows:
        changed: dict[str, Datum] = {}
        for mutation in mutations:
            name = mutation.column.name
            changed[name] = mutation.apply(changed.get(name, row.columns[name]))
        execution.transaction.update(table.name, row, changed)
    return {"count": len(rows)}


def _delete(execution: Execution, parser: ObjectParser) -> Result:
    where = parser.member("where", is_array)
    table = _checked(parser, _table(execution, parser))
    condition = Condition.from_json(table, where, execution.symbols)
    rows = execution.transaction.rows(table.name, condition)
    for row in rows:
        execution.transaction.delete(table.name, row)
    return {"count": len(rows)}


def _wait(execution: Execution, parser: ObjectParser) -> Result:
    timeout_json = parser.member("timeout", is_integer, optional=True)
    where = parser.member("where", is_array)
    columns_json = parser.member("columns", is_array, optional=True)
    until = parser.member("until", is_string)
    rows_json = parser.member("rows", is_array)
    table = _checked(parser, _table(execution, parser))
    condition = Condition.from_json(table, where, execution.symbols)
    columns = _columns(table, columns_json)
    timeout_ms = _timeout(execution, timeout_json)
    if until not in ("==", "!="):
        raise syntax_error(until, '"until" must be "==" or "!="')
    defaults = {name: table.all_columns[name].type.default for name in columns}
    expected = set()
    for json in rows_json:
        row = defaults | row_from_json(table, json, execution.symbols)
        expected.add(tuple(row[name] for name in columns))
    rows = execution.transaction.rows(table.name, condition)
    is_equal = {_values(row, columns) for row in rows} == expected
    if is_equal != (until == "=="):
        raise _unmet(execution, timeout_ms)
    return {}


def _timeout(execution: Execution, json: Json) -> int | None:
    timeout_ms = integer_of(json)
    if timeout_ms is None:
        return None
    if timeout_ms < 0:
        raise syntax_error(json, "timeout must be nonnegative")
    if execution.timeout_ms is None or timeout_ms < execution.timeout_ms:
        execution.timeout_ms = timeout_ms
    return timeout_ms


def _unmet(execution: Execution, timeout_ms: int | None) -> Exception:
    if timeout_ms is None or execution.elapsed_ms < timeout_ms:
        return UnmetWaitError()
    if execution.elapsed_ms:
        return OvsdbError("timed out", f'"wait" timed out after {execution.elapsed_ms} ms')
    return OvsdbError("timed out", '"where" clause test failed')


def _commit(_execution: Execution, parser: ObjectParser) -> Result:
    """Every commit is durable, asked for or not."""
    parser.member("durable", is_boolean)
    return {}


def _abort(_execution: Execution, _parser: ObjectParser) -> Result:
    raise OvsdbError("aborted", "aborted by request")


def _comment(execution: Execution, parser: ObjectParser) -> Result:
    comment = parser.member("comment", is_string)
    if comment is not None:
        execution.transaction.comments.append(comment)
    return {}


def _assert(execution: Execution, parser: ObjectParser) -> Result:
    lock = parser.member("lock", is_id)
    if lock is not None and not execution.holds_lock(lock):
        raise OvsdbError("not owner", f"Asserted lock {lock} not held.")
    return {}


class Operation(NamedTuple):
    """What carries an operation out, and whether it leaves the database as it is."""

    run: Callable[[Execution, ObjectParser], Result]
    is_harmless: bool


OPERATIONS = {
    "insert": Operation(_insert, False),
    "select": Operation(_select, True),
    "update": Operation(_update, False),
    "mutate": Operation(_mutate, False),
    "delete": Operation(_delete, False),
    "wait": Operation(_wait, True),
    "commit": Operation(_commit, False),
    "abort": Operation(_abort, True),
    "comment": Operation(_comment, True),
    "assert": Operation(_assert, True),
}
