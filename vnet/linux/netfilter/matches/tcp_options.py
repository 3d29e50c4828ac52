"""The options of a TCP header."""

from __future__ import annotations

from collections.abc import Iterator

MSS = 2
_END, _NO_OPERATION = 0, 1
_HEADER_BYTES = 20


def options_of(segment: bytes) -> Iterator[tuple[int, int, int]]:
    """Kind, place and length of each option, until one is cut off."""
    if len(segment) < _HEADER_BYTES:
        return
    at, end = _HEADER_BYTES, min((segment[12] >> 4) * 4, len(segment))
    while at < end:
        kind = segment[at]
        if kind == _END:
            return
        length = 1 if kind == _NO_OPERATION else segment[at + 1] if at + 1 < end else 0
        if length < 1 or (length < 2 and kind != _NO_OPERATION) or at + length > end:
            return
        yield kind, at, length
        at += length


def has_option(segment: bytes, kind: int) -> bool:
    """Whether an option is there."""
    return any(found == kind for found, _, _ in options_of(segment))


def mss_of(segment: bytes) -> int | None:
    """The largest segment that the sender of a SYN takes."""
    for kind, at, length in options_of(segment):
        if kind == MSS and length == 4:
            return segment[at + 2] << 8 | segment[at + 3]
    return None
