"""Frames on a stream, as dummy devices speak over sockets: each behind its length.

0        2
| length | frame ...
"""

from __future__ import annotations

from vnet.wire.ether import HEADER_BYTES

_LENGTH_BYTES = 2


class FramingError(ValueError):
    """The other end speaks something else: no frame is that short."""


def framed(frame: bytes) -> bytes:
    """A frame with its length before it."""
    return len(frame).to_bytes(_LENGTH_BYTES, "big") + frame


class FrameReader:
    """Takes bytes as they come, and gives whole frames."""

    def __init__(self) -> None:
        self._unread = bytearray()

    def take(self, data: bytes) -> list[bytes]:
        """The frames that ``data`` completes. Raises :class:`FramingError`."""
        unread = self._unread
        unread += data
        frames: list[bytes] = []
        start = 0
        while len(unread) - start >= _LENGTH_BYTES:
            body = start + _LENGTH_BYTES
            n_bytes = int.from_bytes(unread[start:body], "big")
            if n_bytes < HEADER_BYTES:
                raise FramingError(f"a frame of {n_bytes} bytes has no Ethernet header")
            if len(unread) < body + n_bytes:
                break
            frames.append(bytes(unread[body : body + n_bytes]))
            start = body + n_bytes
        del unread[:start]
        return frames

    @property
    def is_inside_frame(self) -> bool:
        """Whether the stream would end in the middle of a frame here."""
        return bool(self._unread)
