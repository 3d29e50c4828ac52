"""A client's connection: bytes to messages for its session, and messages to bytes.

Nothing is read from a client that does not take its answers, and what it asked for meanwhile is
worked on when it has. So it costs no more than what it left in the system's buffers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from vnet.base.units import NS_PER_MS
from vnet.live.clock import WallClock
from vnet.live.ovsdb.rpc_log import RpcLog
from vnet.live.streams.reconnect import Action, Reconnect
from vnet.live.streams.stream import Stream
from vnet.ovs.jsonrpc.encode import encode
from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.jsonrpc.message import request
from vnet.ovs.jsonrpc.reader import MessageReader
from vnet.ovs.ovsdb.server.server import Server
from vnet.ovs.ovsdb.server.session import PROBE_ID
from vnet.ovs.vlog.vlog import Vlog

PROBE = encode(request("echo", [], PROBE_ID))
"""Asks a peer that has been silent for a sign of life."""


class Connection:
    """One client, over a stream. ``ended`` is told when it is no more."""

    def __init__(
        self,
        server: Server,
        stream: Stream,
        ended: Callable[[Connection], None],
        *,
        is_read_only: bool,
        heard: Callable[[], None],
        vlog: Vlog,
    ) -> None:
        self.name = stream.peer
        self._stream = stream
        self._ended = ended
        self._heard = heard
        self._rpc_log = RpcLog(vlog, self.name)
        self._reader = MessageReader()
        self._values: Iterator[Any] | None = None
        self._is_open = True
        self.session = server.open_session(self, is_read_only=is_read_only)
        stream.waits_for_peer = True
        stream.on_data = self._receive
        stream.on_drained = self._drained

    # -- what its session does

    @property
    def unsent_bytes(self) -> int:
        """How much the client has not taken yet."""
        return self._stream.unsent_bytes

    def send(self, data: bytes) -> None:
        """Send a message."""
        if self._rpc_log.is_wanted:
            self._rpc_log.sent(data)
        self._stream.send(data)

    def disconnect(self) -> None:
        """End the connection."""
        self._stream.close()
        self.closed()

    def closed(self) -> None:
        """The stream has ended. Harmless the second time."""
        if self._is_open:
            self._is_open = False
            self._values = None
            self.session.close()
            self._ended(self)

    # -- what the stream tells

    def _receive(self, data: bytes) -> None:
        self._heard()
        self._values = self._reader.read(data)
        self._work()

    def _drained(self) -> None:
        self._work()
        if self._is_open:
            self.session.flush()

    def _work(self) -> None:
        """Give what has come to the session, as long as its answers are taken."""
        values = self._values
        if values is None:
            return
        try:
            for value in values:
                self._take(value)
                if not self._is_open or self._stream.unsent_bytes:
                    return
        except JsonRpcError as error:
            self._rpc_log.bad(error, is_json=False)
            self.disconnect()
        self._values = None

    def _take(self, value: Any) -> None:
        if self._rpc_log.is_wanted:
            self._rpc_log.received(value)
        try:
            self.session.receive(value)
        except JsonRpcError as error:
            self._rpc_log.bad(error, is_json=True)
            self.disconnect()
        except Exception as fault:  # noqa: BLE001 - the rim: one client must not end all others'
            self._rpc_log.fault(fault)
            self.disconnect()


class AcceptedConnection(Connection):
    """A client that has come by itself, and is asked for signs of life."""

    def __init__(
        self,
        clock: WallClock,
        server: Server,
        stream: Stream,
        ended: Callable[[Connection], None],
        *,
        is_read_only: bool,
        probe_interval_ms: int,
        vlog: Vlog,
    ) -> None:
        self._clock = clock
        self._alarm_ns: int | None = None
        self._life = Reconnect(stream.peer, self._now_ms, vlog)
        self._life.is_quiet = True
        self._life.tries_left = 0
        self._life.connected(self._now_ms)
        super().__init__(
            server, stream, ended, is_read_only=is_read_only, heard=self._hear, vlog=vlog
        )
        stream.on_closed = lambda _reason: self._lost()
        self.set_probe_interval(probe_interval_ms)

    def set_probe_interval(self, interval_ms: int) -> None:
        """Ask the client after so long a silence; 0: never."""
        self._life.set_probe_interval(interval_ms)
        self._set_alarm()

    @property
    def _now_ms(self) -> int:
        return self._clock.real_now_ns // NS_PER_MS

    def _hear(self) -> None:
        self._life.activity(self._now_ms)

    def _lost(self) -> None:
        self._life.disconnected(self._now_ms, self._stream.error)
        self.closed()

    def _set_alarm(self) -> None:
        deadline_ms = self._life.deadline_ms
        if deadline_ms is None or not self._is_open:
            return
        due_ns = max(deadline_ms * NS_PER_MS, self._clock.now_ns)
        if self._alarm_ns is None or due_ns < self._alarm_ns:
            self._alarm_ns = due_ns
            self._clock.at(due_ns, self._alarm, due_ns)

    def _alarm(self, due_ns: int) -> None:
        if due_ns != self._alarm_ns or not self._is_open:
            return
        self._alarm_ns = None
        action = self._life.due(self._now_ms)
        if action is Action.PROBE:
            self.send(PROBE)
        elif action is Action.DISCONNECT:
            self.disconnect()
        self._set_alarm()
