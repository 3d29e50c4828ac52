"""The words that ``u32`` compares, as its options write them (tc-u32(8)).

Built are the selectors ``ip``, ``ip6``, ``u32``, ``u16`` and ``u8``, all at fixed offsets.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from vnet.base.ids import ip_from_text
from vnet.linux.tc.errors import TcError
from vnet.linux.tc.numbers import parse_whole
from vnet.linux.tc.words import WordReader, is_short_for
from vnet.sim.qdisc.filters import Word

USAGE = """\
Usage: ... u32 [ match SELECTOR ... ] [ classid CLASSID ]
               [ action ACTION_SPEC ]

Where: SELECTOR := SAMPLE SAMPLE ...
       SAMPLE := { ip | ip6 | u{32|16|8} } SAMPLE_ARGS

NOTE: CLASSID is parsed at hexadecimal input."""

_WORD_BITS = 32


class Field(NamedTuple):
    """So many bits at a byte offset from the network header."""

    bits: int
    offset: int


_HANDLE = re.compile("([0-9a-fA-F]*):(?:([0-9a-fA-F]*):([0-9a-fA-F]*))?", re.ASCII)
_MOST_NUMBER, _MOST_BUCKET = 0xFFF, 0xFF

_IP4 = {
    **dict.fromkeys(("tos", "dsfield", "precedence"), Field(8, 1)),
    "ihl": Field(8, 0),
    "protocol": Field(8, 9),
    "dport": Field(16, 22),
    "sport": Field(16, 20),
    "icmp_type": Field(8, 20),
    "icmp_code": Field(8, 21),
}
_IP4_FLAGS = {
    "nofrag": (0, 0x3FFF),
    "firstfrag": (0x2000, 0x3FFF),
    "df": (0x4000, 0x4000),
    "mf": (0x2000, 0x2000),
}
_IP6 = {
    "protocol": Field(8, 6),
    "dport": Field(16, 42),
    "sport": Field(16, 40),
    "icmp_type": Field(8, 40),
    "icmp_code": Field(8, 41),
}
_IP4_ADDRESSES = {"src": 12, "dst": 16}
_IP6_ADDRESSES = {"src": 8, "dst": 24}


def parse_handle(text: str) -> tuple[int, int]:
    """The table of a filter and its number there: ``800::5``; without a table, its own is 0."""
    found = _HANDLE.fullmatch(text)
    if found is None:
        raise TcError("Illegal filter ID")
    table, bucket, node = (int(part or "0", 16) for part in found.groups())
    if table > _MOST_NUMBER or node > _MOST_NUMBER or bucket > _MOST_BUCKET:
        raise TcError("Illegal filter ID")
    return table, node


def read_match(words: WordReader) -> list[Word]:
    """What stands behind ``match``. Raises ``ValueError``."""
    what = words.take()
    if what in ("u32", "u16", "u8"):
        return [_sample(words, Field(int(what[1:]), 0))]
    if what not in ("ip", "ip6"):
        raise ValueError(what)
    name = words.take()
    addresses = _IP4_ADDRESSES if what == "ip" else _IP6_ADDRESSES
    if name in addresses:
        return _address(words.take(), addresses[name], 32 if what == "ip" else 128)
    if what == "ip" and name in _IP4_FLAGS:
        return [_word(*_IP4_FLAGS[name], Field(16, 6))]
    fields = _IP4 if what == "ip" else _IP6
    known = next((field for field in fields if is_short_for(name, field)), None)
    if known is None:
        raise ValueError(name)
    return [_sample(words, fields[known])]


def _sample(words: WordReader, field: Field) -> Word:
    """A value, its mask, and perhaps an offset of its own."""
    most = (1 << field.bits) - 1
    value = parse_whole(words.take(), most)
    mask = int(words.take(), 16)
    if not 0 <= mask <= most:
        raise ValueError("mask")
    if words.peek() == "at":
        words.take()
        field = Field(field.bits, int(words.take(), 0))
    return _word(value, mask, field)


def _word(value: int, mask: int, field: Field) -> Word:
    """A field as part of the 32 bits that it lies in. One that would reach beyond lies at their
    end, as tc has it."""
    if field.bits == _WORD_BITS and field.offset % 4:
        raise ValueError("offset")
    shift = max(_WORD_BITS - field.bits - field.offset % 4 * 8, 0)
    return Word((value & mask) << shift, mask << shift, field.offset & ~3)


def _address(text: str, offset: int, bits: int) -> list[Word]:
    """An address or network, 32 bits by 32 bits; those that do not matter are left out."""
    address, slash, length = text.partition("/")
    if address in ("any", "all", "default"):
        address, slash, length = ("0.0.0.0" if bits == _WORD_BITS else "::"), "/", "0"
    packed = _padded(address) if bits == _WORD_BITS else ip_from_text(address)
    prefix_bits = parse_whole(length, bits) if slash else bits
    if len(packed) * 8 != bits:
        raise ValueError(text)
    mask = (1 << bits) - (1 << bits - prefix_bits)
    parts: list[Word] = []
    for at in range(0, bits, _WORD_BITS):
        shift = bits - _WORD_BITS - at
        part_mask = mask >> shift & 0xFFFFFFFF
        if part_mask or bits == _WORD_BITS:
            value = int.from_bytes(packed, "big") >> shift & part_mask
            parts.append(Word(value, part_mask, offset + at // 8))
    return parts


def _padded(address: str) -> bytes:
    """An IPv4 address, whose last parts may be left out where they are 0: ``10/8``."""
    parts = [parse_whole(part, 0xFF) for part in address.split(".")]
    return bytes(parts).ljust(4, b"\0")


def merged(words: list[Word]) -> list[Word]:
    """Words of the same offset in one. Raises ``ValueError`` where they contradict each other."""
    by_offset: dict[int, Word] = {}
    for word in words:
        other = by_offset.get(word.offset)
        if other is not None:
            if (word.value ^ other.value) & word.mask & other.mask:
                raise ValueError("two values at one place")
            word = Word(word.value | other.value, word.mask | other.mask, word.offset)
        by_offset[word.offset] = word
    return list(by_offset.values())


def word_text(word: Word) -> str:
    """``match 00000016/0000ffff at 20``."""
    return f"match {word.value:08x}/{word.mask:08x} at {word.offset}"
