"""The kernel's TCP sockets with the face that those of the lab's own stack have.

So the programs of guests that speak TCP (:mod:`vnet.guest.apps`) run over them as they are, and
say byte for byte what they say in the lab.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text, ip_text
from vnet.linux.tcp.outcome import Failure
from vnet.live.clock import WallClock
from vnet.live.kernel.machine import LiveMachine

_READ_BYTES = 1 << 18
_BACKLOG = 128
_FAILURES = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ECONNRESET: Failure.RESET,
    errno.EPIPE: Failure.RESET,
    errno.ETIMEDOUT: Failure.TIMED_OUT,
    errno.EHOSTUNREACH: Failure.NO_HOST,
    errno.ENETUNREACH: Failure.NO_NETWORK,
    errno.ENOPROTOOPT: Failure.NO_PROTOCOL,
    errno.EPROTO: Failure.PROTOCOL,
    errno.EACCES: Failure.DENIED,
    errno.EPERM: Failure.DENIED,
}

Told = Callable[["LiveTcpSocket"], object]


class LiveTcpSocket:
    """A connection, or one that is being made; see :class:`~vnet.linux.netns.sockets.tcp.TcpSocket`
    for what its methods mean."""

    def __init__(self, clock: WallClock, made: socket.socket, *, connected: bool) -> None:
        self._clock = clock
        self._socket = made
        self._connected = connected
        self._gone = False
        self._closing = False
        self._received = b""
        self.at_end = False
        self.on_connected: Told = _nothing
        self.on_readable: Told = _nothing
        self.on_writable: Told = _nothing
        self.on_closed: Callable[[LiveTcpSocket, Failure | None], object] = _not_told
        clock.watch(made, self._ready)
        clock.watch_writable(made, not connected)

    @property
    def available(self) -> int:
        """How many bytes can be read."""
        return len(self._received)

    def send(self, data: bytes) -> int:
        """How much of ``data`` was taken; ``on_writable`` is called when there is room again."""
        if self._gone:
            return 0
        try:
            return self._socket.send(data)
        except BlockingIOError:
            self._clock.watch_writable(self._socket, True)
            return 0
        except OSError as error:
            self._end(error)
            return 0

    def receive(self, most_bytes: int = 1 << 62) -> bytes:
        """What has come, and been taken off the kernel's hands."""
        data, self._received = self._received[:most_bytes], self._received[most_bytes:]
        return data

    def close(self) -> None:
        """Send what is left, and end; nothing is told any more."""
        self.on_readable = self.on_writable = _nothing
        if self._gone or self._closing:
            return
        self._closing = True
        if self.at_end or not self._connected:
            self._let_go()
            return
        # The far end may have more to say; to close with it unread would be a reset.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        """End at once, with a reset."""
        with suppress(OSError):
            linger = b"\x01\0\0\0\0\0\0\0"
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._let_go()

    def set_nodelay(self, on: bool = True) -> None:
        """TCP_NODELAY."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(on))

    # -- what the kernel says

    def _ready(self) -> None:
        if not self._connected and not self._has_connected():
            return
        self._read()
        if not self._gone and not self._closing:
            self._clock.watch_writable(self._socket, False)
            self.on_writable(self)

    def _has_connected(self) -> bool:
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._end(OSError(number, os.strerror(number)))
            return False
        self._connected = True
        self._clock.watch_writable(self._socket, False)
        self.on_connected(self)
        return not self._gone

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        if data:
            self._received += data
        else:
            self.at_end = True
        self.on_readable(self)
        if self.at_end and not self._gone:
            if self._closing:
                self._let_go()
            else:
                # Readable for ever, and nothing to read: only room to write is news.
                self._clock.forget(self._socket)

    def _end(self, error: OSError) -> None:
        failure = _FAILURES.get(error.errno or 0, Failure.RESET)
        self._let_go()
        self.on_closed(self, failure)

    def _let_go(self) -> None:
        if not self._gone:
            self._gone = True
            self._clock.forget(self._socket)
            self._socket.close()


class LiveTcpListener:
    """A socket that waits for connections."""

    def __init__(
        self, clock: WallClock, made: socket.socket, on_waiting: Callable[[LiveTcpListener], None]
    ) -> None:
        self._clock = clock
        self._socket = made
        clock.watch(made, lambda: on_waiting(self))

    def accept(self) -> LiveTcpSocket | None:
        """The next connection that waits, or None."""
        try:
            made, _ = self._socket.accept()
        except OSError:
            return None
        made.setblocking(False)
        return LiveTcpSocket(self._clock, made, connected=True)

    def close(self) -> None:
        """Wait no more."""
        self._clock.forget(self._socket)
        self._socket.close()


class LiveTcp:
    """``namespace.sockets.tcp``, for programs."""

    def __init__(self, machine: LiveMachine) -> None:
        self._machine = machine

    def connect(self, target: bytes, port: int) -> LiveTcpSocket:
        """Begin to connect. Raises :class:`UsageError` where there is no way at all."""
        made = self._machine.open_socket(_family(len(target) == 16), socket.SOCK_STREAM)
        try:
            made.connect((ip_text(ip_from_text(ip_text(target))), port))
        except BlockingIOError:
            pass
        except OSError as error:
            made.close()
            raise UsageError(f"{self._machine.node}: connect: {error.strerror}") from None
        return LiveTcpSocket(self._machine.clock, made, connected=False)

    def listen(self, port: int, on_waiting: Callable[[Any], None]) -> LiveTcpListener:
        """Listen on a port, at all addresses of both families."""
        made = self._machine.open_socket(socket.AF_INET6, socket.SOCK_STREAM)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind(("::", port))
            made.listen(_BACKLOG)
        except OSError as error:
            made.close()
            raise UsageError(f"{self._machine.node}: port {port}: {error.strerror}") from None
        return LiveTcpListener(self._machine.clock, made, on_waiting)


class LiveNamespace:
    """As much of a namespace as programs over TCP use of it."""

    def __init__(self, machine: LiveMachine) -> None:
        self.scheduler = machine.clock
        self.name = machine.node
        self.sockets = self
        self.tcp = LiveTcp(machine)


def _family(ipv6: bool) -> int:
    return socket.AF_INET6 if ipv6 else socket.AF_INET


def _nothing(_socket: LiveTcpSocket) -> None:
    return None


def _not_told(_socket: LiveTcpSocket, _failure: Failure | None) -> None:
    return None
