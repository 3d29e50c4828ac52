"""From text to tree, by recursive descent over the grammar of pcap-filter(7).

Three things are unlike other languages. ``and`` and ``or`` bind alike and to the left. A
value without a qualifier, ``host a or b``, takes the last one. And a parenthesis may hold
tests, values or arithmetic, which only what stands inside tells.
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.base.text import did_you_mean, quote
from vnet.wire.filter import syntax
from vnet.wire.filter.cursor import Cursor
from vnet.wire.filter.errors import FilterError
from vnet.wire.filter.names import DIRECTIONS, KEYWORDS, KINDS
from vnet.wire.filter.parse_number import arithmetic, starts_arithmetic
from vnet.wire.filter.parse_value import value, values
from vnet.wire.filter.syntax import Arithmetic, Number, Qualifier, Test
from vnet.wire.filter.tokens import Token, tokenize

MAX_CHARACTERS = 4096

_COMPARISONS = frozenset((">", ">=", "<", "<=", "=", "!="))
_CASTS = ("broadcast", "multicast")
_ARITHMETIC = (Number, syntax.Length, syntax.Load, syntax.Negate, syntax.Binary)
_KIND_HINT = "say what it is: host, net, port, ..."
_USUAL_WORDS = ("host", "net", "port", "src", "dst", "ether", "ip", "ip6", "arp", "vlan")
_FIRST_WORDS = (
    *_USUAL_WORDS,
    *sorted(KEYWORDS.difference(_USUAL_WORDS, ("and", "or", "!", "mask"))),
)


class _Parsed(NamedTuple):
    """A test, with the qualifier that a bare value after it would take.

    ``is_value`` tells a value that took its qualifier from before.
    """

    test: Test
    qualifier: Qualifier | None
    is_value: bool = False


def parse(text: str) -> Test | None:
    """The tree of a filter; None for an empty one. Raises :class:`FilterError`."""
    if len(text) > MAX_CHARACTERS:
        what = f"the filter has {len(text)} characters"
        raise FilterError(what, f"at most {MAX_CHARACTERS} are read", MAX_CHARACTERS + 1)
    cursor = Cursor(tokenize(text))
    if cursor.at_end():
        return None
    parsed = _closed(cursor, _expression(cursor, None, values_first=False))
    if not cursor.at_end():
        raise cursor.unexpected("'and' or 'or' joins two tests")
    return parsed.test


def _closed(cursor: Cursor, parsed: _Parsed | Arithmetic) -> _Parsed:
    """A test; arithmetic that is compared with nothing is none."""
    if isinstance(parsed, _ARITHMETIC):
        raise cursor.unexpected("arithmetic is compared: '=', '!=', '<', '<=', '>' or '>='")
    return parsed


def _expression(
    cursor: Cursor, before: Qualifier | None, *, values_first: bool
) -> _Parsed | Arithmetic:
    """Tests joined by ``and`` and ``or``.

    ``values_first``: whether a value may come first, to take ``before`` as its qualifier.
    Arithmetic comes back where nothing else stands before a closing parenthesis.
    """
    first = _test(cursor, before, values_too=values_first, open_end=True)
    if isinstance(first, _ARITHMETIC):
        return first
    rest: list[tuple[bool, Test]] = []
    qualifier = first.qualifier
    while cursor.text in ("and", "or"):
        is_and = cursor.next().text == "and"
        start = cursor.token
        parsed = _closed(cursor, _test(cursor, qualifier, values_too=True))
        if first.is_value and not parsed.is_value:
            hint = "a parenthesis that starts with a value holds values only"
            raise FilterError(f"{quote(start.text)} is no value", hint, start.column)
        qualifier = parsed.qualifier
        rest.append((is_and, parsed.test))
    if not rest:
        return first
    return _Parsed(syntax.Chain(first.test, tuple(rest)), qualifier, first.is_value)


def _test(
    cursor: Cursor, before: Qualifier | None, *, values_too: bool, open_end: bool = False
) -> _Parsed | Arithmetic:
    """One test; ``open_end``: or arithmetic that stands before a closing parenthesis."""
    if cursor.text == "!":
        cursor.enter()
        inner = _closed(cursor, _test(cursor, before, values_too=values_too))
        cursor.leave()
        return inner._replace(test=syntax.Not(inner.test))
    if cursor.text == "(":
        cursor.enter()
        group = _expression(cursor, before, values_first=values_too)
        cursor.leave(")")
        if not isinstance(group, _ARITHMETIC):
            return _Parsed(group.test, before, group.is_value)
        left = arithmetic(cursor, group)
    elif starts_arithmetic(cursor):
        cursor.start_comparison()
        left = arithmetic(cursor)
    elif cursor.at_value():
        if not values_too:
            raise _alone(cursor.token)
        return _bare(value(cursor), before)
    else:
        return _primitive(cursor)

    if cursor.text in _COMPARISONS:
        sign = cursor.next().text
        return _Parsed(syntax.Relation(sign, left, arithmetic(cursor)), None)
    if values_too and isinstance(left, Number) and not (open_end and cursor.text == ")"):
        return _bare(left, before)
    return left


def _alone(token: Token) -> FilterError:
    hint = _KIND_HINT
    if isinstance(token.value, syntax.Name):
        hint = did_you_mean(token.text, _FIRST_WORDS, "a test begins with a word such as")
    return FilterError(f"{quote(token.text)} stands alone", hint, token.column)


def _bare(found: syntax.Operand, before: Qualifier | None) -> _Parsed:
    """A value that takes its qualifier from before."""
    if before is None:
        raise FilterError("nothing qualifies this value", _KIND_HINT, found.column)
    return _Parsed(syntax.Match(before, found), before, is_value=True)


def _primitive(cursor: Cursor) -> _Parsed:
    token = cursor.token
    if cursor.at_protocol():
        cursor.next()
        if cursor.text in _CASTS:
            return _Parsed(syntax.Cast(cursor.next().text, token.text, token.column), None)
        if cursor.text in DIRECTIONS or cursor.text in KINDS:
            return _qualified(cursor, token.text)
        return _Parsed(syntax.Protocol(token.text, token.column), None)
    if token.text in DIRECTIONS or token.text in KINDS:
        return _qualified(cursor, "")
    if token.text in _CASTS:
        cursor.next()
        return _Parsed(syntax.Cast(token.text, "", token.column), None)
    if token.text in ("less", "greater"):
        cursor.next()
        limit = cursor.number(f"'{token.text}' takes a number of bytes")
        sign = "<=" if token.text == "less" else ">="
        return _Parsed(syntax.Relation(sign, syntax.Length(), limit), None)
    if token.text == "vlan":
        cursor.next()
        return _Parsed(syntax.Vlan(_vid(cursor), token.column), None)
    raise cursor.unexpected("here a test must begin")


def _vid(cursor: Cursor) -> int | None:
    """The number after ``vlan``, if there is one, bare or in parentheses."""
    if cursor.text == "(":
        cursor.enter()
        vid = _vid(cursor)
        if vid is None:
            raise cursor.unexpected("'vlan' takes a number, and 'and' before another test")
        cursor.leave(")")
        return vid
    found = cursor.token.value
    if isinstance(found, Number):
        cursor.next()
        return found.value
    return None


def _qualified(cursor: Cursor, protocol: str) -> _Parsed:
    direction = kind = ""
    if cursor.text in DIRECTIONS:
        direction = _direction(cursor)
    if cursor.text in KINDS and not (direction and cursor.text == "proto"):
        kind = cursor.next().text
    qualifier = Qualifier(protocol, direction, kind)
    return _Parsed(values(cursor, qualifier), qualifier)


def _direction(cursor: Cursor) -> str:
    """src, dst, or the word that joins both."""
    first = cursor.next().text
    other = "dst" if first == "src" else "src"
    if cursor.text in ("and", "or") and cursor.peek().text == other:
        joint = cursor.next().text
        cursor.next()
        return joint
    return first
