"""A transaction becomes part of its database, or is refused as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.errors import constraint_violation
from vnet.ovs.ovsdb.references import (
    collect_garbage,
    count_references,
    difference,
    drop_weak_references,
    targets,
)
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.table import Source, Table, index_key
from vnet.ovs.ovsdb.transaction import Draft, TableDraft, Transaction
from vnet.ovs.ovsdb.uniqueness import check_indexes


class Change(NamedTuple):
    """What became of a row: ``old`` is None for a new one, ``new`` for one that went."""

    old: Row | None
    new: Row | None


Changes = dict[str, dict[Uuid, Change]]


class Commit(NamedTuple):
    """What a transaction changed, by table and row. Tables without changes are not in it."""

    txn_id: Uuid
    changes: Changes


def settle(transaction: Transaction) -> Changes:
    """Check a transaction as a whole, and carry out what follows from it.

    Rows that nobody points to go, and so do weak references to rows that went. Raises
    :class:`OvsdbError` where the schema does not allow what comes out. Nothing is committed yet.
    """
    _forget_what_is_as_before(transaction)
    if not any(table.rows for table in transaction.drafts.values()):
        return {}
    count_references(transaction)
    collect_garbage(transaction)
    _check_max_rows(transaction)
    if drop_weak_references(transaction):
        _forget_what_is_as_before(transaction)
    check_indexes(transaction)
    return {
        name: {uuid: _change(transaction, draft) for uuid, draft in table.rows.items()}
        for name, table in transaction.drafts.items()
        if table.rows
    }


def _change(transaction: Transaction, draft: Draft) -> Change:
    if draft.old is not None and draft.new is not None:
        draft.new.version = transaction.new_uuid()
    return Change(draft.old, draft.new)


def _forget_what_is_as_before(transaction: Transaction) -> None:
    for table in transaction.drafts.values():
        unchanged = [
            uuid
            for uuid, draft in table.rows.items()
            if draft.old is not None and draft.new is not None and not draft.is_changed
        ]
        for uuid in unchanged:
            del table.rows[uuid]


def _check_max_rows(transaction: Transaction) -> None:
    for table in transaction.drafts.values():
        schema = table.table.schema
        n_rows = table.n_rows()
        if n_rows > schema.max_rows:
            raise constraint_violation(
                f'transaction causes "{schema.name}" table to contain {n_rows} rows, '
                f"greater than the schema-defined limit of {schema.max_rows} row(s)"
            )


def apply(transaction: Transaction, tables: Mapping[str, Table]) -> None:
    """Make a settled transaction's rows those of the database."""
    for name, draft in transaction.drafts.items():
        for uuid, change in draft.rows.items():
            if change.new is None:
                del draft.table.rows[uuid]
            else:
                draft.table.rows[uuid] = change.new
        _apply_indexes(draft)
        _apply_weak_references(name, draft, tables)
        for uuid, count in draft.counts.items():
            draft.table.count_references(uuid, count)


def _apply_indexes(draft: TableDraft) -> None:
    for index, keys in zip(draft.table.schema.indexes, draft.table.indexes, strict=True):
        moved = [
            change
            for change in draft.rows.values()
            if change.old is None or change.new is None or not change.touched.isdisjoint(index)
        ]
        for change in moved:
            if change.old is not None:
                del keys[index_key(change.old, index)]
        for change in moved:
            if change.new is not None:
                keys[index_key(change.new, index)] = change.new.uuid


def _apply_weak_references(name: str, draft: TableDraft, tables: Mapping[str, Table]) -> None:
    for column in draft.table.schema.weak_columns:
        for uuid, change in draft.rows.items():
            source = Source(name, uuid, column.name)
            coming, going = difference(change, column.name)
            for target in targets(column.type, going, weak=True):
                tables[target.table].count_weak_source(target.uuid, source, -1)
            for target in targets(column.type, coming, weak=True):
                tables[target.table].count_weak_source(target.uuid, source, +1)
