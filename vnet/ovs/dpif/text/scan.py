"""Scanning of numbers as scanf(3) does it, in the reading of Open vSwitch (``ovs_scan``).

Each takes a text and a place in it, skips white space, and returns the number and the place
behind it, or None. A number too large keeps its lower bits: that is no error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flag_text import parse_flags
from vnet.ovs.flow.value_text import OutOfRangeError
from vnet.ovs.flow.value_text import scan_integer as scan_field_value

Scanned = tuple[int, int]
"""A value and where it ends."""

_DELIMITERS = re.compile(r"[, \t\r\n]*")
_SPACE = r"[ \t\n\v\f\r]*"
INTEGER = _SPACE + r"([+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+))"
"""A number for patterns, with its sign; :func:`integer_of` has its value."""
_ANY_BASE = re.compile(_SPACE + r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0(?![xX])[0-7]*)|([1-9][0-9]*))")
_DECIMAL = re.compile(_SPACE + r"([+-]?)([0-9]+)")
_HEXADECIMAL = re.compile(_SPACE + r"([+-]?)(?:0[xX])?([0-9a-fA-F]+)")


def skip_delimiters(text: str, at: int) -> int:
    """The place behind any commas and white space."""
    found = _DELIMITERS.match(text, at)
    assert found is not None, "the pattern may be empty"
    return found.end()


def scan_integer(text: str, at: int, n_bits: int) -> Scanned | None:
    """``%i``: hexadecimal after ``0x``, octal after ``0``, else decimal."""
    found = _ANY_BASE.match(text, at)
    if found is None:
        return None
    return _cut(_value(found), n_bits), found.end()


def integer_of(digits: str) -> int:
    """The value of what :data:`INTEGER` found, of any size. Digits behind an octal count not."""
    found = _ANY_BASE.match(digits)
    assert found is not None, "INTEGER takes numbers only"
    return _value(found)


def _value(found: re.Match[str]) -> int:
    sign, hexadecimal, octal, decimal = found.groups()
    if decimal:
        value = int(decimal)
    else:
        value = int(hexadecimal, 16) if hexadecimal else int(octal, 8)
    return -value if sign == "-" else value


def scan_decimal(text: str, at: int, n_bits: int) -> Scanned | None:
    """``%u``"""
    return _scan_base(_DECIMAL, 10, text, at, n_bits)


def scan_hexadecimal(text: str, at: int, n_bits: int) -> Scanned | None:
    """``%x``, with or without ``0x``."""
    return _scan_base(_HEXADECIMAL, 16, text, at, n_bits)


def _scan_base(
    pattern: re.Pattern[str], base: int, text: str, at: int, n_bits: int
) -> Scanned | None:
    found = pattern.match(text, at)
    if found is None:
        return None
    return _cut(int(found[1] + found[2], base), n_bits), found.end()


def _cut(value: int, n_bits: int) -> int:
    return value & (1 << n_bits) - 1


_MASKED_NUMBER = re.compile(f"{INTEGER}/{INTEGER}")


def scan_flags(text: str, at: int, names: Mapping[int, str]) -> tuple[int, int, int] | None:
    """Flags up to a closing parenthesis, their mask (all ones if none is given), and the place
    behind it: ``syn|ack)``, ``+syn-ack)`` or ``0x12/0x12)``.
    """
    end = text.find(")", at)
    if end < 0:
        return None
    number = _MASKED_NUMBER.match(text, at)
    if number is not None and number.end() != end:
        return None
    try:
        flags, mask = parse_flags(text[at:end], names, "", sum(names))
    except OvsTextError:
        return None
    return flags, mask, end + 1


def scan_wide(text: str, at: int, n_bytes: int) -> tuple[int, int, int] | None:
    """A number of many bytes, its mask (all ones if none is given), and where they end.

    In decimal 64 bits are read at most.
    """
    mask: int | None = (1 << 8 * n_bytes) - 1
    try:
        value, end = scan_field_value(text, at, n_bytes)
        if value is not None and text.startswith("/", end):
            mask, end = scan_field_value(text, end + 1, n_bytes)
    except OutOfRangeError:
        return None
    return None if value is None or mask is None else (value, mask, end)
