"""One attempt to reach somebody: ``unix:``, ``tcp:`` and ``ssl:``."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.live.clock import WallClock
from vnet.live.streams.stream import Stream
from vnet.live.streams.target import Target
from vnet.live.streams.tls_files import TlsFiles
from vnet.live.streams.unix_paths import connect
from vnet.ovs.vlog.vlog import Vlog

if TYPE_CHECKING:
    from ssl import SSLContext


class Attempt:
    """Ends by calling ``connected`` with a stream, or ``failed`` with an error number; later than
    in this call. :meth:`cancel` ends it without either. Raises OSError where no socket is to be
    had."""

    def __init__(
        self,
        clock: WallClock,
        target: Target,
        connected: Callable[[Stream], None],
        failed: Callable[[int], None],
        *,
        vlog: Vlog,
        tls: TlsFiles | None,
    ) -> None:
        self._clock = clock
        self._target = target
        self._connected = connected
        self._failed = failed
        self._vlog = vlog
        self._tls = tls or TlsFiles()
        self._context: SSLContext | None = None
        self._stream: Stream | None = None
        self._is_over = False
        self.failed_at_once = False
        """Whether there was nothing to wait for."""
        self._socket = socket.socket(target.family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        try:
            self._begin()
        except BlockingIOError:
            # A unix socket says so where its owner is behind with callers: then there is no wait.
            error_number = errno.EAGAIN if target.path else self._error()
            if error_number:
                self.failed_at_once = True
                clock.at(clock.now_ns, self._fail, error_number)
            else:
                clock.watch(self._socket, self._look)
                clock.watch_writable(self._socket, True)
        except OSError as error:
            self.failed_at_once = True
            clock.at(clock.now_ns, self._fail, error.errno or errno.EIO)
        else:
            clock.at(clock.now_ns, self._reached)

    def cancel(self) -> None:
        """Give it up. Harmless once it is over."""
        if not self._is_over:
            self._is_over = True
            if self._stream is not None:
                self._stream.close()  # It has taken the socket over.
            else:
                self._clock.forget(self._socket)
                self._socket.close()

    def _begin(self) -> None:
        if self._target.kind == "ssl":
            from vnet.live.streams.tls import make_context

            # Without it there is no use in going there.
            self._context = make_context(self._tls, server=False, vlog=self._vlog)
        if self._target.path:
            connect(self._socket, self._target.path)
        else:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.connect(self._target.address)

    def _error(self) -> int:
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def _look(self) -> None:
        error = self._error()
        self._clock.forget(self._socket)
        if error:
            self._fail(error)
        else:
            self._reached()

    def _fail(self, error: int) -> None:
        if not self._is_over:
            if self._target.path:
                reason = os.strerror(error)
                self._vlog.module("stream_unix").dbg(
                    f"{self._target.path}: connection failed ({reason})"
                )
            self.cancel()
            self._failed(error)

    def _reached(self) -> None:
        if self._is_over:
            return
        name = self._target.text
        if self._context is None:
            self._is_over = True
            self._connected(Stream(self._clock, self._socket, name))
            return
        from vnet.live.streams.tls_stream import TlsStream

        try:
            stream = TlsStream(
                *(self._clock, self._socket, name, self._tls),
                context=self._context,
                server=False,
                vlog=self._vlog,
            )
        except OSError as error:
            self._fail(error.errno or errno.EIO)
            return
        self._stream = stream
        stream.on_closed = lambda _reason: self._fail(stream.error)
        stream.on_ready_to_use = lambda: self._ready(stream)
        stream.start()

    def _ready(self, stream: Stream) -> None:
        self._is_over = True
        self._connected(stream)
