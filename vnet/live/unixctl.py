"""A daemon's control socket, where ovs-appctl(8) finds it."""

from __future__ import annotations

import os

from vnet.live.clock import WallClock
from vnet.live.directories import run_directory
from vnet.live.streams.listener import Listener, listen
from vnet.live.streams.stream import Stream
from vnet.ovs.unixctl.connection import UnixctlConnection
from vnet.ovs.unixctl.table import CommandTable
from vnet.ovs.vlog.vlog import SILENT, Vlog


class UnixctlServer:
    """Answers on ``<program>.<pid>.ctl`` in ``directory`` (or where sockets are), or at ``path``.

    ``path`` may be relative to that, or ``none`` for no socket at all. Raises OSError.
    """

    def __init__(
        self,
        clock: WallClock,
        table: CommandTable,
        program: str,
        path: str | None = None,
        *,
        directory: str | None = None,
        vlog: Vlog = SILENT,
    ) -> None:
        self._table = table
        self._vlog = vlog
        self._streams: set[Stream] = set()
        self._listener: Listener | None = None
        self.path = self.path_of(program, path, directory)
        if path != "none":
            self._listener = listen(clock, f"punix:{self.path}", self._accepted, vlog=vlog)

    @staticmethod
    def path_of(program: str, path: str | None, directory: str | None = None) -> str:
        """Where the socket is, for what was asked for."""
        name = f"{program}.{os.getpid()}.ctl" if path is None else path
        return os.path.join(run_directory() if directory is None else directory, name)

    def close(self) -> None:
        """Answer nobody any more; what is answered already still gets out."""
        if self._listener is not None:
            self._listener.close()
        for stream in tuple(self._streams):
            stream.shut_down_sending()
        self._streams.clear()

    def _accepted(self, stream: Stream) -> None:
        self._streams.add(stream)
        connection = UnixctlConnection(
            self._table,
            stream.send,
            lambda: self._hang_up(stream),
            is_behind=lambda: stream.unsent_bytes > 0,
            name=stream.peer,
            vlog=self._vlog,
        )
        stream.waits_for_peer = True
        stream.on_data = connection.receive
        stream.on_drained = connection.go_on

        def closed(_reason: str) -> None:
            self._streams.discard(stream)
            connection.closed()

        stream.on_closed = closed

    def _hang_up(self, stream: Stream) -> None:
        self._streams.discard(stream)
        stream.close()
