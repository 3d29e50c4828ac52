"""DNS messages in a stream of bytes (RFC 1035 section 4.2.2): the length of each stands before
it."""

from __future__ import annotations

_PREFIX_BYTES = 2


def prefixed(data: bytes) -> bytes:
    """A message as it goes into a stream."""
    return len(data).to_bytes(_PREFIX_BYTES, "big") + data


class MessageReader:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> None:
        """More of the stream came."""
        self._waiting += data

    def next(self) -> bytes | None:
        """The next whole message; None while there is none."""
        size = int.from_bytes(self._waiting[:_PREFIX_BYTES], "big")
        if len(self._waiting) < _PREFIX_BYTES + size or len(self._waiting) < _PREFIX_BYTES:
            return None
        message = bytes(self._waiting[_PREFIX_BYTES : _PREFIX_BYTES + size])
        del self._waiting[: _PREFIX_BYTES + size]
        return message
