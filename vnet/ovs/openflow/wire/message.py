"""Messages as a stream carries them: a header, and a body that its type gives a meaning.

0         1      2        4     8
| version | type | length | xid | body ...
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEADER = struct.Struct("!BBHI")
HEADER_BYTES = _HEADER.size

HELLO = 0
ERROR = 1
ECHO_REQUEST = 2
ECHO_REPLY = 3
"""These four are the same in every version (section 7.5)."""


class ProtocolError(Exception):
    """The peer breaks the protocol, and the connection ends. ``answer`` is to be sent before."""

    def __init__(self, module: str, text: str, answer: bytes = b"") -> None:
        super().__init__(text)
        self.module = module
        self.text = text
        self.answer = answer


class Message(NamedTuple):
    """One message; ``raw`` is all of it."""

    version: int
    type: int
    xid: int
    raw: bytes

    @property
    def body(self) -> bytes:
        """What follows the header."""
        return self.raw[HEADER_BYTES:]


def encode(version: int, kind: int, xid: int, body: bytes = b"") -> bytes:
    """A message."""
    return _HEADER.pack(version, kind, HEADER_BYTES + len(body), xid) + body


class MessageReader:
    """Takes bytes as they come, and gives whole messages. At most 64 kB wait for their rest."""

    def __init__(self) -> None:
        self._unread = bytearray()

    def take(self, data: bytes) -> None:
        """More bytes have come."""
        self._unread += data

    def next(self) -> Message | None:
        """The next message, if it is whole. Raises :class:`ProtocolError`."""
        unread = self._unread
        if len(unread) < HEADER_BYTES:
            return None
        version, kind, n_bytes, xid = _HEADER.unpack_from(unread)
        if n_bytes < HEADER_BYTES:
            text = f"received too-short ofp_header ({n_bytes} bytes)"
            raise ProtocolError("vconn_stream", text)
        if len(unread) < n_bytes:
            return None
        raw = bytes(unread[:n_bytes])
        del unread[:n_bytes]
        return Message(version, kind, xid, raw)
