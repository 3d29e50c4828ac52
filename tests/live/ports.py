"""Ports of this machine that programs are told of before they listen there."""

from __future__ import annotations

import socket
from collections.abc import Callable

Reserve = Callable[[], int]
"""Gives a port that nobody else is given while the test lasts."""


class ReservedPort:
    """A ``number`` that is kept from all others until :meth:`close`.

    Who is bound to a port without listening there keeps the kernel from giving it away, and whoever
    goes there is refused. A program that is told of it may listen there all the same, for both say
    SO_REUSEADDR.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Let others have it."""
        self._socket.close()
