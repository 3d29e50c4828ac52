"""Which table, column or row a user means (ovs-vsctl(8), "Database Commands")."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ovsdb.atoms import Uuid, is_uuid
from vnet.ovs.ovsdb.schema import ColumnSchema, DatabaseSchema, TableSchema
from vnet.ovs.vsctl.record import Record
from vnet.ovs.vsctl.transaction import Transaction

_LEAST_DIGITS = 4
"""As many digits of a UUID must be given."""

_EXACT = 1_000_000


class _Way(NamedTuple):
    """A row is found by the column ``name`` of ``table``, or is what ``points`` there points to."""

    table: str
    name: str = "name"
    points: str | None = None


_WAYS = {
    "Bridge": _Way("Bridge"),
    "Controller": _Way("Bridge", points="controller"),
    "Interface": _Way("Interface"),
    "Mirror": _Way("Mirror"),
    "Manager": _Way("Manager", "target"),
    "NetFlow": _Way("Bridge", points="netflow"),
    "Port": _Way("Port"),
    "QoS": _Way("Port", points="qos"),
    "sFlow": _Way("Bridge", points="sflow"),
    "Flow_Table": _Way("Flow_Table"),
    "IPFIX": _Way("Bridge", points="ipfix"),
    "AutoAttach": _Way("Bridge", points="auto_attach"),
    "Flow_Sample_Collector_Set": _Way("Flow_Sample_Collector_Set", "id"),
}


def _score(name: str, text: str) -> int:
    """How well a user's ``text`` names ``name``: the more the better, 0 not at all."""
    text = text.lower().replace("-", "_")
    known = name.lower().replace("-", "_")
    if known == text:
        return _EXACT
    return len(text) if known.startswith(text) else 0


def _best_matches(names: Collection[str], text: str) -> list[str]:
    if text in names:
        return [text]
    scores = {name: _score(name, text) for name in names}
    best = max(scores.values())
    return sorted(name for name, score in scores.items() if score and score == best)


def table_named(schema: DatabaseSchema, text: str) -> TableSchema:
    """The table that ``text``, perhaps abbreviated, names."""
    matches = _best_matches(schema.tables, text)
    if not matches:
        raise OvsTextError(f'unknown table "{text}"')
    if len(matches) > 1:
        raise OvsTextError(f'"{text}" matches multiple table names: {", ".join(matches)}')
    return schema.tables[matches[0]]


def column_named(table: TableSchema, text: str) -> ColumnSchema:
    """The column of ``table`` that ``text``, perhaps abbreviated, names."""
    matches = _best_matches(table.columns, text)
    if not matches:
        raise OvsTextError(f'{table.name} does not contain a column whose name matches "{text}"')
    if len(matches) > 1:
        raise OvsTextError(
            f'{table.name} contains more than one column whose name matches "{text}": '
            f"{', '.join(matches)}"
        )
    return table.columns[matches[0]]


def record_named(transaction: Transaction, table: TableSchema, text: str) -> Record:
    """The row of ``table`` that ``text`` names, which must exist."""
    record = find_record(transaction, table, text)
    if record is None:
        raise OvsTextError(f'no row "{text}" in table {table.name}')
    return record


def find_record(transaction: Transaction, table: TableSchema, text: str) -> Record | None:
    """The row of ``table`` that ``text`` names: by UUID, as the only one, by its name or that of
    who points to it, or by the first digits of its UUID."""
    if is_uuid(text):
        record = transaction.record(table.name, Uuid.parse(text))
        if record is not None:
            return record
    if text == ".":
        records = transaction.records(table.name)
        if len(records) == 1:
            return records[0]
    if table.name in _WAYS:
        record = _by_name(transaction, table, _WAYS[table.name], text)
        if record is not None:
            return record
    return _by_digits(transaction, table, text)


def _by_name(transaction: Transaction, table: TableSchema, way: _Way, text: str) -> Record | None:
    column = transaction.schema.tables[way.table].columns[way.name]
    wanted: Any = text
    if column.type.key.kind == "integer":
        if not re.fullmatch("[0-9]+", text):
            return None
        wanted = int(text)
    found = [] if column.is_mutable else transaction.named(way.table, text)
    if not found:
        rows = transaction.records(way.table)
        found = [record for record in rows if _is_named(record.only(way.name), wanted)]
    if len(found) > 1:
        raise OvsTextError(f'multiple rows in {way.table} match "{text}"')
    if not found or way.points is None:
        return found[0] if found else None
    found[0].verify(way.points)
    pointed = found[0][way.points]
    return transaction.record(table.name, pointed[0]) if len(pointed) == 1 else None


def _is_named(name: Any, wanted: Any) -> bool:
    """Whether a name is the wanted one; the first digits will do for a name that is a UUID."""
    if name == wanted:
        return True
    is_long = isinstance(wanted, str) and len(wanted) >= _LEAST_DIGITS
    return is_long and isinstance(name, str) and is_uuid(name) and name.startswith(wanted)


def _by_digits(transaction: Transaction, table: TableSchema, text: str) -> Record | None:
    digits = text.lower()
    if not _is_start_of_uuid(digits):
        return None
    found = [r for r in transaction.records(table.name) if r.uuid.startswith(digits)]
    if len(found) > 1:
        raise OvsTextError(
            f"{table.name} contains 2 or more rows whose UUIDs begin with {text}: "
            f"at least {found[0].uuid} and {found[1].uuid}"
        )
    return found[0] if found else None


def _is_start_of_uuid(text: str) -> bool:
    if len(text) < _LEAST_DIGITS:
        return False
    return all(
        char == "-" if at in (8, 13, 18, 23) else char in "0123456789abcdef"
        for at, char in enumerate(text)
    )
