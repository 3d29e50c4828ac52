"""Strong and weak references between rows (RFC 7047 section 3.2, <base-type>), before a commit.

Only rows that change, and those that they lead to, are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from vnet.ovs.ovsdb.atoms import ZERO_UUID, Datum, Uuid
from vnet.ovs.ovsdb.datums import added_and_removed
from vnet.ovs.ovsdb.errors import OvsdbError, constraint_violation
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import ColumnSchema
from vnet.ovs.ovsdb.transaction import Draft, TableDraft, Transaction
from vnet.ovs.ovsdb.types import ColumnType


class Target(NamedTuple):
    """Where a reference leads: a table, and the row in it."""

    table: str
    uuid: Uuid


def targets(kind: ColumnType, members: Iterable[Any], *, weak: bool) -> Iterator[Target]:
    """Where the references among members of a column lead; only the weak ones, or the strong."""
    key, value = kind.key, kind.value
    if value is None:
        assert key.ref_table is not None
        for uuid in members:
            yield Target(key.ref_table, uuid)
        return
    key_table = key.ref_table if key.is_weak == weak else None
    value_table = value.ref_table if value.is_weak == weak else None
    for pair in members:
        if key_table is not None:
            yield Target(key_table, pair[0])
        if value_table is not None:
            yield Target(value_table, pair[1])


def difference(draft: Draft, column: str) -> tuple[Iterable[Any], Iterable[Any]]:
    """The members that come into a column and those that go, as its row comes or goes."""
    if draft.old is None:
        return () if draft.new is None else draft.new.columns[column], ()
    if draft.new is None:
        return (), draft.old.columns[column]
    if column not in draft.touched:
        return (), ()
    return added_and_removed(draft.old.columns[column], draft.new.columns[column])


def count_references(transaction: Transaction) -> None:
    """Count the strong references anew, where they change.

    Raises :class:`OvsdbError` for one that leads nowhere, or to a row that is deleted.
    """
    for table in list(transaction.drafts.values()):
        for column in table.table.schema.strong_columns:
            for uuid, draft in table.rows.items():
                coming, going = difference(draft, column.name)
                if not coming and not going:
                    continue
                _count(transaction, uuid, targets(column.type, going, weak=False), -1)
                for target in targets(column.type, coming, weak=False):
                    _check_target(transaction, table, column, uuid, target)
                    _count(transaction, uuid, (target,), +1)
    for table in transaction.drafts.values():
        for uuid, draft in table.rows.items():
            if draft.new is None and (count := table.count_of(uuid)):
                raise OvsdbError(
                    "referential integrity violation",
                    f"cannot delete {table.table.schema.name} row {uuid} "
                    f"because of {count} remaining reference(s)",
                )


def _count(transaction: Transaction, uuid: Uuid, found: Iterable[Target], change: int) -> None:
    """A row that points to itself does not keep itself alive."""
    for target in found:
        if target.uuid != uuid:
            draft = transaction.draft(target.table)
            draft.counts[target.uuid] = draft.count_of(target.uuid) + change


def _check_target(
    transaction: Transaction, table: TableDraft, column: ColumnSchema, uuid: Uuid, target: Target
) -> None:
    if target.uuid == uuid or not transaction.may_insert(target.table, target.uuid):
        return
    raise OvsdbError(
        "referential integrity violation",
        f"Table {table.table.schema.name} column {column.name} row {uuid} "
        f"references nonexistent row {target.uuid} in table {target.table}.",
    )


def collect_garbage(transaction: Transaction) -> None:
    """Delete the rows that nobody points to strongly, but for those of root tables."""
    unused = [
        Target(name, uuid)
        for name, table in transaction.drafts.items()
        if not table.table.schema.is_root
        for uuid in dict.fromkeys((*table.rows, *table.counts))
        if not table.count_of(uuid)
    ]
    while unused:
        target = unused.pop()
        row = transaction.row(target.table, target.uuid)
        if row is None:
            continue
        transaction.delete(target.table, row)
        unused += _released_by(transaction, target.table, row)


def _released_by(transaction: Transaction, table: str, row: Row) -> list[Target]:
    """Rows of non-root tables that only this one pointed to."""
    released = []
    for column in transaction.draft(table).table.schema.strong_columns:
        for target in targets(column.type, row.columns[column.name], weak=False):
            _count(transaction, row.uuid, (target,), -1)
            draft = transaction.draft(target.table)
            if not draft.count_of(target.uuid) and not draft.table.schema.is_root:
                released.append(target)
    return released


def drop_weak_references(transaction: Transaction) -> bool:
    """Take weak references to rows that are not there out of their columns; whether any were.

    Raises :class:`OvsdbError` where a column may not become that empty.
    """
    lost: dict[Target, dict[str, set[Target]]] = {}
    """Rows with the columns that point to what is not there."""
    for name, table in transaction.drafts.items():
        for uuid, draft in table.rows.items():
            if draft.new is None:
                for source in table.table.weak_sources.get(uuid, ()):
                    columns = lost.setdefault(Target(source.table, source.uuid), {})
                    columns.setdefault(source.column, set()).add(Target(name, uuid))
                continue
            for column in table.table.schema.weak_columns:
                coming, _going = difference(draft, column.name)
                for target in targets(column.type, coming, weak=True):
                    if transaction.row(*target) is None:
                        columns = lost.setdefault(Target(name, uuid), {})
                        columns.setdefault(column.name, set()).add(target)
    for place, by_column in lost.items():
        row = transaction.row(*place)
        if row is not None:
            _drop(transaction, place.table, row, by_column)
    return bool(lost)


def _drop(
    transaction: Transaction, table: str, row: Row, by_column: dict[str, set[Target]]
) -> None:
    draft = transaction.draft(table)
    for name, gone in by_column.items():
        kind = draft.table.schema.columns[name].type
        datum = row.columns[name]
        left: Datum = tuple(
            member for member in datum if gone.isdisjoint(targets(kind, (member,), weak=True))
        )
        is_new = row.uuid not in draft.table.rows
        if len(left) < kind.n_min:
            has_zero = is_new and any(target.uuid == ZERO_UUID for target in gone)
            place = f'"{name}" in "{table}" row {row.uuid}'
            raise _empty(place, len(datum) - len(left), is_new, has_zero)
        transaction.update(table, row, {name: left})


def _empty(place: str, n_dropped: int, is_new: bool, has_zero: bool) -> OvsdbError:
    """The two refusals of ovsdb, its spelling included."""
    if has_zero:
        return constraint_violation(
            f"Weak reference column {place} (inserted within this transaction) contained "
            "all-zeros UUID (probably as the default value for this column) but deleting this "
            "value caused a constraint volation because this column is not allowed to be empty."
        )
    new = "(inserted within this transaction) " if is_new else ""
    return constraint_violation(
        f"Deletion of {n_dropped} weak reference(s) to deleted (or never-existing) rows from "
        f"column {place} {new}caused this column to become empty, but constraints on this column "
        "disallow an empty column."
    )
