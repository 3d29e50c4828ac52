"""How the numbers inside an attribute are written, read, and masked."""

from __future__ import annotations

from collections.abc import Callable

from vnet.base.record import record
from vnet.ovs.dpif.text.scan import Scanned, scan_integer
from vnet.ovs.flow.address_text import (
    ipv4_text,
    ipv6_text,
    mac_text,
    scan_ipv4,
    scan_ipv6,
    scan_mac,
)
from vnet.ovs.flow.value_text import hex_text

ScannedMasked = tuple[int, int, int]
"""A value, its mask, and where they end."""


@record(frozen=True, slots=True)
class Notation:
    """A way of writing numbers of ``n_bits``.

    ``full_mask`` are the bits that make a mask an exact one; a mask is read or printed only
    where it is not full.
    """

    n_bits: int
    full_mask: int
    text: Callable[[int], str]
    mask_text: Callable[[int], str]
    scan_one: Callable[[str, int], Scanned | None]
    is_enumeration: bool = False
    """Matched whole or not at all: a mask is neither printed nor read."""
    partial_text: Callable[[int], str] | None = None
    """How a value is written before a mask, if not as without one."""

    def is_full(self, mask: int) -> bool:
        """Whether a mask is an exact one."""
        return mask & self.full_mask == self.full_mask

    def masked_text(self, value: int, mask: int | None) -> str:
        """``VALUE`` or ``VALUE/MASK``; no mask is an exact one."""
        if mask is None or self.is_full(mask):
            return self.text(value)
        value_text = self.partial_text or self.text
        return f"{value_text(value)}/{self.mask_text(mask)}"

    def scan(self, text: str, at: int, *, with_mask: bool = True) -> ScannedMasked | None:
        """Read what :meth:`masked_text` writes."""
        scanned = self.scan_one(text, at)
        if scanned is None:
            return None
        value, end = scanned
        if with_mask and not self.is_enumeration and text.startswith("/", end):
            scanned_mask = self.scan_one(text, end + 1)
            if scanned_mask is not None:
                return value, *scanned_mask
        return value, self.full_mask, end


def _integer(n_bits: int, text: Callable[[int], str]) -> Notation:
    def scan(shown: str, at: int) -> Scanned | None:
        return scan_integer(shown, at, n_bits)

    return Notation(n_bits, (1 << n_bits) - 1, text, hex_text, scan)


def decimal(n_bits: int) -> Notation:
    """Decimal, masks in hexadecimal."""
    return _integer(n_bits, str)


def always_prefixed(n_bits: int) -> Notation:
    """Hexadecimal, with ``0x`` before 0, too; not so its masks."""
    text = _padded_hex_text(1)
    return Notation(n_bits, (1 << n_bits) - 1, text, hex_text, _integer(n_bits, text).scan_one)


def hexadecimal(n_bits: int) -> Notation:
    """Hexadecimal, but plain ``0`` for zero."""
    return _integer(n_bits, hex_text)


def _padded_hex_text(n_digits: int) -> Callable[[int], str]:
    return lambda value: f"0x{value:0{n_digits}x}"


def ethertype() -> Notation:
    """Hexadecimal with all four digits."""
    text = _padded_hex_text(4)
    return Notation(16, 0xFFFF, text, text, _integer(16, text).scan_one)


def nsh_byte() -> Notation:
    """Decimal where matched whole, else in hexadecimal with its mask."""
    text = _padded_hex_text(2)
    return Notation(8, 0xFF, str, text, _integer(8, str).scan_one, partial_text=text)


def nsh_word(n_bits: int) -> Notation:
    """Hexadecimal, ``0x0`` for zero; masks show eight digits."""
    full_mask, text = (1 << n_bits) - 1, _padded_hex_text(1)
    return Notation(32, full_mask, text, _padded_hex_text(8), _integer(32, text).scan_one)


_LABEL_MASK = 0x000FFFFF
_FRAGMENT_TYPES = ("no", "first", "later")
"""The values of OVS_KEY_ATTR's fragment type, by number."""
FRAGMENT_FULL_MASK = 0xFF


def _scan_label(text: str, at: int) -> Scanned | None:
    scanned = scan_integer(text, at, 32)
    return None if scanned is None or scanned[0] & ~_LABEL_MASK else scanned


def _fragment_text(fragment_type: int) -> str:
    if fragment_type < len(_FRAGMENT_TYPES):
        return _FRAGMENT_TYPES[fragment_type]
    return "<error>"


def _scan_fragment(text: str, at: int) -> Scanned | None:
    for number, name in enumerate(_FRAGMENT_TYPES):
        end = at + len(name)
        if text.startswith(name, at) and not text[end : end + 1].islower():
            return number, end
    return None


MAC = Notation(48, (1 << 48) - 1, mac_text, mac_text, scan_mac)
IPV4 = Notation(32, (1 << 32) - 1, ipv4_text, ipv4_text, scan_ipv4)
IPV6 = Notation(128, (1 << 128) - 1, ipv6_text, ipv6_text, scan_ipv6)
LABEL = Notation(32, _LABEL_MASK, hex_text, hex_text, _scan_label)
FRAGMENT = Notation(
    8, FRAGMENT_FULL_MASK, _fragment_text, hex_text, _scan_fragment, is_enumeration=True
)
