"""The words, numbers, addresses and signs of a filter's text.

The longest reading wins, as in libpcap: ``80-90`` and ``len-14`` are one word each, and
only spaces make a subtraction of them.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

from vnet.base.text import quote
from vnet.wire.filter import syntax
from vnet.wire.filter.errors import FilterError
from vnet.wire.filter.names import ALIASES, CONSTANTS, KEYWORDS, REFUSED


class Kind(Enum):
    KEYWORD = auto()
    VALUE = auto()
    SIGN = auto()
    END = auto()


class Token(NamedTuple):
    """``value`` is set for values alone; ``text`` has one spelling a meaning."""

    kind: Kind
    text: str
    column: int
    value: syntax.Operand | None = None


_HEX = "[0-9A-Fa-f]"
_NUMBER = rf"(?:0[xX]{_HEX}+|[0-9]+)"
_DOTTED = rf"{_NUMBER}(?:\.{_NUMBER}){{3}}"
_GROUP = rf"{_HEX}{{1,4}}"
_BYTE = rf"{_HEX}{{1,2}}"

# In libpcap's order: of two readings of one length the first wins.
_PATTERNS = (
    ("mac", "|".join(rf"{_BYTE}(?:{sign}{_BYTE}){{5}}" for sign in (":", "-", r"\."))),
    ("mac", rf"{_HEX}{{4}}\.{_HEX}{{4}}\.{_HEX}{{4}}|{_HEX}{{12}}"),
    ("number", _NUMBER),
    ("ipv4", rf"{_NUMBER}(?:\.{_NUMBER}){{1,3}}"),
    ("ipv6", rf"(?:{_GROUP}:){{6}}{_DOTTED}|(?:{_GROUP}:){{7}}{_GROUP}"),
    ("ipv6", rf"(?:{_GROUP}(?::{_GROUP})*)?::(?:(?:{_GROUP}:)*(?:{_DOTTED}|{_GROUP}))?"),
    ("bad address", rf"{_HEX}*:{_HEX}*:[0-9A-Fa-f:.]*"),
    ("word", r"[A-Za-z0-9](?:[-_.A-Za-z0-9]*[.A-Za-z0-9])?"),
    ("escaped", r"\\[^ !()\n\t]+"),
    ("sign", r"&&|\|\||>=|<=|!=|==|<<|>>|[-+*/%:\[\]!<>()&|^=]"),
)
_READINGS = tuple((what, re.compile(pattern)) for what, pattern in _PATTERNS)
_SPACE = re.compile(r"[ \r\n\t]*")


def tokenize(text: str) -> list[Token]:
    """The tokens of ``text``, END last. Raises :class:`FilterError`."""
    tokens: list[Token] = []
    at = _end_of_space(text, 0)
    while at < len(text):
        what, piece = _longest(text, at)
        tokens.append(_token(what, piece, at + 1))
        at = _end_of_space(text, at + len(piece))
    tokens.append(Token(Kind.END, "the end", len(text) + 1))
    return tokens


def _end_of_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space is not None, "an empty match is a match"
    return space.end()


def _longest(text: str, at: int) -> tuple[str, str]:
    best, piece = "", ""
    for what, pattern in _READINGS:
        found = pattern.match(text, at)
        if found is not None and len(found[0]) > len(piece):
            best, piece = what, found[0]
    if not piece:
        raise FilterError(
            f"{quote(text[at])} has no meaning here", "see pcap-filter(7) for the language", at + 1
        )
    return best, piece


def _token(what: str, piece: str, column: int) -> Token:
    if what == "sign":
        text = ALIASES.get(piece, piece)
        return Token(Kind.KEYWORD if text in KEYWORDS else Kind.SIGN, text, column)
    if what == "word":
        return _word(piece, column)
    return Token(Kind.VALUE, piece, column, _value(what, piece, column))


def _word(piece: str, column: int) -> Token:
    text = ALIASES.get(piece, piece)
    if text in KEYWORDS:
        return Token(Kind.KEYWORD, text, column)
    if piece in REFUSED:
        raise FilterError(f"{quote(piece)} cannot be used here", f"it {REFUSED[piece]}", column)
    if piece in CONSTANTS:
        return Token(Kind.VALUE, piece, column, syntax.Number(CONSTANTS[piece], column))
    return Token(Kind.VALUE, piece, column, syntax.Name(piece, column))


def _value(what: str, piece: str, column: int) -> syntax.Operand:
    if what == "number":
        return syntax.Number(_number(piece, column), column)
    if what == "ipv4":
        return _ipv4(piece, column)
    if what == "ipv6":
        try:
            return syntax.Ipv6(int(IPv6Address(piece)), 128, column)
        except AddressValueError:
            raise FilterError(f"{quote(piece)} is no IPv6 address", "", column) from None
    if what == "mac":
        return syntax.EtherAddress(_mac(piece), column)
    if what == "escaped":
        return syntax.Name(piece[1:], column)
    raise FilterError(
        f"{quote(piece)} is no address",
        "a MAC address has six bytes, an IPv6 address eight groups or '::'",
        column,
    )


def _number(piece: str, column: int) -> int:
    """Hexadecimal after 0x, octal after 0, decimal otherwise."""
    if piece[:2] in ("0x", "0X"):
        value = int(piece, 16)
    elif piece[0] == "0":
        if "8" in piece or "9" in piece:
            raise FilterError(
                f"{quote(piece)} has a digit that is not octal", "as a leading 0 says", column
            )
        value = int(piece, 8)
    else:
        value = int(piece) if len(piece) <= 10 else 1 << 32
    if value >= 1 << 32:
        raise FilterError(f"{quote(piece)} does not fit 32 bits", "", column)
    return value


def _ipv4(piece: str, column: int) -> syntax.Ipv4:
    parts = piece.split(".")
    if not all(part.isdigit() and len(part.lstrip("0")) <= 3 for part in parts) or any(
        int(part) > 255 for part in parts
    ):
        raise FilterError(f"{quote(piece)} is no IPv4 address", "four numbers up to 255", column)
    value = int.from_bytes(bytes(int(part) for part in parts), "big")
    return syntax.Ipv4(value, 8 * len(parts), column)


def _mac(piece: str) -> bytes:
    """Six bytes, one or two digits each, or three groups of four, or twelve digits."""
    groups = re.split(r"[-:.]", piece)
    if len(groups) == 6:
        return bytes(int(group, 16) for group in groups)
    return bytes.fromhex("".join(groups))
