"""Types of configuration columns, and their values as text (ovs-vsctl(8), "Database Values").

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

_DELIMITERS = ":=, []{}!<>"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_RANGE = re.compile(r"([+-]?[0-9]+)-([+-]?[0-9]+)")
_MAX_RANGE = 4096
_TRUTH = {"true": True, "yes": True, "on": True, "1": True}
_FALSEHOOD = {"false": False, "no": False, "off": False, "0": False}
_BOOLEANS = {**_TRUTH, **_FALSEHOOD}


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

    def parse(self, text: str, row_of: Callable[[str, str], object]) -> object:
        """The value that ``text`` stands for; ``row_of(table, text)`` finds a row."""
        if self.kind is AtomKind.ROW:
            return row_of(self.table, text)
        value = _PARSERS[self.kind](text)
        self.check(value)
        return value


def _parse_string(text: str) -> str:
    if not text:
        raise OvsTextError(
            'An empty string is not valid as input; use "" to represent the empty string'
        )
    if text[0] != '"':
        return text
    if len(text) < 2 or text[-1] != '"':
        raise OvsTextError(f"{text}: missing quote at end of quoted string")
    try:
        return str(json.loads(text))
    except ValueError as error:
        raise OvsTextError(f"{text}: {error}") from None


def _parse_integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise OvsTextError(f'"{text}" is not a valid integer or range')
    return int(text)


def _parse_boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise OvsTextError(f'"{text}" is not a valid boolean (use "true" or "false")')
    return _BOOLEANS[text]


_PARSERS: dict[AtomKind, Callable[[str], object]] = {
    AtomKind.STRING: _parse_string,
    AtomKind.INTEGER: _parse_integer,
    AtomKind.BOOLEAN: _parse_boolean,
}


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
    def is_collection(self) -> bool:
        """Whether it is a set or a map, even if no more than one fits in."""
        return self.is_map or self.n_max != 1

    @property
    def default(self) -> object:
        """What a new row has."""
        if self.is_map:
            return {}
        if self.is_collection:
            return ()
        return None if self.n_min == 0 else _DEFAULTS[self.key.kind]

    def check(self, value: object) -> None:
        """Raise the database's sentence if ``value`` is not allowed here."""
        for key, item in self._items(value):
            self.key.check(key)
            if self.value is not None:
                self.value.check(item)

    def _items(self, value: object) -> list[tuple[object, object]]:
        if isinstance(value, Mapping):
            return list(value.items())
        if self.is_collection:
            assert isinstance(value, tuple)
            return [(atom, None) for atom in value]
        return [] if value is None else [(value, None)]

    def parse(self, text: str, row_of: Callable[[str, str], object]) -> object:
        """The value that ``text`` stands for: atoms or ``key=value`` pairs with commas or spaces
        between, in brackets or braces if one likes; those are required around nothing.
        """
        pairs = _Pairs(text, self).parse(row_of)
        n_items = len(pairs)
        for limit, word, beyond in (
            (self.n_min, "minimum", n_items < self.n_min),
            (self.n_max, "maximum", self.n_max is not None and n_items > self.n_max),
        ):
            if beyond:
                noun = "pair(s)" if self.is_map else "value(s)"
                raise OvsTextError(
                    f"{text}: {n_items} {noun} specified but the {word} number is {limit}"
                )
        if self.is_map:
            return pairs
        if self.is_collection:
            return tuple(pairs)
        return next(iter(pairs), None)


_DEFAULTS: dict[AtomKind, object] = {
    AtomKind.STRING: "",
    AtomKind.INTEGER: 0,
    AtomKind.BOOLEAN: False,
    AtomKind.ROW: None,
}


def next_token(text: str, at: int) -> tuple[str, int]:
    """The token at ``at`` and its end: up to a delimiter, unless quoted or after a backslash."""
    token: list[str] = []
    start = at
    quoted = False
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\":
            if quoted:
                token.append(char)
            if at == len(text):
                raise OvsTextError(f"{text[start:]}: backslash at end of argument")
            token.append(text[at])
            at += 1
        elif not quoted and char in _DELIMITERS:
            at -= 1
            break
        else:
            token.append(char)
            quoted ^= char == '"'
    if quoted:
        raise OvsTextError(f"{text[start:]}: quoted string extends past end of argument")
    return "".join(token), at


class _Pairs:
    """Reads the items of a value from left to right; those of a set are keys without values."""

    def __init__(self, text: str, column_type: ColumnType) -> None:
        self._text = text
        self._type = column_type
        self._at = 0

    def parse(self, row_of: Callable[[str, str], object]) -> dict[object, object]:
        opening, closing = "{}" if self._type.is_map else "[]"
        self._skip_spaces()
        end = ""
        if self._peek() == opening:
            end = closing
            self._at += 1
            self._skip_spaces()
        elif not self._peek():
            kind = "map" if self._type.is_map else "set"
            raise OvsTextError(f'use "{opening}{closing}" to specify the empty {kind}')
        pairs: dict[object, object] = {}
        while (char := self._peek()) and char != end:
            if char in _DELIMITERS:
                raise OvsTextError(f'{self._text}: unexpected "{char}"')
            pairs.update(self._item(row_of))
            self._skip_spaces()
            if self._peek() == ",":
                self._at += 1
                self._skip_spaces()
        if end:
            self._close(end)
        return pairs

    def _item(self, row_of: Callable[[str, str], object]) -> dict[object, object]:
        start = self._at
        token = self._token()
        value_type = self._type.value
        if value_type is None:
            return dict.fromkeys(self._expand(token, row_of))
        key = self._type.key.parse(token, row_of)
        self._skip_spaces()
        if self._peek() != "=":
            raise OvsTextError(
                f'{self._text[start:]}: syntax error at "{self._peek()}" expecting "="'
            )
        self._at += 1
        self._skip_spaces()
        return {key: value_type.parse(self._token(), row_of)}

    def _expand(self, token: str, row_of: Callable[[str, str], object]) -> list[object]:
        """The atoms of one token: several for a range of integers."""
        found = _RANGE.fullmatch(token) if self._type.key.kind is AtomKind.INTEGER else None
        if found is None:
            return [self._type.key.parse(token, row_of)]
        first, last = int(found[1]), int(found[2])
        if last < first:
            raise OvsTextError(f'"{token}" is not a valid range. Range end cannot be before start.')
        if last - first >= _MAX_RANGE:
            raise OvsTextError(
                f'constraint violation: Range "{first}-{last}" is too big. '
                f"Maximum allowed size is {_MAX_RANGE}."
            )
        for bound in (first, last):
            self._type.key.check(bound)
        return list(range(first, last + 1))

    def _token(self) -> str:
        token, self._at = next_token(self._text, self._at)
        return token

    def _close(self, end: str) -> None:
        if self._peek() != end:
            raise OvsTextError(f'{self._text}: missing "{end}" at end of data')
        self._at += 1
        self._skip_spaces()
        if self._peek():
            raise OvsTextError(f'{self._text}: trailing garbage after "{end}"')

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip_spaces(self) -> None:
        while self._peek().isspace():
            self._at += 1


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
