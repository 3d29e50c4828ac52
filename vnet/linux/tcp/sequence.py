"""Sequence numbers: 32 bits that wrap on the wire, integers that do not inside."""

from __future__ import annotations

MODULUS = 1 << 32
_HALF = 1 << 31
_MASK = MODULUS - 1


def unfold(number: int, near: int) -> int:
    """The integer closest to ``near`` that the wire's ``number`` can mean."""
    return near + ((number - near + _HALF & _MASK) - _HALF)


def fold(sequence: int) -> int:
    """What the wire carries for ``sequence``."""
    return sequence & _MASK


def earlier(one: int, other: int) -> bool:
    """Whether ``one`` of two wrapping 32-bit numbers comes before the other."""
    return (one - other & _MASK) >= _HALF
