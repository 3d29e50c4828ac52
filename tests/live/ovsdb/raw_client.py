"""A client that says to a server whatever it likes."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

TIMEOUT_S = 60


class RawClient:
    """A connection; ``call`` waits for the answer, past notifications."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.settimeout(TIMEOUT_S)
        self.told: list[Any] = []
        self._unread = ""
        self._decoder = json.JSONDecoder()

    def say(self, method: str, *params: Any, identity: Any = 0) -> None:
        """Send a request."""
        message = {"id": identity, "method": method, "params": list(params)}
        self.socket.sendall(json.dumps(message).encode())

    def call(self, method: str, *params: Any) -> Any:
        """The answer to a request."""
        self.say(method, *params)
        return self.answer()

    def answer(self) -> Any:
        """The next message that is no notification; those are kept."""
        while True:
            message = self.next()
            if "method" not in message:
                return message
            self.told.append(message)

    def next(self) -> Any:
        """The next message, whatever it is."""
        while True:
            try:
                message, end = self._decoder.raw_decode(self._unread)
            except json.JSONDecodeError:
                octets = self.socket.recv(1 << 20)
                assert octets, "the server hung up"
                self._unread += octets.decode()
                continue
            self._unread = self._unread[end:]
            return message

    def is_hung_up(self) -> bool:
        """Whether the server ends the connection, without another word."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        """Leave."""
        self.socket.close()
