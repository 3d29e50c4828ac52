"""No two rows of a table are equal in the columns of an index (RFC 7047 section 3.2)."""

from __future__ import annotations

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.errors import OvsdbError, constraint_violation
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.table import IndexKey, index_key
from vnet.ovs.ovsdb.transaction import TableDraft, Transaction

Index = tuple[str, ...]


def check_indexes(transaction: Transaction) -> None:
    """Raise :class:`OvsdbError` where a changed row would be equal to another one."""
    for draft in transaction.drafts.values():
        for number, index in enumerate(draft.table.schema.indexes):
            _check(draft, index, draft.table.indexes[number])


def _check(draft: TableDraft, index: Index, committed: dict[IndexKey, Uuid]) -> None:
    coming: dict[IndexKey, Row] = {}
    for uuid, change in draft.rows.items():
        row = change.new
        if row is None or (change.old is not None and change.touched.isdisjoint(index)):
            continue
        key = index_key(row, index)
        other = coming.get(key) or _holder(draft, index, key, committed)
        if other is not None and other.uuid != uuid:
            raise _duplicate(draft, index, other, row)
        coming[key] = row


def _holder(
    draft: TableDraft, index: Index, key: IndexKey, committed: dict[IndexKey, Uuid]
) -> Row | None:
    """Who had these values before, if it keeps them."""
    uuid = committed.get(key)
    row = None if uuid is None else draft.row(uuid)
    return row if row is not None and index_key(row, index) == key else None


def _duplicate(draft: TableDraft, index: Index, one: Row, other: Row) -> OvsdbError:
    columns = draft.table.schema.all_columns.values()
    first, second = sorted((one, other), key=lambda row: row.order(columns), reverse=True)
    names = _english_list([f'"{name}"' for name in index])
    plural = "s" if len(index) > 1 else ""
    return constraint_violation(
        f'Transaction causes multiple rows in "{draft.table.schema.name}" table to have '
        f"identical values ({_values(draft, index, first)}) for index on column{plural} {names}.  "
        f"First row, with UUID {first.uuid}, {_story(draft, index, first)}  "
        f"Second row, with UUID {second.uuid}, {_story(draft, index, second)}"
    )


def _story(draft: TableDraft, index: Index, row: Row) -> str:
    """Where a row came to have its values."""
    change = draft.rows.get(row.uuid)
    if change is None or (change.old is not None and not change.is_changed):
        return (
            "existed in the database before this transaction "
            "and was not modified by the transaction."
        )
    if change.old is None:
        return "was inserted by this transaction."
    if index_key(change.old, index) == index_key(row, index):
        return (
            "existed in the database before this transaction, which modified some of the row's "
            "columns but not any columns in this index."
        )
    before = _values(draft, index, change.old)
    return f"had the following index values before the transaction: {before}."


def _values(draft: TableDraft, index: Index, row: Row) -> str:
    columns = draft.table.schema.all_columns
    return _english_list([columns[name].type.to_text(row.datum(name)) for name in index])


def _english_list(items: list[str]) -> str:
    if len(items) < 3:
        return " and ".join(items)
    return ", ".join(items[:-1]) + ", and " + items[-1]
