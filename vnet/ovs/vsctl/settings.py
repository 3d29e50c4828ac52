"""Settings and conditions: ``COLUMN[:KEY]=VALUE``, with the operators that may stand for ``=``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ovsdb.atoms import Datum
from vnet.ovs.ovsdb.base_type import UNLIMITED
from vnet.ovs.ovsdb.schema import ColumnSchema, TableSchema
from vnet.ovs.ovsdb.types import ColumnType
from vnet.ovs.vsctl.context import Context
from vnet.ovs.vsctl.names import column_named
from vnet.ovs.vsctl.record import Record
from vnet.ovs.vsctl.value_text import (
    any_number_of,
    datum_of,
    items_of,
    next_token,
    parse_atom,
    parse_value,
)


class Setting(NamedTuple):
    """A column, perhaps a key of it, and behind an operator a value, which are still text."""

    column: ColumnSchema
    key: str | None
    operator: str
    value: str


def parse_setting(table: TableSchema, text: str, operators: tuple[str, ...] = ("=",)) -> Setting:
    """Take a setting apart."""
    column, key, rest = _column_and_key(table, text)
    fitting = [op for op in operators if rest.startswith(op) and len(rest) > len(op)]
    if not fitting:
        raise OvsTextError(f"{text}: argument does not end in {_listed(operators)} by a value.")
    operator = max(fitting, key=len)
    return Setting(column, key, operator, rest[len(operator) :])


def _listed(operators: tuple[str, ...]) -> str:
    *most, last = [f'"{operator}"' for operator in operators]
    return f"{', '.join(most)}, or {last} followed" if most else f"{last} followed"


def parse_column(table: TableSchema, text: str) -> tuple[ColumnSchema, str | None]:
    """``COLUMN[:KEY]``."""
    column, key, rest = _column_and_key(table, text)
    if rest:
        raise OvsTextError(f'{text}: trailing garbage "{rest}" in argument')
    return column, key


def column_of(table: TableSchema, text: str) -> tuple[ColumnSchema, int]:
    """The column that a setting begins with, and where what follows begins."""
    name, at = next_token(text, 0)
    if not name:
        raise OvsTextError(f"{text}: missing column name")
    return column_named(table, name), at


def _column_and_key(table: TableSchema, text: str) -> tuple[ColumnSchema, str | None, str]:
    column, at = column_of(table, text)
    key = None
    if text.startswith(":", at):
        key, at = next_token(text, at + 1)
    return column, key, text[at:]


# -- settings


def set_column(context: Context, record: Record, text: str, *, adds: bool = False) -> None:
    """``COLUMN=VALUE``, or ``COLUMN:KEY=VALUE`` for one key of a map.

    With ``adds``, a key is set whatever else the map has by the end.
    """
    setting = parse_setting(record.table, text)
    column, known = setting.column, setting.column.type
    check_mutable(record, column)
    if setting.key is None:
        record.write(column.name, parse_value(known, setting.value, context.row_of))
        context.wrote(record, column.name)
        return
    if known.value is None:
        raise OvsTextError(f"cannot specify key to set for non-map column {column.name}")
    key = parse_atom(known.key, setting.key, context.row_of)
    value = parse_atom(known.value, setting.value, context.row_of)
    if adds:
        record.add(column.name, key, value)
    else:
        record.verify(column.name)
        record.write(column.name, datum_of(known, [*record[column.name], (key, value)]))


def check_mutable(record: Record, column: ColumnSchema) -> None:
    """Raise if a column can be set on new rows only."""
    if not record.is_mutable(column.name):
        raise OvsTextError(
            f"cannot modify read-only column {column.name} in table {record.table.name}"
        )


# -- conditions


def fulfils(context: Context, record: Record, text: str) -> bool:
    """Whether a row is as a condition says."""
    setting = parse_setting(record.table, text, tuple(_OPERATORS))
    known = setting.column.type
    have = record[setting.column.name]
    if setting.key is None:
        wanted = parse_value(known, setting.value, context.row_of)
        return _OPERATORS[setting.operator](have, wanted)
    if known.value is None:
        raise OvsTextError(f"cannot specify key to check for non-map column {setting.column.name}")
    key = parse_atom(known.key, setting.key, context.row_of)
    values = ColumnType(known.value, None, known.n_min, UNLIMITED)
    wanted = parse_value(values, setting.value, context.row_of)
    pairs = items_of(known, have)
    if key not in pairs and not setting.operator.startswith("{"):
        return False
    found = (pairs[key],) if key in pairs else ()
    return _OPERATORS[setting.operator](found, wanted)


def _compare(have: Datum, wanted: Datum) -> int:
    """Which datum comes first in the database's order: the keys decide, then their number, then
    the values."""
    if have == wanted:
        return 0
    is_map = any(isinstance(item, tuple) for item in (*have, *wanted))
    if not is_map:
        return _order(have, wanted)
    return _order([k for k, _ in have], [k for k, _ in wanted]) or _order(
        [v for _, v in have], [v for _, v in wanted]
    )


def _order(have: Any, wanted: Any) -> int:
    if len(have) != len(wanted):
        return -1 if len(have) < len(wanted) else 1
    return bool(have > wanted) - bool(have < wanted)


def _within(have: Datum, wanted: Datum) -> bool:
    return set(have) <= set(wanted)


_OPERATORS: dict[str, Callable[[Datum, Datum], bool]] = {
    "=": lambda have, wanted: have == wanted,
    "!=": lambda have, wanted: have != wanted,
    "<": lambda have, wanted: _compare(have, wanted) < 0,
    ">": lambda have, wanted: _compare(have, wanted) > 0,
    "<=": lambda have, wanted: _compare(have, wanted) <= 0,
    ">=": lambda have, wanted: _compare(have, wanted) >= 0,
    "{=}": lambda have, wanted: have == wanted,
    "{!=}": lambda have, wanted: have != wanted,
    "{<}": lambda have, wanted: len(have) < len(wanted) and _within(have, wanted),
    "{>}": lambda have, wanted: len(have) > len(wanted) and _within(wanted, have),
    "{<=}": lambda have, wanted: _within(have, wanted),
    "{>=}": lambda have, wanted: _within(wanted, have),
    "{in}": lambda have, wanted: _within(have, wanted),
    "{not-in}": lambda have, wanted: set(have).isdisjoint(wanted),
}


# -- what is added, and what is taken away


def added_to(known: ColumnType, datum: Datum, text: str, context: Context) -> Datum:
    """``datum`` with what a text adds; what there is stays as it is."""
    more = items_of(known, parse_value(any_number_of(known), text, context.row_of))
    return datum_of(known, (more | items_of(known, datum)).items())


def removed_from(known: ColumnType, datum: Datum, text: str, context: Context) -> Datum:
    """``datum`` without the atoms or pairs that a text gives, or the pairs of its keys."""
    items = items_of(known, datum)
    relaxed = any_number_of(known)
    try:
        taken = items_of(known, parse_value(relaxed, text, context.row_of))
    except OvsTextError:
        if not known.is_map:
            raise
        keys = parse_value(relaxed.of_keys, text, context.row_of)
        return datum_of(known, ((k, v) for k, v in items.items() if k not in keys))
    kept = ((k, v) for k, v in items.items() if k not in taken or v != taken[k])
    return datum_of(known, kept)
