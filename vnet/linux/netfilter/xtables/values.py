"""Words to values, as libxtables reads them: numbers, ports, protocols, addresses, marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.names import PROTOCOL_NUMBERS, service_port

_NUMBER = re.compile(r"\s*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
ALL_32 = 0xFFFFFFFF
_ALL_64 = 0xFFFFFFFF_FFFFFFFF
_DIGITS_OF_64_BITS = 20
_MAC = re.compile(r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}")


def decimal(digits: str) -> int:
    """A number of decimal digits, however many: it ends at 64 bits, as with strtoull(3)."""
    significant = digits.lstrip("0")
    if len(significant) > _DIGITS_OF_64_BITS:
        return _ALL_64
    return min(int(significant or "0"), _ALL_64)


def take_number(text: str, most: int, least: int = 0) -> tuple[int, str] | None:
    """The number that ``text`` begins with (0x... and 0... as C reads them), and what follows."""
    found = _NUMBER.match(text)
    if found is None:
        return None
    digits = found[1]
    if digits[0] == "0" and len(digits) > 1:
        value = int(digits, 16 if digits[1] in "xX" else 8)
    else:
        value = decimal(digits)
    return (value, text[found.end() :]) if least <= value <= most else None


def number(text: str, most: int, least: int = 0) -> int | None:
    """A word that is a number and nothing else."""
    taken = take_number(text, most, least)
    return taken[0] if taken is not None and not taken[1] else None


def port(text: str, protocol: str | None) -> int:
    """A port by its number or its service's name."""
    found = number(text, 0xFFFF)
    if found is None:
        found = service_port(text, protocol)
    if found is None:
        raise XtablesError(f"invalid port/service `{text}' specified")
    return found


def port_range(text: str, protocol: str) -> tuple[int, int]:
    """``22``, ``22:80``, ``:80`` or ``22:``."""
    first, colon, last = text.partition(":")
    if not colon:
        found = port(text, protocol)
        return found, found
    low = port(first, protocol) if first else 0
    high = port(last, protocol) if last else 0xFFFF
    if low > high:
        raise XtablesError("invalid portrange (min > max)")
    return low, high


def protocol(text: str) -> int:
    """A protocol by its number or name; 0 is every one."""
    found = number(text, 255)
    if found is None:
        found = PROTOCOL_NUMBERS.get(text.lower())
    if found is None:
        raise XtablesError(f'unknown protocol "{text}" specified')
    return found


@dataclass(frozen=True, slots=True)
class Net:
    """Addresses of a family (4 or 6) that are equal where the mask has ones."""

    family: int
    address: bytes
    mask: bytes

    @property
    def prefix_length(self) -> int | None:
        """How many ones the mask begins with; None where ones follow a zero."""
        bits = int.from_bytes(self.mask)
        width = 8 * len(self.mask)
        length = bits.bit_count()
        return length if bits == mask_of(length, width) else None

    @property
    def is_any(self) -> bool:
        return not any(self.mask)

    @property
    def address_text(self) -> str:
        return address_text(self.address)

    @property
    def mask_text(self) -> str:
        """``24``, or the mask's bytes where it has holes."""
        length = self.prefix_length
        return address_text(self.mask) if length is None else str(length)

    @property
    def saved(self) -> str:
        """``10.0.0.0/24``, the mask always."""
        return f"{self.address_text}/{self.mask_text}"

    @property
    def shown(self) -> str:
        """``10.0.0.0/24``, and an address alone where all of it counts."""
        full = self.prefix_length == 8 * len(self.mask)
        return self.address_text if full else self.saved


def any_net(family: int) -> Net:
    """Every address."""
    zero = bytes(4 if family == 4 else 16)
    return Net(family, zero, zero)


def address_text(address: bytes) -> str:
    """An address of either family."""
    return inet_ntop(AF_INET if len(address) == 4 else AF_INET6, address)


def mask_of(length: int, width: int) -> int:
    """A mask that begins with ``length`` ones."""
    return ((1 << length) - 1) << (width - length)


def numeric_address(text: str, family: int) -> bytes | None:
    """An address in numbers; None for anything else."""
    if family == 6:
        return pton(text, 6)
    return _dotted(text, complete=False)


def pton(text: str, family: int) -> bytes | None:
    """An address as inet_pton(3) reads it; None for anything else."""
    try:
        return inet_pton(AF_INET if family == 4 else AF_INET6, text)
    except (OSError, ValueError):
        return None


def _dotted(text: str, *, complete: bool) -> bytes | None:
    """Four numbers with dots; where it need not be complete, zeros stand for what is missing."""
    parts = text.split(".")
    values = [number(part, 255) for part in parts]
    if len(parts) > 4 or (complete and len(parts) < 4) or any(v is None for v in values):
        return None
    return bytes([value or 0 for value in values] + [0] * (4 - len(parts)))


def mask(text: str, family: int) -> bytes:
    """``24``, or a mask in the form of an address."""
    width = 32 if family == 4 else 128
    found = _dotted(text, complete=True) if family == 4 else pton(text, 6)
    if found is not None:
        return found
    length = number(text, width)
    if length is None:
        raise XtablesError(f"invalid mask `{text}' specified")
    return mask_of(length, width).to_bytes(width // 8)


def host(text: str, family: int) -> bytes:
    """An address; the lab's names are not asked for."""
    found = numeric_address(text, family)
    if found is None and text == "localhost":
        found = b"\x7f\0\0\1" if family == 4 else pton("::1", 6)
    if found is None:
        raise XtablesError(f"host/network `{text}' not found")
    return found


def nets(text: str, family: int) -> Iterator[Net]:
    """``10.0.0.1,192.168.0.0/24``: what is named, one after the other."""
    for part in text.split(","):
        name, slash, mask_word = part.strip().partition("/")
        bits = mask(mask_word, family) if slash else b"\xff" * (4 if family == 4 else 16)
        address = host(name, family) if any(bits) else bytes(len(bits))
        yield Net(family, masked(address, bits), bits)


def masked(address: bytes, bits: bytes) -> bytes:
    """What of an address the mask leaves."""
    return bytes(a & b for a, b in zip(address, bits, strict=True))


def mac(text: str) -> bytes:
    """An Ethernet address."""
    if _MAC.fullmatch(text) is None:
        raise XtablesError("Invalid MAC address specified.")
    return bytes(int(part, 16) for part in text.split(":"))


@dataclass(frozen=True, slots=True)
class Masked:
    """A value of 32 or 8 bits, and which bits of it count."""

    value: int
    mask: int

    @property
    def text(self) -> str:
        """``0x1``, or ``0x1/0xff``."""
        return f"{self.value:#x}" + ("" if self.mask == ALL_32 else f"/{self.mask:#x}")
