"""Arithmetic, by precedence climbing."""

from __future__ import annotations

from vnet.wire.filter import syntax
from vnet.wire.filter.cursor import Cursor
from vnet.wire.filter.errors import FilterError
from vnet.wire.filter.syntax import Arithmetic, Number

_PRECEDENCE = {"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5}
_UNARY = 6
_LOOSE = frozenset(("^", "%"))
"""libpcap's grammar gives these no precedence: each takes all that stands to its right,
and before it only the operand next to it."""


def starts_arithmetic(cursor: Cursor) -> bool:
    """Whether arithmetic begins here, a parenthesis apart: that may hold anything."""
    if cursor.at_protocol():
        return cursor.peek().text == "["
    return cursor.text in ("-", "len") or isinstance(cursor.token.value, Number)


def arithmetic(cursor: Cursor, left: Arithmetic | None = None, above: int = 0) -> Arithmetic:
    """An operand, ``left`` where it is read already, and operators that bind above ``above``."""
    if left is None:
        left = _operand(cursor)
    while True:
        sign = cursor.token
        if sign.text in _LOOSE:
            cursor.count_operator()
            cursor.enter()
            right = arithmetic(cursor)
            cursor.leave()
        elif _PRECEDENCE.get(sign.text, 0) > above:
            cursor.count_operator()
            cursor.next()
            right = arithmetic(cursor, above=_PRECEDENCE[sign.text])
        else:
            return left
        left = syntax.Binary(sign.text, left, right, sign.column)


def _operand(cursor: Cursor) -> Arithmetic:
    if cursor.text == "(":
        cursor.enter()
        inner = arithmetic(cursor)
        cursor.leave(")")
        return inner
    if cursor.text == "-":
        cursor.enter()
        negated = arithmetic(cursor, above=_UNARY)
        cursor.leave()
        return syntax.Negate(negated)
    if cursor.text == "len":
        cursor.next()
        return syntax.Length()
    if cursor.at_protocol():
        return _load(cursor)
    return cursor.number("here a number, 'len' or 'proto[offset:size]' is due")


def _load(cursor: Cursor) -> Arithmetic:
    protocol = cursor.next()
    if cursor.text != "[":
        raise cursor.unexpected(f"in arithmetic write '{protocol.text}[offset]'")
    cursor.enter()
    index = arithmetic(cursor)
    size_bytes = 1
    if cursor.text == ":":
        cursor.next()
        size = cursor.number("a size is 1, 2 or 4")
        if size.value not in (1, 2, 4):
            raise FilterError(f"{size.value} bytes cannot be read", "1, 2 or 4", size.column)
        size_bytes = size.value
    cursor.leave("]")
    return syntax.Load(protocol.text, index, size_bytes, protocol.column)
