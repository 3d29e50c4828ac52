"""What a transaction would make of a database, while the database itself stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from vnet.ovs.ovsdb.atoms import Datum, Uuid
from vnet.ovs.ovsdb.condition import Condition
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.table import Table


class Draft:
    """A row before and after. ``old`` is None for what is inserted, ``new`` for what is deleted.

    ``touched`` are the columns that were written to, perhaps with what they held before.
    """

    __slots__ = ("new", "old", "touched")

    def __init__(self, old: Row | None, new: Row | None) -> None:
        self.old = old
        self.new = new
        self.touched: set[str] = set()

    @property
    def is_changed(self) -> bool:
        """Whether a row that is neither inserted nor deleted differs from what it was."""
        assert self.old is not None
        assert self.new is not None
        old, new = self.old.columns, self.new.columns
        return any(new[name] != old[name] for name in self.touched)


class TableDraft:
    """What happens to a table. ``counts`` are the strong references to rows, where they change."""

    __slots__ = ("counts", "rows", "table")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rows: dict[Uuid, Draft] = {}
        self.counts: dict[Uuid, int] = {}

    def row(self, uuid: Uuid) -> Row | None:
        """A row as it would be."""
        draft = self.rows.get(uuid)
        return self.table.rows.get(uuid) if draft is None else draft.new

    def count_of(self, uuid: Uuid) -> int:
        """How many strong references would lead to a row."""
        count = self.counts.get(uuid)
        return self.table.reference_counts.get(uuid, 0) if count is None else count

    def n_rows(self) -> int:
        """How many rows there would be."""
        change = sum(
            (draft.new is not None) - (draft.old is not None) for draft in self.rows.values()
        )
        return len(self.table.rows) + change


class Transaction:
    """Drafts of rows by table, and the comments that go with them into the file."""

    def __init__(self, tables: Mapping[str, Table], new_uuid: Callable[[], Uuid]) -> None:
        self.new_uuid = new_uuid
        self.comments: list[str] = []
        self.drafts: dict[str, TableDraft] = {}
        self._tables = tables

    def draft(self, table: str) -> TableDraft:
        """The draft of a table."""
        found = self.drafts.get(table)
        if found is None:
            found = self.drafts[table] = TableDraft(self._tables[table])
        return found

    def row(self, table: str, uuid: Uuid) -> Row | None:
        """A row as this transaction left it; None where there is none."""
        draft = self.drafts.get(table)
        return self._tables[table].rows.get(uuid) if draft is None else draft.row(uuid)

    def rows(self, table: str, condition: Condition) -> list[Row]:
        """The rows of a table that a condition holds for."""
        uuid = condition.uuid
        if uuid is not None:
            row = self.row(table, uuid)
            return [row] if row is not None and condition.all_hold(row) else []
        return [row for row in self._all_rows(table) if condition.all_hold(row)]

    def _all_rows(self, table: str) -> Iterator[Row]:
        committed = self._tables[table].rows
        draft = self.drafts.get(table)
        if draft is None or not draft.rows:
            yield from committed.values()
            return
        for uuid, row in committed.items():
            if uuid not in draft.rows:
                yield row
        for changing in draft.rows.values():
            if changing.new is not None:
                yield changing.new

    def may_insert(self, table: str, uuid: Uuid) -> bool:
        """Whether a row may have a UUID: none has it, and none had it when this began."""
        draft = self.drafts.get(table)
        if draft is not None and uuid in draft.rows:
            return False
        return uuid not in self._tables[table].rows

    def insert(self, table: str, uuid: Uuid, columns: dict[str, Datum]) -> None:
        """A new row, with every column."""
        self.draft(table).rows[uuid] = Draft(None, Row(uuid, self.new_uuid(), columns))

    def update(self, table: str, row: Row, columns: Mapping[str, Datum]) -> None:
        """New data for some columns of a row. What they hold already is no change."""
        changes = {name: datum for name, datum in columns.items() if row.columns[name] != datum}
        if not changes:
            return
        draft = self._opened(table, row)
        assert draft.new is not None
        draft.new.columns.update(changes)
        draft.touched.update(changes)

    def _opened(self, table: str, row: Row) -> Draft:
        drafts = self.draft(table).rows
        draft = drafts.get(row.uuid)
        if draft is None:
            copy = Row(row.uuid, row.version, row.columns.copy())
            draft = drafts[row.uuid] = Draft(row, copy)
        return draft

    def delete(self, table: str, row: Row) -> None:
        """A row goes. One that this transaction inserted was never there."""
        drafts = self.draft(table).rows
        draft = drafts.get(row.uuid)
        if draft is None:
            drafts[row.uuid] = Draft(row, None)
        elif draft.old is None:
            del drafts[row.uuid]
        else:
            draft.new = None
