"""The text of a field's value: how ``ovs-ofctl`` writes it and what it takes.

Values and masks are integers over all bytes in which the field travels, ``n_bytes``; a mask of
all ones over them is an exact match, one of zeros is none. Source: ovs-fields(7), "Format".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from vnet.ovs.flow.address_text import (
    ipv4_masked_text,
    ipv6_masked_text,
    mac_masked_text,
    parse_ipv4_masked,
    parse_ipv6_masked,
    parse_mac_masked,
)
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.field_access import port_from_ofp11, port_to_ofp11
from vnet.ovs.flow.flag_text import (
    CT_STATES,
    TCP_FLAGS,
    TUNNEL_FLAGS,
    flags_masked_text,
    parse_flags,
)
from vnet.ovs.flow.flow import FRAG_ANY, FRAG_LATER
from vnet.ovs.flow.names import Names, parse_port, port_text
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.flow.protocol_numbers import PT_ETHERNET

_STRTOULL = re.compile(r"[ \t\n\v\f\r]*([+-]?)(?:(0[xX][0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))")
_HEX = re.compile(r"0[xX]((?:[ \t\r\n]*[0-9a-fA-F])*)[ \t\r\n]*")
_WHITE_SPACE = re.compile(r"[ \t\r\n]+")


class OutOfRangeError(ValueError):
    """A number with more bytes than the field has."""


def scan_integer(text: str, at: int, n_bytes: int) -> tuple[int | None, int]:
    """A number of up to ``n_bytes`` at ``at``, and where it ends; None if there is none.

    After ``0x`` any number of hexadecimal digits, even none; else 64 bits as strtoull(3) reads
    them. Raises :class:`OutOfRangeError`.
    """
    found = _HEX.match(text, at)
    if found is not None:
        value = int(_WHITE_SPACE.sub("", found[1]) or "0", 16)
    else:
        found = _STRTOULL.match(text, at)
        if found is None:
            return None, at
        sign, hexadecimal, octal, decimal = found.groups()
        value = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
        if value >> 64:
            raise OutOfRangeError
        value = -value & (1 << 64) - 1 if sign == "-" else value
    if value >> 8 * n_bytes:
        raise OutOfRangeError
    return value, found.end()


def hex_text(value: int) -> str:
    """Hexadecimal, but plain ``0`` for zero."""
    return f"{value:#x}" if value else "0"


class Codec(NamedTuple):
    """How one field's values are read and written.

    ``parse`` turns a text into value and mask; ``text`` shows a value under a mask that is not
    empty. Both take the names of ports.
    """

    parse: Callable[[str, Names], tuple[int, int]]
    text: Callable[[int, int, Names], str]


def _integer(name: str, n_bytes: int, *, is_hex: bool) -> Codec:
    """Written in decimal or hexadecimal; both are read everywhere."""
    exact = (1 << 8 * n_bytes) - 1

    def parse(text: str, _names: Names) -> tuple[int, int]:
        what = "value"
        mask: int | None = exact
        try:
            value, end = scan_integer(text, 0, n_bytes)
            if value is not None and text.startswith("/", end):
                what = "mask"
                mask, end = scan_integer(text, end + 1, n_bytes)
        except OutOfRangeError:
            message = f"{text}: {what} too large for {n_bytes}-byte field {name}"
            raise OvsTextError(message) from None
        if value is None or mask is None or end != len(text):
            raise OvsTextError(f"{text}: bad syntax for {name} {what}")
        return value, mask

    def show(value: int, mask: int, _names: Names) -> str:
        shown = hex_text(value) if is_hex else str(value)
        return shown if mask == exact else f"{shown}/{hex_text(mask)}"

    return Codec(parse, show)


def _address(
    parse: Callable[[str], tuple[int, int]], text: Callable[[int, int], str]
) -> Callable[[str, int], Codec]:
    """A format that depends on nothing but the text."""
    codec = Codec(lambda shown, _names: parse(shown), lambda value, mask, _names: text(value, mask))
    return lambda _name, _n_bytes: codec


def _flags(
    _name: str, n_bytes: int, *, flags: Mapping[int, str], what: str, allowed: int, full_mask: int
) -> Codec:
    """Flags by their names. Under ``full_mask`` they are listed, else each has its sign."""
    exact = (1 << 8 * n_bytes) - 1
    # The state of a connection has more bits on the wire than in a flow; OVS shows them all.
    shown_mask = full_mask if full_mask == allowed else exact

    def parse(text: str, _names: Names) -> tuple[int, int]:
        value, mask = parse_flags(text, flags, what, allowed)
        return value, mask & exact

    def show(value: int, mask: int, _names: Names) -> str:
        return flags_masked_text(flags, value, mask & shown_mask, full_mask)

    return Codec(parse, show)


def _port16(name: str, _n_bytes: int) -> Codec:
    """A port of OpenFlow 1.0."""

    def parse(text: str, names: Names) -> tuple[int, int]:
        port = parse_port(text, names)
        if port is None:
            raise OvsTextError(f"{text}: invalid or unknown port for {name}")
        return port, 0xFFFF

    def show(value: int, mask: int, names: Names) -> str:
        return port_text(OfpPort(value), names) if mask == 0xFFFF else _masked_port(value, mask)

    return Codec(parse, show)


def _masked_port(value: int, mask: int) -> str:
    """A port under a mask, as actions may write one, is a number like any other."""
    return f"{value}/{hex_text(mask)}"


def _port32(name: str, _n_bytes: int) -> Codec:
    """A port of OpenFlow 1.1 and later."""

    def parse(text: str, names: Names) -> tuple[int, int]:
        port = parse_port(text, names)
        if port is None:
            raise OvsTextError(f"{text}: port value out of range for {name}")
        return port_to_ofp11(port), 0xFFFFFFFF

    def show(value: int, mask: int, names: Names) -> str:
        if mask != 0xFFFFFFFF:
            return _masked_port(value, mask)
        port = port_from_ofp11(value)
        return port_text(OFPP_NONE if port is None else OfpPort(port), names)

    return Codec(parse, show)


_FRAG_MASK = FRAG_ANY | FRAG_LATER
_FRAGMENTS: tuple[tuple[str, int, int], ...] = (
    ("no", _FRAG_MASK, 0),
    ("first", _FRAG_MASK, FRAG_ANY),
    ("later", _FRAG_MASK, FRAG_ANY | FRAG_LATER),
    ("no", FRAG_ANY, 0),
    ("yes", FRAG_ANY, FRAG_ANY),
    ("not_later", FRAG_LATER, 0),
    ("later", FRAG_LATER, FRAG_LATER),
)
"""Name, mask and value; of two with one name, the first is what the name means."""


def _parse_frag(text: str) -> tuple[int, int]:
    for name, mask, value in _FRAGMENTS:
        if text.lower() == name:
            return value, mask | 0xFF & ~_FRAG_MASK
    known = '"no", "yes", "first", "later", "not_later"'
    raise OvsTextError(f"{text}: unknown fragment type (valid types are {known}")


def frag_text(value: int, mask: int) -> str:
    """The kind of fragments that this value and mask pick out."""
    mask &= _FRAG_MASK
    for name, of_mask, of_value in _FRAGMENTS:
        if (of_mask, of_value) == (mask, value & mask):
            return name
    return "<error>"


def _parse_packet_type(text: str) -> tuple[int, int]:
    """``(NAMESPACE,TYPE)``; what follows the parenthesis is not looked at."""
    at = 0

    def expect(character: str) -> None:
        nonlocal at
        if not text.startswith(character, at):
            raise bad(f"missing '{character}'")
        at += 1

    def number(what: str) -> int:
        nonlocal at
        try:
            value, end = scan_integer(text, at, 2)
        except OutOfRangeError:
            raise bad(what) from None
        if value is None:
            raise bad(what)
        at = end
        return value

    def bad(what: str) -> OvsTextError:
        return OvsTextError(f"{text[start:]}: bad syntax for packet type {what}")

    start = 0
    expect("(")
    start = at
    namespace = number("ns")
    expect(",")
    start = at
    ns_type = number("ns_type")
    expect(")")
    return namespace << 16 | ns_type, 0xFFFFFFFF


def packet_type_text(packet_type: int, mask: int = 0xFFFFFFFF) -> str:
    """``packet_type=(NAMESPACE,TYPE)``, and ``eth`` for the usual one."""
    if packet_type == PT_ETHERNET and mask == 0xFFFFFFFF:
        return "eth"
    halves = ((packet_type >> 16, mask >> 16), (packet_type & 0xFFFF, mask & 0xFFFF))
    return f"packet_type=({','.join(_half_text(*half) for half in halves)})"


def _half_text(value: int, mask: int) -> str:
    if not mask:
        return "*"
    shown = str(value) if value <= 9 else f"{value:#x}"
    return shown if mask == 0xFFFF else f"{shown}/{mask:#x}"


FORMATS: dict[str, Callable[[str, int], Codec]] = {
    "decimal": partial(_integer, is_hex=False),
    "hexadecimal": partial(_integer, is_hex=True),
    "Ethernet": _address(parse_mac_masked, mac_masked_text),
    "IPv4": _address(parse_ipv4_masked, ipv4_masked_text),
    "IPv6": _address(parse_ipv6_masked, ipv6_masked_text),
    "OF1.0_port": _port16,
    "OF1.1+_port": _port32,
    "frag": _address(_parse_frag, frag_text),
    "packet_type": _address(_parse_packet_type, packet_type_text),
    "ct_state": partial(_flags, flags=CT_STATES, what="ct_state", allowed=0xFF, full_mask=0xFFFF),
    "TCP_flags": partial(_flags, flags=TCP_FLAGS, what="TCP", allowed=0xFFF, full_mask=0xFFF),
    "tunnel_flags": partial(_flags, flags=TUNNEL_FLAGS, what="tunnel", allowed=1, full_mask=1),
}
"""The formats by the names that :mod:`vnet.ovs.flow.field_table` has for them."""
