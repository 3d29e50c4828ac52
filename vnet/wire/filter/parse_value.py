"""What stands behind a qualifier: numbers, names, addresses and networks."""

from __future__ import annotations

from vnet.wire.filter import syntax
from vnet.wire.filter.cursor import Cursor
from vnet.wire.filter.errors import FilterError
from vnet.wire.filter.syntax import Number, Qualifier, Test
from vnet.wire.filter.tokens import Kind

_MASK_HINT = "a network is written '10.1.0.0/16', '10.1/16' or '10.1 mask 255.255'"


def values(cursor: Cursor, qualifier: Qualifier) -> Test:
    """A value, its negation, or several in a parenthesis."""
    if cursor.text == "!":
        cursor.enter()
        negated = values(cursor, qualifier)
        cursor.leave()
        return syntax.Not(negated)
    if cursor.text == "(":
        cursor.enter()
        first = values(cursor, qualifier)
        rest: list[tuple[bool, Test]] = []
        while cursor.text in ("and", "or"):
            rest.append((cursor.next().text == "and", values(cursor, qualifier)))
        cursor.leave(")")
        return syntax.Chain(first, tuple(rest)) if rest else first
    if cursor.at_value():
        return syntax.Match(qualifier, value(cursor))
    hint = f"'{qualifier.kind or qualifier.direction}' takes a value"
    if qualifier.kind == "proto" and cursor.token.kind is Kind.KEYWORD:
        hint = f"'{cursor.text}' is a keyword: write '\\{cursor.text}'"
    raise cursor.unexpected(hint)


def value(cursor: Cursor) -> syntax.Operand:
    """One value, with the mask that follows it, if any."""
    found = cursor.next().value
    assert found is not None, "the caller has looked"
    if cursor.text not in ("/", "mask"):
        return found
    if isinstance(found, syntax.Ipv4):
        return _masked(cursor, found)
    if isinstance(found, syntax.Ipv6) and cursor.text == "/":
        cursor.next()
        length = _prefix_length(cursor, 128)
        _no_host_bits(found.value, (1 << 128) - (1 << (128 - length)), found.column)
        return syntax.Ipv6(found.value, length, found.column)
    raise cursor.unexpected(_MASK_HINT)


def _masked(cursor: Cursor, address: syntax.Ipv4) -> syntax.Ipv4Net:
    network = address.value << (32 - address.bits)
    if cursor.next().text == "/":
        mask = (1 << 32) - (1 << (32 - _prefix_length(cursor, 32)))
    else:
        given = cursor.token.value
        if not isinstance(given, syntax.Ipv4):
            raise cursor.unexpected(_MASK_HINT)
        cursor.next()
        mask = given.value << (32 - given.bits)
    _no_host_bits(network, mask, address.column)
    return syntax.Ipv4Net(network, mask, address.column)


def _prefix_length(cursor: Cursor, bits: int) -> int:
    length: Number = cursor.number(_MASK_HINT)
    if length.value > bits:
        raise FilterError(f"a prefix has no {length.value} bits", f"at most {bits}", length.column)
    return length.value


def _no_host_bits(network: int, mask: int, column: int) -> None:
    if network & ~mask:
        hint = "all bits behind the prefix, or outside the mask, must be 0"
        raise FilterError("the network has host bits set", hint, column)
