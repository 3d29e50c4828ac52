"""Waiting for others: ``punix:``, ``ptcp:`` and ``pssl:``."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import socket
from collections.abc import Callable

from vnet.base.text import escaped
from vnet.base.units import NS_PER_MS
from vnet.live.clock import WallClock
from vnet.live.streams.stream import Stream
from vnet.live.streams.target import OVSDB_PORT, Target, host_text, parse_passive
from vnet.live.streams.tls_files import TlsFiles
from vnet.live.streams.unix_paths import bind_privately
from vnet.ovs.vlog.vlog import SILENT, Vlog

_BACKLOG = 1024
"""Callers that may wait while the loop is busy: the next one is turned away."""
_MOST_AT_ONCE = 16
"""Callers taken in one turn of the loop, so that a crowd keeps nobody from being served."""

_SHORTAGE_PAUSE_NS = 100 * NS_PER_MS
_SHORTAGES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))

_unnamed = itertools.count()


class Listener:
    """Takes callers in until it is closed. ``port`` is the one in use, 0 for unix."""

    def __init__(
        self,
        clock: WallClock,
        target: Target,
        accepted: Callable[[Stream], None],
        *,
        vlog: Vlog,
        tls: TlsFiles | None,
    ) -> None:
        self.name = target.text
        self.path = target.path
        self._clock = clock
        self._target = target
        self._accepted = accepted
        self._vlog = vlog
        self._tls = tls
        self._is_open = True
        self._socket = _open(target, vlog)
        self._inode = os.lstat(self.path).st_ino if self.path else 0
        self.port = 0 if self.path else int(self._socket.getsockname()[1])
        clock.watch(self._socket, self._accept_some)

    def close(self) -> None:
        """Wait for nobody any more; a unix socket's name goes. Harmless the second time."""
        if not self._is_open:
            return
        self._is_open = False
        self._clock.forget(self._socket)
        self._socket.close()
        self._remove_name()

    def _remove_name(self) -> None:
        """Unless somebody else has taken it over meanwhile."""
        with contextlib.suppress(FileNotFoundError):
            if self.path and os.lstat(self.path).st_ino == self._inode:
                os.unlink(self.path)

    def _accept_some(self) -> None:
        for _ in range(_MOST_AT_ONCE):
            if not self._is_open:
                return
            try:
                sock, address = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._refused(error)
                return
            self._accept(sock, address)

    def _refused(self, error: OSError) -> None:
        """A caller has gone again, or this process has too many: then the others wait a moment."""
        self._vlog.module("stream_fd").dbg(f"accept: {error.strerror}")
        if error.errno in _SHORTAGES:
            self._clock.forget(self._socket)
            self._clock.at(self._clock.now_ns + _SHORTAGE_PAUSE_NS, self._go_on)

    def _go_on(self) -> None:
        if self._is_open:
            self._clock.watch(self._socket, self._accept_some)

    def _accept(self, sock: socket.socket, address: object) -> None:
        sock.setblocking(False)
        peer = _peer_name(self._target, address)
        if self._target.kind == "unix":
            self._accepted(Stream(self._clock, sock, peer))
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._target.kind == "tcp":
            self._accepted(Stream(self._clock, sock, peer))
            return
        from vnet.live.streams.tls import make_context
        from vnet.live.streams.tls_stream import TlsStream

        files, vlog = self._tls or TlsFiles(), self._vlog
        try:
            context = make_context(files, server=True, vlog=vlog)
            stream = TlsStream(
                self._clock, sock, peer, files, context=context, server=True, vlog=vlog
            )
        except OSError:
            sock.close()  # Why has been logged.
            return
        self._accepted(stream)


def listen(
    clock: WallClock,
    target: str,
    accepted: Callable[[Stream], None],
    *,
    directory: str | None = None,
    default_port: int = OVSDB_PORT,
    vlog: Vlog = SILENT,
    tls: TlsFiles | None = None,
) -> Listener:
    """Wait for callers at ``punix:PATH``, ``ptcp:[PORT][:HOST]`` or ``pssl:[PORT][:HOST]``.

    Without a host, on this machine's own address alone. Port 0 takes a free one, and the log
    says which. Raises OSError, having logged why.
    """
    parsed = parse_passive(target, directory=directory, default_port=default_port, vlog=vlog)
    return Listener(clock, parsed, accepted, vlog=vlog, tls=tls)


def _open(target: Target, vlog: Vlog) -> socket.socket:
    sock = socket.socket(target.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if target.path:
            bind_privately(sock, target.path)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(target.address)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        _say_why(target, error, vlog)
        raise
    if not target.path and target.port == 0:
        name = target.text.partition(":")[2]
        vlog.module("socket_util").info(f"{name}: listening on port {sock.getsockname()[1]}")
    return sock


def _say_why(target: Target, error: OSError, vlog: Vlog) -> None:
    if target.path:
        vlog.module("stream_unix").err(f"{target.path}: binding failed: {error.strerror}")
    else:
        name = target.text.partition(":")[2]
        vlog.module("socket_util").err(f"{name}: bind: {error.strerror}")


def _peer_name(target: Target, address: object) -> str:
    if target.kind == "unix":
        named = address if isinstance(address, str) else ""
        return f"unix:{escaped(named)}" if named else f"unix#{next(_unnamed)}"
    host, port = address[:2]  # type: ignore[index]
    return f"{target.kind}:{host_text(host)}:{port}"
