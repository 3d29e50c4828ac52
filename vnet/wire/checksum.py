"""The Internet checksum (RFC 1071) and its incremental update (RFC 1624)."""

from __future__ import annotations


def ones_complement_sum(data: bytes, start: int = 0) -> int:
    """The folded ones'-complement sum of big-endian 16-bit words; odd data is zero-padded.

    The sum of 16-bit words with end-around carry is the remainder modulo 0xFFFF of
    the whole taken as one big number, which CPython divides in C. Zero stands for
    both 0x0000 and 0xFFFF; the difference only matters for all-zero data.
    """
    if len(data) & 1:
        data += b"\0"
    total = int.from_bytes(data, "big") + start
    return 0 if total == 0 else (total - 1) % 0xFFFF + 1


def checksum(data: bytes, start: int = 0) -> int:
    """The value for a checksum field, computed over ``data`` with that field zero.

    ``start`` adds a partial sum, such as a pseudo-header's. Over data that includes a
    correct checksum the result is 0.
    """
    return 0xFFFF - ones_complement_sum(data, start)


def checksum_update(old: int, before: int, after: int) -> int:
    """The checksum after one 16-bit word of the data went from ``before`` to ``after``.

    RFC 1624, equation 3: HC' = ~(~HC + ~m + m').
    """
    total = (~old & 0xFFFF) + (~before & 0xFFFF) + after
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def checksum_rewritten(old: int, before: bytes, after: bytes) -> int:
    """The checksum after data that was ``before`` became ``after``: whole words, as many of each.

    The same as :func:`checksum_update` word by word.
    """
    all_ones = (1 << len(before) * 8) - 1
    total = (old ^ 0xFFFF) + (int.from_bytes(before, "big") ^ all_ones)
    total += int.from_bytes(after, "big")
    return 0xFFFF if total == 0 else 0xFFFE - (total - 1) % 0xFFFF


def pseudo_header_sum(source: bytes, target: bytes, protocol: int, length: int) -> int:
    """The partial sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1).

    Addresses are both 4 or both 16 bytes; the sum of the fields is the same for
    either layout, because the zero padding adds nothing.
    """
    return ones_complement_sum(source + target, protocol + length)


def transport_holds(source: bytes, target: bytes, protocol: int, segment: bytes) -> bool:
    """Whether a segment with its checksum in it is whole.

    Pseudo-header and segment are one number here: both addresses together fill whole words.
    """
    length = len(segment)
    data = source + target + segment
    if length & 1:
        data += b"\0"
    return (int.from_bytes(data, "big") + protocol + length) % 0xFFFF == 0


def transport_checksum(source: bytes, target: bytes, protocol: int, segment: bytes) -> int:
    """The checksum of a UDP, TCP or ICMPv6 segment whose checksum field is zero.

    A UDP sender must turn a result of 0 into 0xFFFF (RFC 768).
    """
    length = len(segment)
    data = source + target + segment
    if length & 1:
        data += b"\0"
    total = int.from_bytes(data, "big") + protocol + length
    return 0xFFFF if total == 0 else 0xFFFE - (total - 1) % 0xFFFF
