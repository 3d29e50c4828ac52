"""Values of columns as users write them (ovs-vsctl(8), "Database Values").

Atoms or ``key=value`` pairs, with commas or spaces between; brackets around a set and braces
around a map, if one likes, and necessarily around nothing. What is wrong raises
:class:`~vnet.ovs.flow.errors.OvsTextError`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ovsdb.atoms import Atom, Datum, Kind, Uuid, atom_text, is_uuid
from vnet.ovs.ovsdb.base_type import UNLIMITED, BaseType
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.types import ColumnType

RowOf = Callable[[str, BaseType], Uuid]
"""From ``@name``, and the type of the column that it stands in, to the row that it means."""

_DELIMITERS = ":=, []{}!<>"
_INTEGER = re.compile(r"\s*[+-]?[0-9]+")
_RANGE = re.compile(r"(\s*[+-]?[0-9]+)-(\s*[+-]?[0-9]+)")
_REAL = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MAX_RANGE = 4096
_INTEGER_LIMIT = 1 << 63
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def no_rows(text: str, _base: BaseType) -> Uuid:
    """A :data:`RowOf` for where nothing has a name yet."""
    raise OvsTextError(f'"{text}" is not a valid UUID')


def parse_value(known: ColumnType, text: str, row_of: RowOf = no_rows) -> Datum:
    """The value of a column."""
    items = _Reader(text, known, row_of).read()
    for limit, word, is_beyond in (
        (known.n_min, "minimum", len(items) < known.n_min),
        (known.n_max, "maximum", len(items) > known.n_max),
    ):
        if is_beyond:
            noun = "pair(s)" if known.is_map else "value(s)"
            raise OvsTextError(
                f"{text}: {len(items)} {noun} specified but the {word} number is {limit}"
            )
    datum = datum_of(known, items)
    if len(datum) < len(items):
        what = "map contains duplicate key" if known.is_map else "set contains duplicate value"
        raise OvsTextError(f"{text}: {what}")
    return datum


def datum_of(known: ColumnType, items: Iterable[tuple[Any, Any]]) -> Datum:
    """What holds items: pairs, or atoms with None. Of a key's pairs the last counts."""
    unique = dict(items)
    return tuple(sorted(unique.items())) if known.is_map else tuple(sorted(unique))


def items_of(known: ColumnType, datum: Datum) -> dict[Any, Any]:
    """The other way round."""
    return dict(datum) if known.is_map else dict.fromkeys(datum)


def any_number_of(known: ColumnType) -> ColumnType:
    """A type with one member at least, and no limit: of what is added, or taken away."""
    return known.of_size(1, UNLIMITED)


def parse_atom(base: BaseType, text: str, row_of: RowOf = no_rows) -> Atom:
    """One atom."""
    if base.kind == "uuid":
        return _uuid(base, text, row_of)
    atom = _PARSERS[base.kind](text)
    _check(base, atom)
    return atom


def _check(base: BaseType, atom: Atom) -> None:
    try:
        base.check(atom)
    except OvsdbError as error:
        raise OvsTextError(str(error)) from None


def _uuid(base: BaseType, text: str, row_of: RowOf) -> Uuid:
    if text.startswith("@"):
        return row_of(text, base)
    if not is_uuid(text):
        raise OvsTextError(f'"{text}" is not a valid UUID')
    return Uuid.parse(text)


def _string(text: str) -> Atom:
    if not text:
        raise OvsTextError(
            'An empty string is not valid as input; use "" to represent the empty string'
        )
    if text[0] != '"':
        return text
    if len(text) < 2 or text[-1] != '"':
        raise OvsTextError(f"{text}: missing quote at end of quoted string")
    try:
        return str(json.loads(text, strict=False))
    except ValueError as error:
        raise OvsTextError(f"{text}: {error}") from None


def _integer(text: str) -> Atom:
    if not _INTEGER.fullmatch(text) or not -_INTEGER_LIMIT <= int(text) < _INTEGER_LIMIT:
        raise OvsTextError(f'"{text}" is not a valid integer or range')
    return int(text)


def _real(text: str) -> Atom:
    if not _REAL.fullmatch(text) or not math.isfinite(float(text)):
        raise OvsTextError(f'"{text}" is not a valid real number')
    return float(text) or 0.0


def _boolean(text: str) -> Atom:
    if text not in _BOOLEANS:
        raise OvsTextError(f'"{text}" is not a valid boolean (use "true" or "false")')
    return _BOOLEANS[text]


