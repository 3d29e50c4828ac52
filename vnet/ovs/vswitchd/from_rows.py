"""From the rows of a database to the wanted configuration.

Columns become the members of the same names of the classes in :data:`TABLES`, and rows stand in
place of the references to them. What the database allows is taken as it is: whether it makes
sense is the business of whoever configures it, who knows what to do instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from itertools import count
from typing import Any, NamedTuple, cast

from vnet.base.text import with_readable_numbers
from vnet.ovs.ovsdb.atoms import Datum, Uuid
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import ColumnSchema, DatabaseSchema, TableSchema
from vnet.ovs.ovsdb.view import DatabaseView
from vnet.ovs.vswitchd.config import TABLES, SwitchConfig
from vnet.ovs.vswitchd.row import Row as ConfigRow
from vnet.ovs.vswitchd.status.columns import STATUS_COLUMNS, has_changed

ROOT = "Open_vSwitch"
_COLLECTOR_SETS = "Flow_Sample_Collector_Set"
_READ_ALL_THE_SAME = frozenset(("external_ids", "bond_active_slave"))


class _Column(NamedTuple):
    """How a member is read from the column of its name. ``table`` is what the column refers to."""

    name: str
    is_map: bool
    is_set: bool
    table: str | None
    is_weak: bool


class _Plan(NamedTuple):
    """How rows of a table are read. ``others`` are members that it has no columns for."""

    row_type: type[ConfigRow]
    plain: tuple[_Column, ...]
    references: tuple[_Column, ...]
    others: Mapping[str, object]


class ConfigReader:
    """Reads a database. What is as it was when it was read before is the very same object.

    With ``has_stand_ins``, dummies are there instead of what interfaces would be by their types.

    Rows that a column refers to come in the order of their identities, which says nothing; with
    ``in_order`` they come as they have come into the database, as far as :meth:`note` has seen.
    """

    def __init__(
        self, view: DatabaseView, *, in_order: bool = False, has_stand_ins: bool = False
    ) -> None:
        self._view = view
        self._has_stand_ins = has_stand_ins
        self._in_order = in_order
        self._arrivals: dict[Uuid, int] = {}
        self._counter = count()
        self._known: dict[Uuid, ConfigRow] = {}
        self._referring: dict[Uuid, set[Uuid]] = {}
        """Which rows that are known refer to a row."""
        self._plans: dict[str, _Plan] = {}
        self._schema: DatabaseSchema | None = None

    def note(self, commit: Commit) -> None:
        """Rows have come and gone, and others are not what they were."""
        for table, changes in commit.changes.items():
            ignored = STATUS_COLUMNS.get(table, frozenset())
            for uuid, change in changes.items():
                if change.old is None:
                    if self._in_order:
                        self._arrivals[uuid] = next(self._counter)
                elif change.new is None:
                    self._arrivals.pop(uuid, None)
                    self._forget(uuid)
                elif has_changed(change, ignored):
                    self._forget(uuid)

    def _forget(self, uuid: Uuid) -> None:
        """A row is to be read anew, and whoever refers to it."""
        self._known.pop(uuid, None)
        for other in self._referring.pop(uuid, ()):
            self._forget(other)

    @property
    def root(self) -> Row | None:
        """The one row of Open_vSwitch; None before somebody has made it."""
        return next(iter(self._view.rows(ROOT).values()), None)

    def config(self) -> SwitchConfig:
        """What the database says, which is nothing before its first row is there."""
        root = self.root
        if root is None:
            return SwitchConfig()
        return cast(SwitchConfig, self._config(ROOT, root, self._collector_sets()))

    def _collector_sets(self) -> tuple[ConfigRow, ...]:
        if _COLLECTOR_SETS not in self._view.schema.tables:
            return ()
        rows = self._view.rows(_COLLECTOR_SETS)
        return tuple(self._config(_COLLECTOR_SETS, rows[u]) for u in self._ordered(sorted(rows)))

    def _ordered(self, uuids: Iterable[Uuid]) -> Iterable[Uuid]:
        if not self._in_order:
            return uuids
        return sorted(uuids, key=lambda uuid: self._arrivals.get(uuid, -1))

    def _config(self, table: str, row: Row, sets: tuple[ConfigRow, ...] = ()) -> ConfigRow:
        """A row as configuration; ``sets`` are what the root has besides its columns."""
        known = self._known.get(row.uuid)
        if known is not None and not sets:
            return known
        plan = self._plan(table)
        columns = row.columns
        values = {column.name: _value(column, columns[column.name]) for column in plan.plain}
        for column in plan.references:
            values[column.name] = self._referred(row.uuid, column, columns[column.name])
        values |= plan.others
        if sets:
            values["collector_sets"] = sets
        if "has_stand_in" in plan.others:
            values["has_stand_in"] = self._has_stand_ins
        config = self._known[row.uuid] = _made(plan.row_type, row.uuid, values)
        return config

    def _referred(self, referring: Uuid, column: _Column, datum: Datum) -> object:
        """What stands for the references in a column."""
        assert column.table is not None
        rows = self._view.rows(column.table)
        if column.is_map:
            return {
                key: self._one(referring, column, rows[uuid]) for key, uuid in datum if uuid in rows
            }
        found = tuple(
            self._one(referring, column, rows[uuid])
            for uuid in self._ordered(datum)
            if uuid in rows
        )
        return found if column.is_set else next(iter(found), None)

    def _one(self, referring: Uuid, column: _Column, row: Row) -> object:
        assert column.table is not None
        if column.is_weak:
            return row.columns["name"][0]
        self._referring.setdefault(row.uuid, set()).add(referring)
        return self._config(column.table, row)

    def _plan(self, table: str) -> _Plan:
        if self._schema is not self._view.schema:
            self._schema = self._view.schema
            self._plans.clear()
            self._known.clear()
        plan = self._plans.get(table)
        if plan is None:
            plan = self._plans[table] = _plan_for(TABLES[table], self._view.schema.tables[table])
        return plan


def _plan_for(row_type: type[ConfigRow], table: TableSchema) -> _Plan:
    """How to read a table, be it one of an older or newer schema."""
    members = [member for member in fields(row_type) if member.name != "identity"]
    status = STATUS_COLUMNS.get(table.name, frozenset()) - _READ_ALL_THE_SAME
    names = {m.name for m in members if m.name in table.columns and m.name not in status}
    columns = [_column(table.columns[m.name]) for m in members if m.name in names]
    others = {
        m.name: m.default if m.default is not MISSING else cast(Any, m.default_factory)()
        for m in members
        if m.name not in names
    }
    return _Plan(
        row_type,
        tuple(column for column in columns if column.table is None),
        tuple(column for column in columns if column.table is not None),
        others,
    )


def _column(schema: ColumnSchema) -> _Column:
    known = schema.type
    referring = known.key if known.value is None else known.value
    is_set = known.n_max != 1
    return _Column(schema.name, known.is_map, is_set, referring.ref_table, referring.is_weak)


def _value(column: _Column, datum: Datum) -> object:
    if column.is_map:
        return {key: _readable(atom) for key, atom in datum}
    atoms = tuple(map(_readable, datum))
    return atoms if column.is_set else next(iter(atoms), None)


def _readable(atom: object) -> object:
    """A text may be a number, which whoever reads it must be able to read."""
    return with_readable_numbers(atom) if type(atom) is str else atom


def _made(row_type: type[ConfigRow], uuid: Uuid, values: Mapping[str, object]) -> ConfigRow:
    """A row that is not checked anew: the database has done so, in its own way."""
    config = object.__new__(row_type)
    object.__setattr__(config, "identity", uuid)
    for name, value in values.items():
        object.__setattr__(config, name, value)
    return config
