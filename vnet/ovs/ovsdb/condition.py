"""The "where" of operations, and of monitors (RFC 7047 section 5.1, <condition>)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import ge, gt, le, lt
from typing import Any

from vnet.ovs.ovsdb.atoms import Datum, Uuid
from vnet.ovs.ovsdb.base_type import UNLIMITED
from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import ColumnSchema, TableSchema
from vnet.ovs.ovsdb.symbols import Symbols
from vnet.ovs.ovsdb.types import ColumnType

Test = Callable[[Datum, Datum], bool]
"""Whether a column's datum, the first, stands to an argument, the second, as a function says."""

_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def _relation(compare: Callable[[Any, Any], bool]) -> Test:
    """A value that is missing is neither less nor more than any other."""
    return lambda datum, argument: bool(datum) and compare(datum[0], argument[0])


def _includes(datum: Datum, argument: Datum) -> bool:
    return len(argument) <= len(datum) and set(argument).issubset(datum)


def _excludes(datum: Datum, argument: Datum) -> bool:
    return set(argument).isdisjoint(datum)


_TESTS: dict[str, Test] = {name: _relation(compare) for name, compare in _RELATIONS.items()} | {
    "==": lambda datum, argument: datum == argument,
    "!=": lambda datum, argument: datum != argument,
    "includes": _includes,
    "excludes": _excludes,
}


class Clause:
    """One test of one column; ``column`` is None for ``true`` and ``false``."""

    __slots__ = ("_test", "argument", "column", "function")

    def __init__(self, column: ColumnSchema | None, function: str, argument: Datum) -> None:
        self.column = column
        self.function = function
        self.argument = argument
        self._test = _TESTS.get(function)

    def holds(self, row: Row) -> bool:
        """Whether a row passes."""
        if self.column is None or self._test is None:
            return self.function == "true"
        return self._test(row.datum(self.column.name), self.argument)

    def to_json(self) -> Json:
        """The <condition> again."""
        if self.column is None:
            return self.function == "true"
        return [self.column.name, self.function, self.column.type.to_json(self.argument)]

    @classmethod
    def from_json(cls, table: TableSchema, json: Json, symbols: Symbols | None = None) -> Clause:
        """Read a <condition>, or ``true`` or ``false``. Raises :class:`OvsdbError`."""
        if isinstance(json, bool):
            return cls(None, "true" if json else "false", ())
        if not isinstance(json, list) or len(json) != 3:
            raise syntax_error(json, "Parse error in condition.")
        name, function, value = json
        if not isinstance(name, str) or not isinstance(function, str):
            raise syntax_error(json, "Parse error in condition.")
        column = table.all_columns.get(name)
        if column is None:
            raise unknown_column(json, name, table)
        if function not in _TESTS:
            raise OvsdbError("unknown function", f"No function named {function}.")
        argument_type = _argument_type(column, function, json)
        return cls(column, function, argument_type.parse(value, symbols))


def unknown_column(json: Json, name: str, table: TableSchema) -> OvsdbError:
    """Something is said of a column that is not there."""
    return syntax_error(json, f"No column {name} in table {table.name}.", error="unknown column")


def type_mismatch(json: Json, word: str, column: ColumnSchema) -> OvsdbError:
    """A function or mutator that is not made for a column."""
    return syntax_error(
        json,
        f'Type mismatch: "{word}" operator may not be applied to '
        f"column {column.name} of type {column.type.in_english()}.",
    )


def _argument_type(column: ColumnSchema, function: str, json: Json) -> ColumnType:
    """What a column may be compared with: for sets and maps also with parts of them, or more."""
    kind = column.type
    if function in _RELATIONS:
        is_one = kind.is_scalar or kind.is_optional
        if not is_one or kind.key.kind not in ("integer", "real"):
            raise type_mismatch(json, function, column)
        return kind.of_size(1, kind.n_max)
    if function == "includes" and not kind.is_scalar:
        return kind.of_size(0, kind.n_max)
    if function == "excludes" and not kind.is_scalar:
        return kind.of_size(0, UNLIMITED)
    return kind


class Condition:
    """Clauses: all must hold for an operation's row, any of them for a monitor's."""

    __slots__ = ("clauses",)

    def __init__(self, clauses: Iterable[Clause] = ()) -> None:
        self.clauses = tuple(clauses)

    @classmethod
    def from_json(
        cls, table: TableSchema, json: list[Json], symbols: Symbols | None = None
    ) -> Condition:
        """Read an array of <condition>. Raises :class:`OvsdbError`."""
        return cls(Clause.from_json(table, clause, symbols) for clause in json)

    def to_json(self) -> list[Json]:
        """The array again."""
        return [clause.to_json() for clause in self.clauses]

    def all_hold(self, row: Row) -> bool:
        """Whether a row passes every clause."""
        return all(clause.holds(row) for clause in self.clauses)

    def any_holds(self, row: Row) -> bool:
        """Whether a row passes one of the clauses. Without any, each row passes."""
        return not self.clauses or any(clause.holds(row) for clause in self.clauses)

    @property
    def uuid(self) -> Uuid | None:
        """The UUID that a row must have; None where others may match as well."""
        for clause in self.clauses:
            column = clause.column
            if column is not None and column.name == "_uuid" and clause.function == "==":
                uuid: Uuid = clause.argument[0]
                return uuid
        return None
