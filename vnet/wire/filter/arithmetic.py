"""Comparisons of numbers out of a frame: ``tcp[tcpflags] & tcp-syn != 0``.

All numbers are unsigned and have 32 bits, as BPF's do. A division by zero, like a read
behind the frame's end, makes the whole filter say no.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import NamedTuple

from vnet.wire.filter import checks, syntax
from vnet.wire.filter.checks import Check, Layer
from vnet.wire.filter.errors import FilterError
from vnet.wire.filter.names import (
    ETHER,
    ICMP6_PROTOCOL,
    INDEXED_NETWORK,
    INDEXED_TRANSPORT,
    LINK_PROTOCOLS,
)

Value = Callable[[bytes], int]

_MASK = 0xFFFFFFFF
_IP6_HEADER_BYTES = 40


class Term(NamedTuple):
    """A number to work out, with the checks that must hold first.

    ``constant`` is the number itself where it does not depend on the frame.
    """

    value: Value
    checks: tuple[Check, ...]
    constant: int | None = None


def _constant(number: int) -> Term:
    return Term(lambda _: number, (), number)


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

_COMPUTE: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: (a + b) & _MASK,
    "-": lambda a, b: (a - b) & _MASK,
    "*": lambda a, b: (a * b) & _MASK,
    "/": operator.floordiv,
    "%": operator.mod,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": lambda a, b: a << b & _MASK if b < 32 else 0,
    ">>": lambda a, b: a >> b if b < 32 else 0,
}


def relation(node: syntax.Relation, layer: Layer) -> Check:
    """The frame has the protocols that both sides read, and the comparison holds."""
    left, right = _term(node.left, layer), _term(node.right, layer)
    compare = _COMPARE[node.operator]
    first, second, limit = left.value, right.value, right.constant

    def check(data: bytes) -> bool:
        return compare(first(data), second(data))

    def check_constant(data: bytes) -> bool:
        return compare(first(data), limit)  # type: ignore[arg-type]

    comparison = check if limit is None else check_constant
    return checks.all_of((*left.checks, *right.checks, comparison))


def _term(node: syntax.Arithmetic, layer: Layer) -> Term:
    match node:
        case syntax.Number(value=number):
            return _constant(number)
        case syntax.Length():
            return Term(len, ())
        case syntax.Negate(operand=operand):
            return _negate(_term(operand, layer))
        case syntax.Binary():
            return _binary(node, _term(node.left, layer), _term(node.right, layer))
        case syntax.Load():
            return _load(node, _term(node.index, layer), layer)


def _negate(operand: Term) -> Term:
    if operand.constant is not None:
        return _constant(-operand.constant & _MASK)
    value = operand.value
    return Term(lambda data: -value(data) & _MASK, operand.checks)


def _binary(node: syntax.Binary, left: Term, right: Term) -> Term:
    """Only the checks of the left operand are kept: libpcap drops those of the right."""
    compute, second = _COMPUTE[node.operator], right.constant
    if second == 0 and node.operator in ("/", "%"):
        raise FilterError("a division by zero", "", node.column)
    is_plain_shift = node.operator in ("<<", ">>") and isinstance(node.right, syntax.Number)
    if is_plain_shift and second is not None and second > 31:
        raise FilterError("a shift by more than 31 bits", "", node.column)
    if left.constant is not None and second is not None:
        return _constant(compute(left.constant, second))
    value, other = left.value, right.value
    if second is not None:
        constant = second
        return Term(lambda data: compute(value(data), constant), left.checks)
    return Term(lambda data: compute(value(data), other(data)), left.checks)


def _byte_at(data: bytes, at: int) -> int:
    return data[at]


def _half_at(data: bytes, at: int) -> int:
    number: int = checks.half_at(data, at)[0]
    return number


def _word_at(data: bytes, at: int) -> int:
    number: int = checks.word_at(data, at)[0]
    return number


_READ = {1: _byte_at, 2: _half_at, 4: _word_at}


def _load(node: syntax.Load, index: Term, layer: Layer) -> Term:
    protocol, read = node.protocol, _READ[node.size_bytes]
    payload_at = layer.payload_at
    if protocol == ETHER:
        return Term(_fixed(read, 0, index), index.checks)
    if protocol in INDEXED_NETWORK:
        link = checks.link_type(layer, LINK_PROTOCOLS[protocol])
        return Term(_fixed(read, payload_at, index), (*index.checks, link))
    if protocol in INDEXED_TRANSPORT:
        required = (
            checks.link_type(layer, LINK_PROTOCOLS["ip"]),
            *index.checks,
            checks.byte_is(payload_at + 9, INDEXED_TRANSPORT[protocol]),
            checks.first_fragment(layer),
        )
        return Term(_behind_ip_header(read, payload_at, index), required)
    if protocol == "icmp6":
        required = (
            *index.checks,
            checks.link_type(layer, LINK_PROTOCOLS["ip6"]),
            checks.byte_is(payload_at + 6, ICMP6_PROTOCOL),
        )
        return Term(_fixed(read, payload_at + _IP6_HEADER_BYTES, index), required)
    raise FilterError(f"the bytes of '{protocol}' cannot be read", "", node.column)


def _fixed(read: Callable[[bytes, int], int], base: int, index: Term) -> Value:
    """Counted from ``base``. A constant offset may be negative, which wraps at 32 bits."""
    if index.constant is not None:
        at = (base + index.constant) & _MASK
        if read is _byte_at:
            return lambda data: data[at]
        return lambda data: read(data, at)
    offset = index.value
    return lambda data: read(data, base + offset(data))


def _behind_ip_header(read: Callable[[bytes, int], int], base: int, index: Term) -> Value:
    """Counted from the end of the IPv4 header at ``base``, as long as it says it is."""
    if index.constant is not None:
        at = (base + index.constant) & _MASK
        return lambda data: read(data, at + (data[base] & 0x0F) * 4)
    offset = index.value
    return lambda data: read(data, base + ((offset(data) + (data[base] & 0x0F) * 4) & _MASK))
