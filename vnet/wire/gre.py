"""GRE (RFC 2784) with key and sequence number (RFC 2890), and NVGRE (RFC 7637).

 0                2      4                    6          8     12
| C - K S, version | type | checksum, reserved | key | sequence number | the packet ...

Each of the last three is there if its flag is. NVGRE is GRE with a key and the type 0x6558: the
key is a virtual subnet (VSID, 24 bits) and a number by which the flows in it are spread (FlowID,
8 bits).
"""

from __future__ import annotations

from typing import NamedTuple

PROTOCOL = 47
TYPE_ETHERNET = 0x6558
"""Transparent Ethernet bridging: the packet inside is an Ethernet frame."""

BASE_BYTES = 4
_WORD_BYTES = 4

FLAG_CHECKSUM = 0x8000
FLAG_KEY = 0x2000
FLAG_SEQUENCE = 0x1000
FLAGS_KNOWN = FLAG_CHECKSUM | FLAG_KEY | FLAG_SEQUENCE

_FLOW_ID_BITS = 8
_VSID_MASK = 0xFF_FFFF


class Gre(NamedTuple):
    """``size_bytes`` is the header's. Whether the checksum holds is for :func:`checksum` of
    :mod:`vnet.wire.checksum` to say, over the header and all behind it."""

    flags: int
    ethertype: int
    key: int | None
    sequence: int | None
    size_bytes: int


def header_bytes(flags: int) -> int:
    """How long a header with these flags is."""
    return BASE_BYTES + _WORD_BYTES * (flags & FLAGS_KNOWN).bit_count()


def parse(data: bytes, at: int = 0) -> Gre | None:
    """The header at a place; None if cut off, or with flags or a version that RFC 2890 lacks."""
    if len(data) < at + BASE_BYTES:
        return None
    flags = data[at] << 8 | data[at + 1]
    size = header_bytes(flags)
    if flags & ~FLAGS_KNOWN or len(data) < at + size:
        return None
    ethertype = data[at + 2] << 8 | data[at + 3]
    place = at + BASE_BYTES + _WORD_BYTES * bool(flags & FLAG_CHECKSUM)
    key = sequence = None
    if flags & FLAG_KEY:
        key = int.from_bytes(data[place : place + _WORD_BYTES], "big")
        place += _WORD_BYTES
    if flags & FLAG_SEQUENCE:
        sequence = int.from_bytes(data[place : place + _WORD_BYTES], "big")
    return Gre(flags, ethertype, key, sequence, size)


def emit(
    ethertype: int = TYPE_ETHERNET,
    *,
    has_checksum: bool = False,
    key: int | None = None,
    sequence: int | None = None,
) -> bytes:
    """A header. The checksum is left 0, for it covers what comes behind."""
    flags = FLAG_CHECKSUM * has_checksum
    words = bytes(_WORD_BYTES) if has_checksum else b""
    if key is not None:
        flags |= FLAG_KEY
        words += key.to_bytes(_WORD_BYTES, "big")
    if sequence is not None:
        flags |= FLAG_SEQUENCE
        words += sequence.to_bytes(_WORD_BYTES, "big")
    return (flags << 16 | ethertype).to_bytes(BASE_BYTES, "big") + words


def nvgre_key(vsid: int, flow_id: int = 0) -> int:
    """The key of a virtual subnet."""
    return (vsid & _VSID_MASK) << _FLOW_ID_BITS | flow_id


def vsid_of(key: int) -> int:
    """The virtual subnet of a key."""
    return key >> _FLOW_ID_BITS
