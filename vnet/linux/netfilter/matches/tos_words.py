"""The type of service in words, as ``tos``, ``dscp`` and their targets have them."""

from __future__ import annotations

from typing import NamedTuple

from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.option import Word
from vnet.linux.netfilter.xtables.values import number, take_number

_SYMBOLS = {
    "Minimize-Delay": 0x10,
    "Maximize-Throughput": 0x08,
    "Maximize-Reliability": 0x04,
    "Minimize-Cost": 0x02,
    "Normal-Service": 0x00,
}
_SYMBOL_MASK = 0x3F
"""What a symbol leaves of precedence and ECN: nothing of the former's lower bits."""

_CLASSES = {f"CS{n}": n << 3 for n in range(8)} | {"BE": 0, "EF": 0x2E}
_CLASSES |= {f"AF{n}{m}": n << 3 | m << 1 for n in range(1, 5) for m in range(1, 4)}


class TosValue(NamedTuple):
    """Eight bits, and which of them count."""

    value: int
    mask: int

    @property
    def text(self) -> str:
        return f"0x{self.value:02x}/0x{self.mask:02x}"

    @property
    def symbol(self) -> str | None:
        """The symbol that says the same."""
        if self.mask != _SYMBOL_MASK:
            return None
        return next((name for name, value in _SYMBOLS.items() if value == self.value), None)


def read_tos(word: Word) -> TosValue:
    """``0x10``, ``0x10/0xff`` or a symbol."""
    taken = take_number(word.text, 0xFFFFFFFF)
    if taken is None or (taken[0] > 0xFF and not taken[1]):
        return _symbol(word.text)
    value, rest = taken
    bits: int | None = 0xFF
    if rest.startswith("/"):
        bits, rest = number(rest[1:], 0xFF), ""
    if rest or bits is None or value > 0xFF:
        raise XtablesError(f'Illegal value: "{word.text}"')
    return TosValue(value, bits)


def _symbol(text: str) -> TosValue:
    meant = [name for name in _SYMBOLS if name.lower().startswith(text.lower()) and text]
    if len(meant) != 1:
        raise XtablesError(f'Symbolic name "{text}" is unknown')
    return TosValue(_SYMBOLS[meant[0]], _SYMBOL_MASK)


def read_class(word: Word) -> int:
    """A DiffServ class: ``EF``, ``CS1``, ``AF11``."""
    found = _CLASSES.get(word.text.upper())
    if found is None:
        raise XtablesError(f"Invalid DSCP value `{word.text}'")
    return found


def traffic_class(packet: NfPacket) -> int:
    """The type of service of a packet of either family."""
    data = packet.data
    return data[1] if packet.family == 4 else (data[0] << 4 | data[1] >> 4) & 0xFF
