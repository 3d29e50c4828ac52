"""Another server, of which this one is a client: requests, their answers, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vnet.live.clock import WallClock
from vnet.live.ovsdb.connection import PROBE
from vnet.live.ovsdb.rpc_log import RpcLog
from vnet.live.streams.reconnecting import Reconnecting
from vnet.live.streams.stream import Stream
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.jsonrpc.encode import encode
from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.jsonrpc.limits import Limits
from vnet.ovs.jsonrpc.message import Kind, Message, read_message, reply, request
from vnet.ovs.jsonrpc.reader import MessageReader
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.vlog.vlog import Vlog

LIMITS = Limits(message_bytes=1 << 30, parts=50_000_000)
"""A whole database comes in one message, from somebody who is trusted with that."""

Answered = Callable[[Message], None]


class Upstream:
    """A connection that is made again whenever it breaks.

    ``begin`` is called for each that stands, ``notified`` for each notification, ``lost`` when it
    has broken. Raises OSError for a target that is none.
    """

    def __init__(
        self,
        clock: WallClock,
        target: str,
        begin: Callable[[], None],
        notified: Callable[[str, list[Json]], None],
        lost: Callable[[], None],
        *,
        vlog: Vlog,
        tls: TlsFiles,
        directory: str | None,
    ) -> None:
        self.target = target
        self._begin = begin
        self._notified = notified
        self._lost = lost
        self._reader = MessageReader(LIMITS)
        self._answers: dict[Any, Answered] = {}
        self._next_id = 0
        self._rpc_log = RpcLog(vlog, target)
        self._link = Reconnecting(
            clock,
            target,
            self._connected,
            self._disconnected,
            lambda: self._send(PROBE),
            directory=directory,
            vlog=vlog,
            tls=tls,
        )

    @property
    def is_connected(self) -> bool:
        """Whether the other server is there."""
        return self._link.is_connected

    def request(self, method: str, params: list[Json], answered: Answered) -> None:
        """Ask for something; ``answered`` is given the answer, unless the connection breaks."""
        self._answers[self._next_id] = answered
        self._send(encode(request(method, params, self._next_id)))
        self._next_id += 1

    def set_probe_interval(self, interval_ms: int) -> None:
        """Ask the other server for a sign of life after so long a silence; 0: never."""
        self._link.set_probe_interval(interval_ms)

    def reconnect(self) -> None:
        """Begin anew."""
        self._link.reconnect()

    def close(self) -> None:
        """Leave it."""
        self._link.close()
        self._answers.clear()

    def _send(self, data: bytes) -> None:
        if self._rpc_log.is_wanted:
            self._rpc_log.sent(data)
        self._link.send(data)

    def _connected(self, stream: Stream) -> None:
        self._reader = MessageReader(LIMITS)
        self._answers.clear()
        stream.on_data = self._receive
        self._begin()

    def _disconnected(self, _reason: str) -> None:
        self._answers.clear()
        self._lost()

    def _receive(self, data: bytes) -> None:
        self._link.activity()
        try:
            for value in self._reader.read(data):
                self._take(value)
                if not self._link.is_connected:
                    return
        except JsonRpcError as error:
            self._rpc_log.bad(error, is_json=False)
            self.reconnect()

    def _take(self, value: Any) -> None:
        message = read_message(value)
        if self._rpc_log.is_wanted:
            self._rpc_log.received(value)
        if message.kind is Kind.REQUEST and message.method == "echo":
            self._send(encode(reply(message.params, message.id)))
        elif message.kind is Kind.NOTIFICATION:
            self._notified(message.method or "", message.params or [])
        elif type(message.id) is int:
            answered = self._answers.pop(message.id, None)
            if answered is not None:
                answered(message)
