"""Asking other servers by TCP: one question over one connection, to the first that takes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress
from vnet.linux.netns.sockets.tcp import TcpSocket
from vnet.linux.services.dns.stream import MessageReader, prefixed
from vnet.linux.services.dns_server.forwarder import PORT
from vnet.linux.services.dns_server.message import HEADER_BYTES
from vnet.linux.tcp.outcome import Failure

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace


class Errand:
    """``on_end`` is told of the answer, or of None where no server gave one."""

    def __init__(
        self,
        namespace: Namespace,
        servers: Sequence[IpAddress],
        data: bytes,
        on_end: Callable[[bytes | None], None],
    ) -> None:
        self._namespace = namespace
        self._left = list(servers)
        self._data = data
        self._on_end = on_end
        self._reader = MessageReader()
        self._socket: TcpSocket | None = None

    def start(self) -> None:
        """Connect to the next server."""
        while self._left:
            try:
                socket = self._namespace.sockets.tcp.connect(self._left.pop(0), PORT)
            except UsageError:
                continue
            self._reader = MessageReader()
            self._socket = socket
            socket.on_connected = self._say
            socket.on_readable = self._heard
            socket.on_closed = self._closed
            return
        self._on_end(None)

    def stop(self) -> None:
        """Hang up, and tell nobody."""
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()

    def _say(self, socket: TcpSocket) -> None:
        socket.send(prefixed(self._data))

    def _heard(self, socket: TcpSocket) -> None:
        self._reader.feed(socket.receive())
        answer = self._reader.next()
        if answer is not None and answer[:2] == self._data[:2] and len(answer) >= HEADER_BYTES:
            self.stop()
            self._on_end(answer)
        elif socket.at_end:
            self.stop()
            self.start()

    def _closed(self, socket: TcpSocket, _failure: Failure | None) -> None:
        if socket is self._socket:
            self._socket = None
            self.start()
