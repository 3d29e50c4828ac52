"""What a segment costs the receiver's memory, and what window a buffer is worth.

The kernel counts the memory around the data, too (skb->truesize), and advertises only so much
as will fit even so: half of the buffer until it has seen what the peer's segments are like.
"""

from __future__ import annotations

RATIO_SHIFT = 8
UNKNOWN_RATIO = 1 << (RATIO_SHIFT - 1)

_ALIGNMENT = 64
_AROUND_DATA = 244
_AROUND_BUFFER = 576


def memory_bytes(length: int) -> int:
    """The memory that a received segment with ``length`` bytes of data takes."""
    return -(-(length + _AROUND_DATA) // _ALIGNMENT) * _ALIGNMENT + _AROUND_BUFFER


def window_of(memory: int, ratio: int) -> int:
    """The window that ``memory`` bytes of buffer are worth."""
    return memory * ratio >> RATIO_SHIFT


def memory_for(window: int, ratio: int) -> int:
    """The buffer that a window needs."""
    return (window << RATIO_SHIFT) // ratio
