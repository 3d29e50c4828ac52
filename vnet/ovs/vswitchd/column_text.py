"""Values of columns as text (ovs-vsctl(8), "Database Values").

Atoms or ``key=value`` pairs, with commas or spaces between; brackets around a set and braces
around a map, if one likes, and necessarily around nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.column import Atom, AtomKind, ColumnType

RowOf = Callable[[str], object]
"""From a text to the row that it stands for."""

_DELIMITERS = ":=, []{}!<>"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_RANGE = re.compile(r"([+-]?[0-9]+)-([+-]?[0-9]+)")
_MAX_RANGE = 4096
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def parse_value(known: ColumnType, text: str, row_of: RowOf) -> object:
    """The value of a column."""
    items = parse_items(known, text, row_of)
    for limit, word, is_beyond in (
        (known.n_min, "minimum", len(items) < known.n_min),
        (known.n_max, "maximum", known.n_max is not None and len(items) > known.n_max),
    ):
        if is_beyond:
            noun = "pair(s)" if known.is_map else "value(s)"
            raise OvsTextError(
                f"{text}: {len(items)} {noun} specified but the {word} number is {limit}"
            )
    return known.of_items(items)


def parse_items(known: ColumnType, text: str, row_of: RowOf) -> dict[object, object]:
    """As :func:`parse_value`, any number of items, as :meth:`ColumnType.items` has them."""
    return _Reader(text, known, row_of).read()


def parse_atom(atom: Atom, text: str, row_of: RowOf) -> object:
    """One atom."""
    if atom.kind is AtomKind.ROW:
        return row_of(text)
    value = _PARSERS[atom.kind](text)
    atom.check(value)
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


class Setting(NamedTuple):
    """``COLUMN=VALUE`` or ``COLUMN:KEY=VALUE``, its parts still text."""

    column: str
    key: str | None
    value: str


def parse_setting(text: str) -> Setting:
    """Take a setting apart."""
    column, at = next_token(text, 0)
    if not column:
        raise OvsTextError(f"{text}: missing column name")
    key = None
    if text.startswith(":", at):
        key, at = next_token(text, at + 1)
    if not text.startswith("=", at) or at + 1 == len(text):
        raise OvsTextError(f'{text}: argument does not end in "=" followed by a value.')
    return Setting(column, key, text[at + 1 :])


class _Reader:
    """Reads the items of one value from left to right."""

    def __init__(self, text: str, known: ColumnType, row_of: RowOf) -> None:
        self._text = text
        self._known = known
        self._row_of = row_of
        self._at = 0

    def read(self) -> dict[object, object]:
        opening, closing = "{}" if self._known.is_map else "[]"
        self._skip_spaces()
        end = ""
        if self._char == opening:
            end = closing
            self._step()
        elif not self._char:
            kind = "map" if self._known.is_map else "set"
            raise OvsTextError(f'use "{opening}{closing}" to specify the empty {kind}')
        items: dict[object, object] = {}
        while self._char and self._char != end:
            if self._char in _DELIMITERS:
                raise OvsTextError(f'{self._text}: unexpected "{self._char}"')
            items.update(self._read_item())
            self._skip_spaces()
            if self._char == ",":
                self._step()
        if end:
            self._close(end)
        return items

    def _read_item(self) -> dict[object, object]:
        start = self._at
        token = self._token()
        if self._known.value is None:
            return dict.fromkeys(self._expand(token))
        atom = parse_atom(self._known.key, token, self._row_of)
        self._skip_spaces()
        if self._char != "=":
            raise OvsTextError(
                f'{self._text[start:]}: syntax error at "{self._char}" expecting "="'
            )
        self._step()
        return {atom: parse_atom(self._known.value, self._token(), self._row_of)}

    def _expand(self, token: str) -> list[object]:
        """The atoms of one token: several for a range of integers."""
        found = _RANGE.fullmatch(token) if self._known.key.kind is AtomKind.INTEGER else None
        if found is None:
            return [parse_atom(self._known.key, token, self._row_of)]
        first, last = int(found[1]), int(found[2])
        if last < first:
            raise OvsTextError(f'"{token}" is not a valid range. Range end cannot be before start.')
        if last - first >= _MAX_RANGE:
            raise OvsTextError(
                f'constraint violation: Range "{first}-{last}" is too big. '
                f"Maximum allowed size is {_MAX_RANGE}."
            )
        for bound in (first, last):
            self._known.key.check(bound)
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