_PARSERS: dict[Kind, Callable[[str], Atom]] = {
    "string": _string,
    "integer": _integer,
    "real": _real,
    "boolean": _boolean,
}


def next_token(text: str, at: int) -> tuple[str, int]:
    """The token at ``at`` and its end: up to a delimiter that is neither quoted nor escaped."""
    token: list[str] = []
    start = at
    is_quoted = False
    while at < len(text):
        char = text[at]
        if char in _DELIMITERS and not is_quoted:
            break
        at += 1
        if char == "\\":
            if at == len(text):
                raise OvsTextError(f"{text[start:]}: backslash at end of argument")
            token.append(char * is_quoted + text[at])
            at += 1
        else:
            token.append(char)
            is_quoted ^= char == '"'
    if is_quoted:
        raise OvsTextError(f"{text[start:]}: quoted string extends past end of argument")
    return "".join(token), at


def bare_text(known: ColumnType, datum: Datum) -> str:
    """A value for scripts: without quotes and brackets, which cannot always be read back."""
    if known.value is None:
        return " ".join(_bare(atom, known.key.kind) for atom in datum)
    key, value = known.key.kind, known.value.kind
    return " ".join(f"{_bare(k, key)}={_bare(v, value)}" for k, v in datum)


def _bare(atom: Atom, kind: Kind) -> str:
    return str(atom) if kind == "string" else atom_text(atom, kind)


class _Reader:
    """Reads the items of one value from left to right."""

    def __init__(self, text: str, known: ColumnType, row_of: RowOf) -> None:
        self._text = text
        self._known = known
        self._row_of = row_of
        self._at = 0

    def read(self) -> list[tuple[Atom, Atom | None]]:
        opening, closing = "{}" if self._known.is_map else "[]"
        self._skip_spaces()
        end = ""
        if self._char == opening:
            end = closing
            self._step()
        elif not self._char:
            kind = "map" if self._known.is_map else "set"
            raise OvsTextError(f'use "{opening}{closing}" to specify the empty {kind}')
        items: list[tuple[Atom, Atom | None]] = []
        while self._char and self._char != end:
            if self._char in _DELIMITERS:
                raise OvsTextError(
                    f'{self._text}: unexpected "{self._char}" parsing {self._known.in_english()}'
                )
            items += self._read_item()
            self._skip_spaces()
            if self._char == ",":
                self._step()
        if end:
            self._close(end)
        return items

    def _read_item(self) -> list[tuple[Atom, Atom | None]]:
        start = self._at
        token = self._token()
        if self._known.value is None:
            return [(atom, None) for atom in self._expand(token)]
        atom = parse_atom(self._known.key, token, self._row_of)
        self._skip_spaces()
        if self._char != "=":
            # At the end there is no character to name, and the sentence ends there.
            where = f'"{self._char}" expecting "="' if self._char else '"'
            raise OvsTextError(f"{self._text[start:]}: syntax error at {where}")
        self._step()
        return [(atom, parse_atom(self._known.value, self._token(), self._row_of))]

    def _expand(self, token: str) -> list[Atom]:
        """The atoms of one token: several for a range of integers."""
        found = _RANGE.fullmatch(token) if self._known.key.kind == "integer" else None
        if found is None:
            return [parse_atom(self._known.key, token, self._row_of)]
        first, last = int(found[1]), int(found[2])
        if last < first:
            raise OvsTextError(f'"{token}" is not a valid range. Range end cannot be before start.')
        for bound in (first, last):
            _check(self._known.key, bound)
        if last - first >= _MAX_RANGE:
            raise OvsTextError(
                f'constraint violation: Range "{first}-{last}" is too big. '
                f"Maximum allowed size is {_MAX_RANGE}."
            )
        return list(range(first, last + 1))

    def _close(self, end: str) -> None:
        if self._char != end:
            raise OvsTextError(f'{self._text}: missing "{end}" at end of data')
        self._step()
        if self._char:
            raise OvsTextError(f'{self._text}: trailing garbage after "{end}"')

    def _token(self) -> str:
        token, self._at = next_token(self._text, self._at)
        return token

    @property
    def _char(self) -> str:
        """The next character, nothing at the end."""
        return self._text[self._at : self._at + 1]

    def _step(self) -> None:
        """Past one character and what space follows."""
        self._at += 1
        self._skip_spaces()

    def _skip_spaces(self) -> None:
        while self._char.isspace():
            self._at += 1
