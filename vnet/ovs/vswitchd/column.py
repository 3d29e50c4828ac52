"""Types of configuration columns, with the database's limits (RFC 7047, section 3.2).

A column holds one atom, an optional one, a set or a map of atoms. An atom is a string, an
integer, a truth value, or a row of another table. In Python: the atom itself, the atom or
None, a tuple, a dict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from vnet.ovs.flow.errors import OvsTextError


class AtomKind(Enum):
    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Atom:
    """What one value may be: of ``choices``, or between ``minimum`` and ``maximum``; for a row,
    one of ``table``.
    """

    kind: AtomKind
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    table: str = ""
    is_weak: bool = False

    def check(self, value: object) -> None:
        """Raise the database's sentence if ``value`` is not allowed."""
        if self.choices and value not in self.choices:
            allowed = ", ".join(self.choices)
            raise OvsTextError(
                f"constraint violation: {_atom_text(value)} is not one of the allowed values "
                f"([{allowed}])"
            )
        if self.minimum is None or not isinstance(value, int):
            return
        if self.maximum is None:
            if value < self.minimum:
                raise OvsTextError(
                    f"constraint violation: {value} is less than minimum allowed value "
                    f"{self.minimum}"
                )
        elif not self.minimum <= value <= self.maximum:
            raise OvsTextError(
                f"constraint violation: {value} is not in the valid range "
                f"{self.minimum} to {self.maximum} (inclusive)"
            )


def _atom_text(value: object) -> str:
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z_][A-Za-z_.0-9-]*", value):
        return json.dumps(value)
    return str(value)


@dataclass(frozen=True, slots=True)
class ColumnType:
    """``n_max`` None is unlimited; ``value`` makes it a map."""

    key: Atom
    value: Atom | None = None
    n_min: int = 1
    n_max: int | None = 1

    @property
    def is_map(self) -> bool:
        return self.value is not None

    @property
    def default(self) -> object:
        """What a new row has."""
        return self.of_items({}) if self.n_min == 0 else _DEFAULTS[self.key.kind]

    def items(self, value: object) -> dict[object, object]:
        """What ``value`` holds: its pairs, or its atoms as keys of None."""
        return dict(self._pairs(value))

    def of_items(self, items: Mapping[object, object]) -> object:
        """The value that holds ``items``; the other way round."""
        return dict(items) if self.is_map else self._of_atoms(tuple(items))

    def check_count(self, n_items: int) -> None:
        """Raise if there are more items than a value can hold."""
        if self.n_max is not None and n_items > self.n_max:
            raise OvsTextError(
                f"set must have {self.n_min} to {self.n_max} members but {n_items} are present"
            )

    def check(self, value: object) -> None:
        """Raise the database's sentence if ``value`` is not allowed here."""
        pairs = self._pairs(value)
        self.check_count(len(pairs))
        for atom, item in pairs:
            self.key.check(atom)
            if self.value is not None:
                self.value.check(item)

    @property
    def row(self) -> Atom | None:
        """The atom that is a row, if one is."""
        for atom in (self.key, self.value):
            if atom is not None and atom.kind is AtomKind.ROW:
                return atom
        return None

    def rows_of(self, value: object) -> list[object]:
        """The rows in a value of a column that holds some."""
        pairs = self._pairs(value)
        return [atom for atom, _ in pairs] if self.value is None else [item for _, item in pairs]

    def replace_rows(self, value: object, convert: Callable[[Any], object]) -> object:
        """``value`` with ``convert(row)`` for each row in it, without those for which that is
        None.
        """
        if self.value is not None:
            return {atom: convert(item) for atom, item in self._pairs(value)}
        converted = (convert(row) for row in self.rows_of(value))
        return self._of_atoms(tuple(row for row in converted if row is not None))

    def _pairs(self, value: object) -> list[tuple[object, object]]:
        if isinstance(value, Mapping):
            return list(value.items())
        if isinstance(value, tuple):
            return [(atom, None) for atom in value]
        return [] if value is None else [(value, None)]

    def _of_atoms(self, atoms: tuple[object, ...]) -> object:
        if self.n_max == 1:
            return atoms[0] if atoms else None
        return atoms


_DEFAULTS: dict[AtomKind, object] = {
    AtomKind.STRING: "",
    AtomKind.INTEGER: 0,
    AtomKind.BOOLEAN: False,
}


# -- columns of a table, as fields of a frozen dataclass

STRING = Atom(AtomKind.STRING)
BOOLEAN = Atom(AtomKind.BOOLEAN)


def integer(minimum: int | None = None, maximum: int | None = None) -> Atom:
    """An integer, within limits if any are given."""
    return Atom(AtomKind.INTEGER, minimum=minimum, maximum=maximum)


def word(*choices: str) -> Atom:
    """A string of an enumeration."""
    return Atom(AtomKind.STRING, choices=tuple(sorted(choices)))


def row(table: str) -> Atom:
    """A row of ``table``."""
    return Atom(AtomKind.ROW, table=table)


def weak_row(table: str) -> Atom:
    """A row of ``table`` that may go away, and is referred to by its name."""
    return Atom(AtomKind.ROW, table=table, is_weak=True)


def key(atom: Atom = STRING) -> Any:
    """A column that a new row must set and nothing changes afterwards."""
    return field(metadata={"type": ColumnType(atom), "read_only": True})


def one(atom: Atom) -> Any:
    """A column with one value; its default is the atom's."""
    column_type = ColumnType(atom)
    return field(default=column_type.default, metadata={"type": column_type})


def optional(atom: Atom) -> Any:
    """A column with a value or None."""
    return field(default=None, metadata={"type": ColumnType(atom, n_min=0)})


def many(atom: Atom, n_max: int | None = None) -> Any:
    """A column with a set of values, kept in the order in which they came."""
    return field(default=(), metadata={"type": ColumnType(atom, n_min=0, n_max=n_max)})


def mapping(of: Atom = STRING, to: Atom = STRING) -> Any:
    """A column with a map."""
    column_type = ColumnType(of, to, n_min=0, n_max=None)
    return field(default_factory=dict, metadata={"type": column_type})
