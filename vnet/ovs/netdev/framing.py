"""Frames on a stream, as dummy devices speak over sockets: each behind its length.

0        2
| length | frame ...
"""

from __future__ import annotations

from vnet.wire.ether import HEADER_BYTES

LENGTH_BYTES = 2


class FramingError(ValueError):
    """The other end speaks something else: no frame is that short."""


def length_of(frame: bytes) -> bytes:
    """What stands before a frame."""
    return len(frame).to_bytes(LENGTH_BYTES, "big")


def framed(frame: bytes) -> bytes:
    """A frame with its length before it."""
    return length_of(frame) + frame


class FrameReader:
    """Takes bytes as they come, and gives whole frames."""

    def __init__(self) -> None:
        self._unread = bytearray()

    def take(self, data: bytes) -> list[bytes]:
        """The frames that ``data`` completes. Raises :class:`FramingError`."""
        unread = self._unread
        if unread:
            unread += data
            if not self._has_frame():
                return []
            data = bytes(unread)
            unread.clear()
        frames: list[bytes] = []
        start, end = 0, len(data)
        while start + LENGTH_BYTES <= end:
            body = start + LENGTH_BYTES
            after = body + _checked(data[start] << 8 | data[start + 1])
            if after > end:
                break
            frames.append(data[body:after])
            start = after
        unread += data[start:]
        return frames

    def _has_frame(self) -> bool:
        """Whether a whole one has come; what waits for the rest of a long one is not copied."""
        unread = self._unread
        if len(unread) < LENGTH_BYTES:
            return False
        return len(unread) >= LENGTH_BYTES + _checked(unread[0] << 8 | unread[1])

    @property
    def is_inside_frame(self) -> bool:
        """Whether the stream would end in the middle of a frame here."""
        return bool(self._unread)


def _checked(n_bytes: int) -> int:
    if n_bytes < HEADER_BYTES:
        raise FramingError(f"a frame of {n_bytes} bytes has no Ethernet header")
    return n_bytes
