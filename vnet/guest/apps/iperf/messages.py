"""What an iperf3 client and server say on their control connection.

The client sends a cookie, which its data connections repeat. Then either end sends states, one
byte each; after some of them comes a JSON document behind its length in four bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from vnet.linux.netns.sockets.tcp import TcpSocket

PORT = 5201
COOKIE_BYTES = 37
_LENGTH_BYTES = 4
_MOST_JSON_BYTES = 65_536
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class Stage(IntEnum):
    """The states of a test, as iperf3 numbers them."""

    TEST_START = 1
    TEST_RUNNING = 2
    TEST_END = 4
    PARAM_EXCHANGE = 9
    CREATE_STREAMS = 10
    EXCHANGE_RESULTS = 13
    DISPLAY_RESULTS = 14
    IPERF_DONE = 16
    SERVER_ERROR = 254
    ACCESS_DENIED = 255


class ProtocolError(ValueError):
    """The other end said what iperf3 does not say."""


def make_cookie(number: int) -> bytes:
    """36 letters and a zero byte, as the number of 180 bits spells them."""
    letters = [_ALPHABET[number >> 5 * place & 31] for place in range(COOKIE_BYTES - 1)]
    return "".join(letters).encode() + b"\0"


def document(content: dict[str, Any]) -> bytes:
    """A JSON document behind its length."""
    text = json.dumps(content, separators=(",", ":")).encode()
    return len(text).to_bytes(_LENGTH_BYTES, "big") + text


class Conversation:
    """One end of a control connection: hands over what arrives, piece by piece.

    ``on_stage`` is called for a stage; :meth:`read_document` and :meth:`read_cookie` say what comes
    instead of one next.
    """

    def __init__(self, socket: TcpSocket, on_stage: Callable[[Stage], None]) -> None:
        self.socket = socket
        self._on_stage = on_stage
        self._waiting = bytearray()
        self._size = 1
        self._next: Callable[[bytes], None] = self._stage

    def say(self, stage: Stage) -> None:
        self.socket.send(bytes((stage,)))

    def send(self, data: bytes) -> None:
        self.socket.send(data)

    def read_cookie(self, then: Callable[[bytes], None]) -> None:
        """What comes next is a cookie."""
        self._expect(COOKIE_BYTES, then)

    def read_document(self, then: Callable[[dict[str, Any]], None]) -> None:
        """What comes next is a document."""

        def length_read(data: bytes) -> None:
            size = int.from_bytes(data, "big")
            if not 0 < size <= _MOST_JSON_BYTES:
                raise ProtocolError(f"a document of {size} bytes")
            self._expect(size, lambda text: then(_read_json(text)))

        self._expect(_LENGTH_BYTES, length_read)

    def _expect(self, size: int, then: Callable[[bytes], None]) -> None:
        self._size = size
        self._next = then

    def _stage(self, data: bytes) -> None:
        try:
            stage = Stage(data[0])
        except ValueError:
            raise ProtocolError(f"state {data[0]}") from None
        self._on_stage(stage)

    def heard(self) -> None:
        """Read what has come. Raises :class:`ProtocolError`."""
        self._waiting += self.socket.receive()
        while len(self._waiting) >= self._size:
            piece = bytes(self._waiting[: self._size])
            del self._waiting[: self._size]
            then = self._next
            self._expect(1, self._stage)
            then(piece)


def _read_json(text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        raise ProtocolError("no JSON") from None
    if not isinstance(content, dict):
        raise ProtocolError("no JSON object")
    return content
