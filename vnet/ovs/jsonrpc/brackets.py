"""How deep brackets are in each other, found out for thousands of them at once."""

from __future__ import annotations

from array import array
from itertools import accumulate

_BRACKETS = b"[{]}"
_STEPS = bytes.maketrans(_BRACKETS, b"\x01\x01\xff\xff")
"""One down for an opening bracket, one up (-1, as a signed byte) for a closing one."""
_OTHERS = bytes(set(range(256)) - set(_BRACKETS))


def depths(bare: bytes, depth: int) -> list[int]:
    """The depth after each bracket of a text without strings that begins at some depth."""
    return list(accumulate(array("b", bare.translate(_STEPS, _OTHERS)), initial=depth))[1:]
