"""The smallest parts of Open vSwitch's texts: ``key=value`` pairs, and numbers as C reads them.

A pair is ``key``, ``key=value``, ``key:value`` or ``key(value)``; pairs are set apart by commas
and white space. Inside a value, commas and spaces between parentheses belong to it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from vnet.base.text import with_readable_numbers
from vnet.ovs.flow.errors import OvsTextError

_DELIMITERS = ", \t\r\n"
_SIMPLE_PAIR = re.compile(r"(?=[^, \t\r\n])([^:=, \t\r\n]*)(?:[:=]([^, \t\r\n]*))?")
"""A pair in a text without parentheses."""
_KEY = re.compile(r"[, \t\r\n]*([^:=(, \t\r\n]*)([:=(]?)")
_PARENTHESIS = re.compile(r"[()]")
_VALUE_STOP = re.compile(r"[(, \t\r\n]")
_ARGUMENT_STOP = re.compile(r"[()]")


def key_values(text: str) -> list[tuple[str, str]]:
    """All pairs in order; a key without a value has the value ``""``."""
    if "(" not in text:
        return _SIMPLE_PAIR.findall(text)
    pairs: list[tuple[str, str]] = []
    at = 0
    while True:
        key, value, at = next_pair(text, at)
        if at < 0:
            return pairs
        pairs.append((key, value))


def next_pair(text: str, at: int) -> tuple[str, str, int]:
    """The pair at or after ``at`` and where to go on; -1 if there is none."""
    found = _KEY.match(text, at)
    assert found is not None, "every part of the pattern may be empty"
    key, delimiter = found.groups()
    at = found.end()
    if not delimiter:
        if not key and at == len(text):
            return "", "", -1
        return key, "", at + 1
    if delimiter == "(":
        end = _value_end(text, at, _ARGUMENT_STOP)
        if text.startswith(")->", end):
            end = _value_end(text, end + 1, _VALUE_STOP)
    else:
        end = _value_end(text, at, _VALUE_STOP)
    return key, text[at:end], end + 1


def _value_end(text: str, at: int, stop: re.Pattern[str]) -> int:
    """Where a value ends: at what ``stop`` finds, unless that opens a parenthesis."""
    while True:
        found = stop.search(text, at)
        if found is None:
            return len(text)
        if found.group() != "(":
            return found.start()
        at = after_parenthesis(text, found.start())


def after_parenthesis(text: str, at: int) -> int:
    """The place after the parenthesis that closes the one at ``at``; the end if none does."""
    level = 0
    for found in _PARENTHESIS.finditer(text, at):
        level += 1 if found.group() == "(" else -1
        if level == 0:
            return found.end()
    return len(text)


_C_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))\Z")
_C_DECIMAL = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+\Z")


@lru_cache(maxsize=4096)
def c_integer(text: str) -> int | None:
    """What strtol(3) makes of ``text`` with base 0 (hexadecimal, octal, decimal); None if it
    would leave anything unread.
    """
    found = _C_INTEGER.match(text)
    if found is None:
        return None
    sign, hexadecimal, octal, decimal = found.groups()
    if decimal:
        value = int(with_readable_numbers(decimal))
    else:
        value = int(hexadecimal, 16) if hexadecimal else int(octal, 8)
    return -value if sign == "-" else value


def c_decimal(text: str) -> int | None:
    """What strtol(3) makes of ``text`` with base 10; None if it would leave anything unread."""
    return int(with_readable_numbers(text)) if _C_DECIMAL.match(text) else None


def _parse_small(text: str, what: str, greatest: int) -> int:
    value = c_integer(text)
    if value is None or not 0 <= value <= greatest:
        raise OvsTextError(f'invalid {what} "{text}"')
    return value


def parse_u8(text: str, what: str) -> int:
    """A number of 8 bits; ``what`` names it in the error."""
    return _parse_small(text, what, 0xFF)


def parse_u16(text: str, what: str) -> int:
    """A number of 16 bits; ``what`` names it in the error."""
    return _parse_small(text, what, 0xFFFF)


def parse_u64(text: str) -> int:
    """A number of 64 bits. As strtoull(3) has it, a negative one counts down from 2**64."""
    if not text:
        raise OvsTextError("missing required numeric argument")
    value = c_integer(text)
    if value is None or abs(value) >= 1 << 64:
        raise OvsTextError(f"invalid numeric format {text}")
    return value & (1 << 64) - 1


def parse_u32(text: str) -> int:
    """A number of 32 bits: of one of 64 bits, as Open vSwitch has it, the lower half."""
    return parse_u64(text) & 0xFFFFFFFF
