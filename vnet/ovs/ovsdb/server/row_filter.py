"""Which rows of a table a monitor looks at: those for which any clause of a condition holds."""

from __future__ import annotations

from vnet.ovs.ovsdb.condition import Condition
from vnet.ovs.ovsdb.json_text import Json, json_text
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import TableSchema


class RowFilter:
    """A condition that can be told from others. Equal ones let the same rows pass."""

    __slots__ = ("_condition", "_key", "columns", "is_open")

    def __init__(self, table: TableSchema, where: list[Json]) -> None:
        """Read an array of <condition>. Raises :class:`~vnet.ovs.ovsdb.errors.OvsdbError`."""
        condition = Condition.from_json(table, where)
        clauses = condition.clauses
        self._condition = condition
        self._key = frozenset(json_text(clause.to_json()) for clause in clauses)
        self.columns = frozenset(one.column.name for one in clauses if one.column is not None)
        self.is_open = not clauses or any(one.function == "true" for one in clauses)
        """Whether it lets all rows pass."""

    def passes(self, row: Row) -> bool:
        """Whether a row is looked at."""
        return self.is_open or self._condition.any_holds(row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowFilter) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)
