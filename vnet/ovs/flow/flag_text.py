"""Sets of flags in text: ``new|trk``, and ``+new-est`` where some of them do not matter."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vnet.ovs.flow import tunnel_flags
from vnet.ovs.flow.errors import OvsTextError

CT_STATES: dict[int, str] = {
    0x01: "new",
    0x02: "est",
    0x04: "rel",
    0x08: "rpl",
    0x10: "inv",
    0x20: "trk",
    0x40: "snat",
    0x80: "dnat",
}
TCP_FLAGS: dict[int, str] = {
    0x001: "fin",
    0x002: "syn",
    0x004: "rst",
    0x008: "psh",
    0x010: "ack",
    0x020: "urg",
    0x040: "ece",
    0x080: "cwr",
    0x100: "ns",
    0x200: "[200]",
    0x400: "[400]",
    0x800: "[800]",
}
TUNNEL_FLAGS: dict[int, str] = {
    tunnel_flags.OAM: "oam",
    tunnel_flags.DONT_FRAGMENT: "df",
    tunnel_flags.CHECKSUM: "csum",
    tunnel_flags.KEY: "key",
}

_UINT32_ONES = 0xFFFFFFFF
_INTEGER = r"[ \t\n\v\f\r]*([+-]?(?:0[xX][0-9a-fA-F]+|0(?![xX])[0-7]*|[1-9][0-9]*))"
_NUMBER = re.compile(_INTEGER)
_MASKED_NUMBER = re.compile(rf"{_INTEGER}/{_INTEGER}")
_SIGNED_FLAG = re.compile(r"([+-])([^+-]*)")
_FLAG = re.compile(r"([^|]*)\|?")


def _bits(flags: int) -> list[int]:
    return [1 << place for place in range(flags.bit_length()) if flags >> place & 1]


def flags_text(names: Mapping[int, str], flags: int) -> str:
    """``syn|ack``; bits without a name in hexadecimal at the end; ``0`` for none."""
    if not flags:
        return "0"
    known = [names[bit] for bit in _bits(flags) if bit in names]
    unknown = sum(bit for bit in _bits(flags) if bit not in names)
    return "|".join([*known, f"{unknown:#x}"] if unknown else known)


def flags_masked_text(names: Mapping[int, str], flags: int, mask: int, full_mask: int) -> str:
    """``syn|ack`` under ``full_mask``, else ``+syn-ack``; ``0/0`` under an empty mask."""
    if mask == full_mask:
        return flags_text(names, flags)
    if not mask:
        return "0/0"
    return "".join(
        ("+" if flags & bit else "-") + names.get(bit, "[Unknown]") for bit in _bits(mask)
    )


def parse_flags(text: str, names: Mapping[int, str], what: str, allowed: int) -> tuple[int, int]:
    """Flags and their mask, 32 ones if it was not given; ``what`` names the flags in errors."""
    found = _MASKED_NUMBER.match(text)
    if found is not None:
        flags, mask = (_scanned(number) & _UINT32_ONES for number in found.groups())
        if (flags | mask) & ~allowed:
            raise _unknown(text, what)
        return flags, mask
    if text[:1] in ("+", "-"):
        return _parse_signed(text, names, what, allowed)
    return _parse_listed(text, names, what, allowed), _UINT32_ONES


def _unknown(text: str, what: str) -> OvsTextError:
    return OvsTextError(f"{text}: unknown {what} flag(s)")


def _scanned(number: str) -> int:
    """A number as scanf's %i reads it: octal after a zero."""
    digits = number.lstrip("+-")
    is_octal = digits[0] == "0" and not digits.lower().startswith("0x")
    value = int(digits, 8 if is_octal else 0)
    return -value if number[0] == "-" else value


def _by_name(names: Mapping[int, str], name: str) -> int | None:
    return next((bit for bit, known in names.items() if known == name), None)


def _parse_signed(text: str, names: Mapping[int, str], what: str, allowed: int) -> tuple[int, int]:
    """``+syn-ack``"""
    flags = mask = 0
    for found in _SIGNED_FLAG.finditer(text):
        sign, name = found.groups()
        rest = text[found.start() + 1 :]
        bit = _by_name(names, name)
        if bit is None:
            raise _unknown(rest, what)
        if mask & bit:
            raise OvsTextError(f"{rest}: Each {what} flag can be specified only once")
        if not bit & allowed:
            raise _unknown(rest, what)
        mask |= bit
        if sign == "+":
            flags |= bit
    return flags, mask


def _parse_listed(text: str, names: Mapping[int, str], what: str, allowed: int) -> int:
    """``syn|ack``, numbers among them."""
    flags = at = 0
    while at < len(text):
        found = _NUMBER.match(text, at)
        if found is not None:
            bits: int | None = _scanned(found[1]) & _UINT32_ONES
            at = found.end() + (text[found.end() : found.end() + 1] == "|")
        else:
            found = _FLAG.match(text, at)
            assert found is not None, "the pattern may be empty"
            bits, at = _by_name(names, found[1]), found.end()
        if bits is None or bits & ~allowed:
            raise _unknown(text, what)
        flags |= bits
    return flags
