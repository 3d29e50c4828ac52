"""TCP's options: MSS and window scale (RFC 7323), timestamps (RFC 7323), SACK (RFC 2018).

They are written in Linux's order and with its padding:

    SYN   mss | sackOK, timestamps | nop, window scale
    else  nop, nop, timestamps | nop, nop, sack
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

END = 0
NOP = 1
MSS = 2
WINDOW_SCALE = 3
SACK_PERMITTED = 4
SACK = 5
TIMESTAMPS = 8

MOST_BYTES = 40
TIMESTAMPS_BYTES = 12
"""What timestamps take of each segment, their padding included."""

MOST_SCALE = 14
"""A larger shift counts as this one (RFC 7323 section 2.3)."""

_ALIGNED = b"\x01\x01\x08\x0a"
_PAIR = struct.Struct("!II")
_TIMESTAMPS = struct.Struct("!4sII")


class TcpOptions(NamedTuple):
    """What a segment's options say; ``timestamps`` is (value, echo reply)."""

    mss: int | None = None
    window_scale: int | None = None
    sack_permitted: bool = False
    timestamps: tuple[int, int] | None = None
    sack: tuple[tuple[int, int], ...] = ()


NONE = TcpOptions()


def parse(options: bytes) -> TcpOptions | None:
    """The options of a segment; None where a length is below two or runs past the header.

    An option that is unknown, or of a length that its kind does not have, is passed over.
    """
    if len(options) == TIMESTAMPS_BYTES and options[:4] == _ALIGNED:
        return TcpOptions(timestamps=_PAIR.unpack_from(options, 4))
    found: dict[str, object] = {}
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == END:
            break
        if kind == NOP:
            at += 1
            continue
        length = options[at + 1] if at + 1 < len(options) else 0
        if length < 2 or at + length > len(options):
            return None
        _read(found, kind, options[at + 2 : at + length])
        at += length
    return TcpOptions(**found) if found else NONE  # type: ignore[arg-type]


def _read(found: dict[str, object], kind: int, value: bytes) -> None:
    size = len(value)
    if kind == MSS and size == 2:
        found["mss"] = value[0] << 8 | value[1]
    elif kind == WINDOW_SCALE and size == 1:
        found["window_scale"] = min(value[0], MOST_SCALE)
    elif kind == SACK_PERMITTED and size == 0:
        found["sack_permitted"] = True
    elif kind == TIMESTAMPS and size == 8:
        found["timestamps"] = _PAIR.unpack(value)
    elif kind == SACK and size and size % 8 == 0:
        found["sack"] = tuple(_PAIR.iter_unpack(value))


def emit_syn(options: TcpOptions) -> bytes:
    """The options of a SYN or SYN-ACK."""
    parts = [b"" if options.mss is None else b"\x02\x04" + options.mss.to_bytes(2, "big")]
    if options.timestamps is not None:
        parts.append(b"\x04\x02\x08\x0a" if options.sack_permitted else _ALIGNED)
        parts.append(_PAIR.pack(*options.timestamps))
    elif options.sack_permitted:
        parts.append(b"\x01\x01\x04\x02")
    if options.window_scale is not None:
        parts.append(b"\x01\x03\x03" + bytes((options.window_scale,)))
    return b"".join(parts)


def emit_timestamps(value: int, echo: int) -> bytes:
    """The options of nearly every segment of a connection."""
    return _TIMESTAMPS.pack(_ALIGNED, value, echo)


def emit_sack(blocks: Sequence[tuple[int, int]]) -> bytes:
    """SACK blocks as a whole number of words; nothing for none."""
    if not blocks:
        return b""
    head = b"\x01\x01\x05" + bytes((2 + 8 * len(blocks),))
    return head + b"".join(_PAIR.pack(*block) for block in blocks)
