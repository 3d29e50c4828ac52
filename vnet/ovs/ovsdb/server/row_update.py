"""One row's change as JSON: <row-update> of RFC 7047, and <row-update2> of ovsdb-server(7)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial

from vnet.ovs.ovsdb.file_record import diff
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import TableSchema
from vnet.ovs.ovsdb.server.row_filter import RowFilter
from vnet.ovs.ovsdb.server.shape import DELETE, INITIAL, INSERT, MODIFY, TableShape

Hidden = frozenset[str]
"""Columns that are looked at and not told."""


class Version(Enum):
    """The three ways of monitoring, by the name of what clients are notified with."""

    V1 = "update"
    V2 = "update2"
    V3 = "update3"


class TableView:
    """One table as monitors of one shape see it.

    Changes of columns that only filters look at count, too, but are not told.
    """

    def __init__(self, table: TableSchema, shape: TableShape) -> None:
        self.name = table.name
        self._kinds = shape.kinds
        self._columns = [
            (name, kinds, table.all_columns[name].type) for name, kinds in shape.columns
        ]
        self._shown = frozenset(name for name, _ in shape.columns)
        self.hidden: frozenset[str] = frozenset()
        """Columns whose changes count and are not told: only filters are about them."""

    def look_at(self, row_filter: RowFilter) -> None:
        """Let changes of the columns that a filter is about count from now on."""
        self.hidden |= row_filter.columns - self._shown

    @property
    def tells_initial(self) -> bool:
        """Whether rows that are there already are told."""
        return bool(self._kinds & INITIAL)

    def concerns(self, old: Row | None, new: Row | None) -> bool:
        """Whether anything that is looked at has changed."""
        if old is None or new is None:
            return True
        return bool(self._changed(old, new, self.hidden))

    def row_update(
        self, initial: bool, old: Row | None, new: Row | None, hidden: Hidden = frozenset()
    ) -> Json | None:
        """The <row-update> of version 1, or None where there is nothing to tell.

        Changes of ``hidden`` columns are told as such, but not what they are.
        """
        kind = _kind(initial, old, new)
        changed = self._told(kind, old, new, hidden)
        if changed is None:
            return None
        update: dict[str, Json] = {}
        if old is not None and kind & (DELETE | MODIFY):
            update["old"] = {
                name: column_type.to_json(old.datum(name))
                for name, kinds, column_type in self._columns
                if kinds & kind and (kind == DELETE or name in changed)
            }
        if new is not None:
            update["new"] = {
                name: column_type.to_json(new.datum(name))
                for name, kinds, column_type in self._columns
                if kinds & kind
            }
        return update

    def row_update2(
        self,
        initial: bool,
        old: Row | None,
        new: Row | None,
        *,
        was_in: bool,
        is_in: bool,
        hidden: Hidden = frozenset(),
    ) -> Json | None:
        """The <row-update2>, or None. ``was_in`` and ``is_in``: whether a filter lets the two
        versions of the row pass.
        """
        kind = _kind_within(_kind(initial, old, new), was_in, is_in)
        changed = self._told(kind, old, new, hidden)
        if changed is None:
            return None
        if kind == DELETE:
            return {"delete": None}
        assert new is not None
        if kind == MODIFY:
            assert old is not None
            return {
                "modify": {
                    name: column_type.to_json(diff(old.datum(name), new.datum(name), column_type))
                    for name, kinds, column_type in self._columns
                    if kinds & kind and name in changed
                }
            }
        return {
            "initial" if kind == INITIAL else "insert": {
                name: column_type.to_json(datum)
                for name, kinds, column_type in self._columns
                if kinds & kind and (datum := new.datum(name)) != column_type.default
            }
        }

    def _told(self, kind: int, old: Row | None, new: Row | None, hidden: Hidden) -> set[str] | None:
        """The columns that a modification is about; None for what is not told at all."""
        if not self._kinds & kind:
            return None
        if kind != MODIFY:
            return set()
        assert old is not None
        assert new is not None
        return self._changed(old, new, hidden) or None

    def _changed(self, old: Row, new: Row, hidden: Hidden) -> set[str]:
        changed = {name for name, _, _ in self._columns if old.datum(name) != new.datum(name)}
        changed.update(name for name in hidden if old.datum(name) != new.datum(name))
        return changed


RowTeller = Callable[[bool, Row | None, Row | None], Json | None]
"""``row_update`` for one client: whether it is the first answer, the old row and the new one."""


def teller(
    view: TableView, version: Version, row_filter: RowFilter | None, hidden: Hidden
) -> RowTeller:
    """How a client with a filter (None: all rows) is told of a table's rows."""
    if version is Version.V1:
        return partial(view.row_update, hidden=hidden)

    def tell(initial: bool, old: Row | None, new: Row | None) -> Json | None:
        was_in = old is not None and (row_filter is None or row_filter.passes(old))
        is_in = new is not None and (row_filter is None or row_filter.passes(new))
        return view.row_update2(initial, old, new, was_in=was_in, is_in=is_in, hidden=hidden)

    return tell


def _kind(initial: bool, old: Row | None, new: Row | None) -> int:
    if initial:
        return INITIAL
    if old is None:
        return INSERT
    return DELETE if new is None else MODIFY


def _kind_within(kind: int, was_in: bool, is_in: bool) -> int:
    """What a change is to one who sees only some rows; 0: nothing."""
    if kind == MODIFY:
        if not was_in:
            return INSERT if is_in else 0
        return MODIFY if is_in else DELETE
    if kind == DELETE:
        return DELETE if was_in else 0
    return kind if is_in else 0
