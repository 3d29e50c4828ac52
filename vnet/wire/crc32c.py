"""CRC32c, SCTP's checksum (RFC 9260 appendix A); it is sent in little-endian order.

The register is linear: the checksums of two messages of one length differ by what their
difference alone would leave in an empty register.
"""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78
"""Castagnoli's, with its bits reversed."""


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(_entry(byte) for byte in range(256))


def _feed(register: int, data: bytes) -> int:
    table = _TABLE
    for byte in data:
        register = register >> 8 ^ table[(register ^ byte) & 0xFF]
    return register


def crc32c(data: bytes) -> int:
    """The checksum of a message."""
    return _feed(0xFFFFFFFF, data) ^ 0xFFFFFFFF


def crc32c_change(flipped: bytes, n_bytes_behind: int) -> int:
    """What to exclusive-or to a message's checksum when ``flipped`` bits of it were flipped,
    with ``n_bytes_behind`` unchanged bytes behind them."""
    register = _feed(0, flipped)
    return _feed(register, bytes(n_bytes_behind)) if register else 0
