"""Jenkins's lookup3 (Bob Jenkins, public domain), as Linux and Open vSwitch use it on x86-64."""

from __future__ import annotations

_M32 = 0xFFFFFFFF


def words_of(data: bytes) -> list[int]:
    """Little-endian 32-bit words; the last one is filled up with zero bytes."""
    return [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]


def _rotate(word: int, bits: int) -> int:
    return word << bits & _M32 | word >> 32 - bits


def jhash_bytes(data: bytes, basis: int) -> int:
    """The hash of a run of bytes, which starts from ``basis``."""
    a = b = c = 0xDEADBEEF + len(data) + basis & _M32
    whole = len(data) - len(data) % 12
    words = words_of(data)
    for at in range(0, whole // 4, 3):
        a, b, c = _jhash_mix(
            a + words[at] & _M32, b + words[at + 1] & _M32, c + words[at + 2] & _M32
        )
    if whole == len(data):
        return c
    tail = [*words[whole // 4 :], 0, 0]
    return _jhash_final(a + tail[0] & _M32, b + tail[1] & _M32, c + tail[2] & _M32)


_MIX_ROTATIONS = (4, 6, 8, 16, 19, 4)
_FINAL_ROTATIONS = (14, 11, 25, 16, 4, 14, 24)


def _jhash_mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for rotation in _MIX_ROTATIONS:
        a = (a - c & _M32) ^ _rotate(c, rotation)
        c = c + b & _M32
        a, b, c = b, c, a
    return a, b, c


def _jhash_final(a: int, b: int, c: int) -> int:
    for rotation in _FINAL_ROTATIONS:
        c = (c ^ b) - _rotate(b, rotation) & _M32
        a, b, c = b, c, a
    return b
