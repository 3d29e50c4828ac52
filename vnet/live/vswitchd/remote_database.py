"""A connection to an ovsdb-server, and what is to be seen by it."""

from __future__ import annotations

from vnet.live.clock import WallClock
from vnet.live.streams.reconnecting import Reconnecting
from vnet.live.streams.stream import Stream
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.jsonrpc.encode import encode
from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.jsonrpc.message import request
from vnet.ovs.jsonrpc.reader import MessageReader
from vnet.ovs.ovsdb.client.remote_view import RemoteView
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.vlog.vlog import SILENT, Vlog


class RemoteDatabase:
    """The database ``name`` at ``target`` (``unix:``, ``tcp:``, ``ssl:``), as its ``view`` shows
    it. The connection is made again whenever it breaks. Raises OSError for a target that is none.
    """

    def __init__(
        self,
        clock: WallClock,
        target: str,
        name: str,
        *,
        lock: str | None = None,
        vlog: Vlog = SILENT,
        tls: TlsFiles | None = None,
    ) -> None:
        self.view = RemoteView(name, self._send, lock)
        self._log = vlog.module("jsonrpc")
        self._reader = MessageReader()
        # Who shares a machine is known to be there without being asked.
        probe = None if target.startswith("unix:") else self._probe
        self._connection = Reconnecting(
            clock, target, self._connected, self._disconnected, probe, vlog=vlog, tls=tls
        )

    def close(self) -> None:
        """Go there no more."""
        self._connection.close()

    def _connected(self, stream: Stream) -> None:
        self._reader = MessageReader()
        stream.on_data = self._heard
        self.view.connected()

    def _disconnected(self, _reason: str) -> None:
        self.view.disconnected()

    def _send(self, message: Json) -> None:
        self._connection.send(encode(message))

    def _probe(self) -> None:
        self._send(request("echo", [], "echo"))

    def _heard(self, data: bytes) -> None:
        self._connection.activity()
        name = self._connection.name
        try:
            for value in self._reader.read(data):
                self.view.receive(value)
        except JsonRpcError as error:
            self._log.warn(f"{name}: error parsing stream: {error}")
        except OvsdbError as error:
            self._log.warn(f"{name}: {error}")
        else:
            return
        self._connection.reconnect()
