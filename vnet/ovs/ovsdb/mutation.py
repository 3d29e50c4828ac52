"""Changes of columns in place (RFC 7047 section 5.1, <mutation>)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from vnet.ovs.ovsdb.atoms import Datum
from vnet.ovs.ovsdb.base_type import UNLIMITED, BaseType
from vnet.ovs.ovsdb.condition import type_mismatch, unknown_column
from vnet.ovs.ovsdb.datums import union, without, without_keys
from vnet.ovs.ovsdb.errors import OvsdbError, constraint_violation, syntax_error
from vnet.ovs.ovsdb.json_text import INTEGER_MAX, INTEGER_MIN, Json
from vnet.ovs.ovsdb.schema import ColumnSchema, TableSchema
from vnet.ovs.ovsdb.symbols import Symbols
from vnet.ovs.ovsdb.types import ColumnType

_ARITHMETIC = ("+=", "-=", "*=", "/=", "%=")
_MUTATORS = (*_ARITHMETIC, "insert", "delete")


class Mutation:
    """One change of one column. ``has_keys_only``: of a map, pairs are deleted by their keys."""

    __slots__ = ("argument", "column", "has_keys_only", "mutator")

    def __init__(
        self, column: ColumnSchema, mutator: str, argument: Datum, has_keys_only: bool
    ) -> None:
        self.column = column
        self.mutator = mutator
        self.argument = argument
        self.has_keys_only = has_keys_only

    @classmethod
    def from_json(cls, table: TableSchema, json: Json, symbols: Symbols | None = None) -> Mutation:
        """Read a <mutation>. Raises :class:`OvsdbError`."""
        if not isinstance(json, list) or len(json) != 3:
            raise syntax_error(json, "Parse error in mutation.")
        name, mutator, value = json
        if not isinstance(name, str) or not isinstance(mutator, str):
            raise syntax_error(json, "Parse error in mutation.")
        column = table.all_columns.get(name)
        if column is None:
            raise unknown_column(json, name, table)
        if not column.is_mutable:
            raise syntax_error(
                json,
                f"Cannot mutate immutable column {name} in table {table.name}.",
                error="constraint violation",
            )
        if mutator not in _MUTATORS:
            raise OvsdbError("unknown mutator", f"No mutator named {mutator}.")
        if not _suits(mutator, column.type):
            raise type_mismatch(json, mutator, column)
        return cls(column, mutator, *_argument(mutator, column.type, value, symbols))

    def apply(self, datum: Datum) -> Datum:
        """What the column holds afterwards. Raises :class:`OvsdbError`."""
        if self.mutator in _ARITHMETIC:
            return self._calculated(datum)
        kind = self.column.type
        if self.mutator == "insert":
            changed = union(datum, self.argument, is_map=kind.is_map)
        elif self.has_keys_only:
            changed = without_keys(datum, self.argument)
        else:
            changed = without(datum, self.argument)
        if not kind.n_min <= len(changed) <= kind.n_max:
            raise constraint_violation(
                f"Attempted to store {len(changed)} elements in {kind.in_english()}."
            )
        return changed

    def _calculated(self, datum: Datum) -> Datum:
        kind = self.column.type
        calculate = _REAL if kind.key.kind == "real" else _INTEGER
        atoms = [calculate[self.mutator](atom, self.argument[0]) for atom in datum]
        if any(_is_out_of_range(atom) for atom in atoms):
            raise _out_of_range(self.mutator)
        for atom in atoms:
            kind.key.check(atom)
        if len(set(atoms)) < len(atoms):
            raise constraint_violation(f'Result of "{self.mutator}" operation contains duplicates.')
        return tuple(sorted(atoms))


def _suits(mutator: str, kind: ColumnType) -> bool:
    if mutator not in _ARITHMETIC:
        return not kind.is_scalar
    if kind.is_map or kind.key.kind not in ("integer", "real"):
        return False
    return mutator != "%=" or kind.key.kind == "integer"


def _argument(
    mutator: str, kind: ColumnType, json: Json, symbols: Symbols | None
) -> tuple[Datum, bool]:
    """The argument, and whether it is keys of a map."""
    if mutator in _ARITHMETIC:
        return ColumnType(BaseType(kind.key.kind)).parse(json, symbols), False
    if mutator == "insert":
        return kind.of_size(0, kind.n_max).parse(json, symbols), False
    some = kind.of_size(0, UNLIMITED)
    try:
        return some.parse(json, symbols), False
    except OvsdbError:
        if not kind.is_map:
            raise
    return some.of_keys.parse(json, symbols), True


def _out_of_range(mutator: str) -> OvsdbError:
    return OvsdbError("range error", f'Result of "{mutator}" operation is out of range.')


def _is_out_of_range(number: int | float) -> bool:
    if isinstance(number, float):
        return not math.isfinite(number)
    return not INTEGER_MIN <= number <= INTEGER_MAX


def _product(x: int, y: int) -> int:
    """The greatest number, as a product of positive ones, counts as out of range."""
    product = x * y
    if x > 0 and y > 0 and x >= INTEGER_MAX // y:
        raise _out_of_range("*=")
    return product


def _quotient(x: int, y: int) -> int:
    """A quotient is cut off towards zero, as in C."""
    if y == 0:
        raise OvsdbError("domain error", "Division by zero.")
    quotient = abs(x) // abs(y)
    return quotient if (x < 0) == (y < 0) else -quotient


def _remainder(x: int, y: int) -> int:
    """A remainder has the sign of what is divided, as in C."""
    quotient = _quotient(x, y)
    if _is_out_of_range(quotient):
        raise _out_of_range("%=")
    return x - y * quotient


def _real_quotient(x: float, y: float) -> float:
    if y == 0:
        raise OvsdbError("domain error", "Division by zero.")
    return x / y


_INTEGER: dict[str, Callable[[Any, Any], Any]] = {
    "+=": lambda x, y: x + y,
    "-=": lambda x, y: x - y,
    "*=": _product,
    "/=": _quotient,
    "%=": _remainder,
}
_REAL: dict[str, Callable[[Any, Any], Any]] = _INTEGER | {
    "*=": lambda x, y: x * y,
    "/=": _real_quotient,
}
