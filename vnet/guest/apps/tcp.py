"""TCP: a server that echoes (RFC 862), and a client that sends and counts what comes back."""

from __future__ import annotations

from typing import Any, TypedDict

from vnet.base.errors import UsageError
from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App, milliseconds
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.tcp import TcpListener, TcpSocket
from vnet.linux.tcp.outcome import Failure

_BLOCK_BYTES = 16_384


class Writer:
    """Writes ``size_bytes`` zeros to a socket as fast as it takes them."""

    def __init__(self, socket: TcpSocket, size_bytes: int) -> None:
        self.left = size_bytes
        self._socket = socket

    def write(self, _socket: TcpSocket | None = None) -> None:
        """Write on; set it as the socket's ``on_writable``."""
        while self.left:
            accepted = self._socket.send(bytes(min(self.left, _BLOCK_BYTES)))
            self.left -= accepted
            if not accepted:
                return


class TcpServer(App):
    """Listens on a port until closed, and sends back what it gets."""

    def __init__(self, namespace: Namespace, port: int = 7) -> None:
        super().__init__(namespace.scheduler)
        self.connections = 0
        self.received_bytes = 0
        self._namespace = namespace
        self._port = port
        self._listener: TcpListener | None = None
        self._waiting: dict[TcpSocket, bytes] = {}
        """What a connection has no room to send back yet."""

    def start(self) -> None:
        self._listener = self._namespace.sockets.tcp.listen(self._port, self._accept)

    def seen(self) -> dict[str, Any]:
        return {"connections": self.connections, "received_bytes": self.received_bytes}

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def _accept(self, listener: TcpListener) -> None:
        while (socket := listener.accept()) is not None:
            self.connections += 1
            self._waiting[socket] = b""
            socket.on_readable = socket.on_writable = self._echo
            socket.on_closed = self._closed

    def _echo(self, socket: TcpSocket) -> None:
        waiting = self._waiting[socket]
        while True:
            if not waiting:
                waiting = socket.receive(_BLOCK_BYTES)
                self.received_bytes += len(waiting)
            if not waiting:
                break
            accepted = socket.send(waiting)
            waiting = waiting[accepted:]
            if not accepted:
                break
        self._waiting[socket] = waiting
        if socket.at_end and not waiting:
            socket.close()

    def _closed(self, socket: TcpSocket, _failure: Failure | None) -> None:
        self._waiting.pop(socket, None)


class TcpOptions(TypedDict, total=False):
    """What a client can be asked for; :class:`TcpClient` has the defaults."""

    port: int
    size_bytes: int
    timeout_ns: int


class TcpClient(App):
    """Connects, sends ``size_bytes``, and reads until it has them back."""

    def __init__(
        self,
        namespace: Namespace,
        target: bytes,
        *,
        port: int = 7,
        size_bytes: int = 64,
        timeout_ns: int = 60 * NS_PER_S,
    ) -> None:
        super().__init__(namespace.scheduler)
        self.received_bytes = 0
        self.sent_bytes = 0
        self.errors: list[str] = []
        self._namespace = namespace
        self._target = target
        self._port = port
        self._size_bytes = size_bytes
        self._timeout_ns = timeout_ns
        self._began_ns = 0
        self._connected_ns: int | None = None
        self._ended_ns: int | None = None
        self._socket: TcpSocket | None = None

    def start(self) -> None:
        self._began_ns = self.scheduler.now_ns
        try:
            socket = self._namespace.sockets.tcp.connect(self._target, self._port)
        except UsageError as refusal:
            self.errors.append(refusal.what)
            self.scheduler.after(0, self.finish)
            return
        self._socket = socket
        socket.on_connected = self._connected
        socket.on_readable = self._read
        socket.on_closed = self._closed
        self.scheduler.after(self._timeout_ns, self._give_up)

    def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "sent_bytes": self.sent_bytes,
            "received_bytes": self.received_bytes,
            "errors": len(self.errors),
        }
        if self._connected_ns is not None:
            found["connect_ms"] = milliseconds(self._connected_ns - self._began_ns)
        if self._ended_ns is not None:
            found["duration_ms"] = milliseconds(self._ended_ns - self._began_ns)
        return found

    def remarks(self) -> list[str]:
        return list(dict.fromkeys(self.errors))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _connected(self, socket: TcpSocket) -> None:
        self._connected_ns = self.scheduler.now_ns
        writer = Writer(socket, self._size_bytes)

        def write(_socket: TcpSocket) -> None:
            writer.write()
            self.sent_bytes = self._size_bytes - writer.left

        socket.on_writable = write
        write(socket)
        self._end_if_complete()

    def _read(self, socket: TcpSocket) -> None:
        self.received_bytes += len(socket.receive())
        self._end_if_complete()

    def _end_if_complete(self) -> None:
        if self.received_bytes >= self._size_bytes and self._ended_ns is None:
            self._ended_ns = self.scheduler.now_ns
            self.scheduler.after(0, self.finish)

    def _closed(self, _socket: TcpSocket, failure: Failure | None) -> None:
        if failure is not None and not self.done:
            self.errors.append(failure.value)
        if not self.done:
            self.scheduler.after(0, self.finish)

    def _give_up(self) -> None:
        if not self.done:
            self.errors.append(Failure.TIMED_OUT.value)
            self.finish()
