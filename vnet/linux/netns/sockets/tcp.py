"""TCP sockets: what a program has of a connection, and of a port on which it listens.

Nothing blocks: a socket calls back, in the event in which something happened, and the program
asks it for what there is. Callbacks may call the socket again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.linux.tcp.arrival import arrive
from vnet.linux.tcp.connection import Connection
from vnet.linux.tcp.outcome import Failure, Signal
from vnet.linux.tcp.states import State
from vnet.wire.tcp import Tcp
from vnet.wire.tcp_options import TcpOptions

if TYPE_CHECKING:
    from vnet.linux.netns.sockets.tcp_table import FlowKey, TcpTable

DEFAULT_BACKLOG = 128
_EVERYTHING = 1 << 30


class TcpSocket:
    """One end of a connection.

    ``on_connected``, ``on_readable``, ``on_writable`` and ``on_closed`` are set by the program.
    ``on_readable`` is called when data, or the end of it, has come; ``on_writable`` after a
    :meth:`send` that could not take all, when there is room; ``on_closed`` once, when nothing
    more will come, with the reason where it is none of the program's own.
    """

    __slots__ = (
        "_alarm_ns",
        "_table",
        "connection",
        "flow_label",
        "ident",
        "key",
        "listener",
        "on_closed",
        "on_connected",
        "on_readable",
        "on_writable",
    )

    def __init__(
        self, table: TcpTable, key: FlowKey, connection: Connection, ident: int, flow_label: int
    ) -> None:
        self._table = table
        self.key = key
        self.connection = connection
        self.ident = ident
        self.flow_label = flow_label
        self.listener: TcpListener | None = None
        """The port by which it came, until the program has accepted it."""
        self.on_connected: Callable[[TcpSocket], None] = _nothing
        self.on_readable: Callable[[TcpSocket], None] = _nothing
        self.on_writable: Callable[[TcpSocket], None] = _nothing
        self.on_closed: Callable[[TcpSocket, Failure | None], None] = _not_told
        self._alarm_ns: int | None = None

    # -- what there is to know

    @property
    def local(self) -> tuple[bytes, int]:
        """Our address and port."""
        return self.key[0], self.key[1]

    @property
    def remote(self) -> tuple[bytes, int]:
        """The peer's address and port."""
        return self.key[2], self.key[3]

    @property
    def state(self) -> State:
        return self.connection.state

    @property
    def failure(self) -> Failure | None:
        """Why the connection is no more, if it was not closed in good order."""
        return self.connection.failure

    @property
    def available(self) -> int:
        """Bytes that can be read."""
        return self.connection.receiver.available

    @property
    def at_end(self) -> bool:
        """The peer writes no more, and all that it wrote has been read."""
        return self.connection.at_end

    @property
    def unsent_bytes(self) -> int:
        """Bytes that were written and are not acknowledged."""
        return len(self.connection.sender.buffer)

    # -- options

    def set_nodelay(self, on: bool = True) -> None:
        """TCP_NODELAY: small segments need not wait for each other."""
        self.connection.sender.nodelay = on
        if on:
            self._do(self.connection.push_at)

    def set_cork(self, on: bool = True) -> None:
        """TCP_CORK: nothing but full segments until it is pulled."""
        self.connection.sender.corked = on
        if not on:
            self._do(self.connection.push_at)

    def set_keepalive(
        self,
        on: bool = True,
        *,
        idle_s: int | None = None,
        interval_s: int | None = None,
        probes: int | None = None,
    ) -> None:
        """SO_KEEPALIVE: ask a silent peer whether it is there (and TCP_KEEPIDLE, -INTVL, -CNT)."""
        keepalive = self.connection.keepalive
        keepalive.enabled = on
        keepalive.idle_s = idle_s or keepalive.idle_s
        keepalive.interval_s = interval_s or keepalive.interval_s
        keepalive.most = probes or keepalive.most
        self._do(self.connection.restart_keepalive)

    # -- the program's calls

    def send(self, data: bytes) -> int:
        """Write as much of ``data`` as the send buffer takes; returns how many bytes."""
        accepted = self.connection.send(data, self._table.now_ns)
        self.settle()
        return accepted

    def receive(self, most_bytes: int = _EVERYTHING) -> bytes:
        """Read what has come, nothing if nothing has."""
        data = self.connection.receive(most_bytes, self._table.now_ns)
        if self.connection.out:
            self.settle()
        return data

    def shutdown(self) -> None:
        """Write no more: the peer reads to the end (SHUT_WR)."""
        self._do(self.connection.shutdown)

    def close(self) -> None:
        """Be done. What was written is still sent; what was not read resets the peer."""
        self.on_readable = self.on_writable = _nothing
        self._do(self.connection.close)

    def abort(self) -> None:
        """Reset the peer and be done (SO_LINGER with a time of 0)."""
        self._do(self.connection.abort)

    def _do(self, call: Callable[[int], None]) -> None:
        call(self._table.now_ns)
        self.settle()

    # -- the namespace's side

    def arrived(self, segment: Tcp, options: TcpOptions) -> DropReason | None:
        """A segment came for this connection; says why if it was thrown away."""
        reason = arrive(self.connection, segment, options, self._table.now_ns)
        self.settle()
        return reason

    def settle(self) -> None:
        """Send what the connection wants sent, set the alarm, and tell the program."""
        connection = self.connection
        if connection.out:
            segments, connection.out = connection.out, []
            for segment in segments:
                self._table.transmit(self, segment)
        due_ns = connection.deadline_ns
        if due_ns is not None and (self._alarm_ns is None or due_ns < self._alarm_ns):
            self._set_alarm(due_ns)
        if connection.signals:
            signals, connection.signals = connection.signals, []
            self._tell(signals)
        if connection.state is State.TIME_WAIT:
            self._table.remember(self)

    def _set_alarm(self, due_ns: int) -> None:
        # A deadline that is put off keeps its event, which then sets the next: nearly every
        # segment puts one off.
        self._alarm_ns = due_ns
        self._table.at(due_ns, self._ring, due_ns)

    def _ring(self, alarm_ns: int) -> None:
        if self._alarm_ns != alarm_ns:
            return
        self._alarm_ns = None
        due_ns = self.connection.deadline_ns
        if due_ns is None:
            return
        if due_ns <= alarm_ns:
            self.connection.wake(alarm_ns)
        self.settle()

    def _tell(self, signals: list[Signal]) -> None:
        for signal in signals:
            if signal is Signal.CONNECTED:
                if self.listener is not None:
                    self.listener.completed(self)
                self.on_connected(self)
            elif signal is Signal.READABLE:
                self.on_readable(self)
            elif signal is Signal.WRITABLE:
                self.on_writable(self)
            else:
                self._table.forget(self)
                self.on_closed(self, self.connection.failure)


class TcpListener:
    """A port on which a program listens.

    ``on_waiting`` is called when a connection can be accepted. At most ``backlog`` wait to be,
    and as many again may be half open.
    """

    __slots__ = ("_table", "address", "backlog", "half_open", "on_waiting", "port", "waiting")

    def __init__(
        self,
        table: TcpTable,
        address: bytes,
        port: int,
        on_waiting: Callable[[TcpListener], None],
        backlog: int,
    ) -> None:
        self._table = table
        self.address = address
        self.port = port
        self.backlog = backlog
        self.on_waiting = on_waiting
        self.half_open: set[FlowKey] = set()
        self.waiting: deque[TcpSocket] = deque()

    @property
    def is_full(self) -> bool:
        """Whether no more may wait to be accepted."""
        return len(self.waiting) > self.backlog

    @property
    def is_flooded(self) -> bool:
        """Whether no more may be half open."""
        return len(self.half_open) >= max(self.backlog, 1)

    def completed(self, socket: TcpSocket) -> None:
        """The handshake is over."""
        self.half_open.discard(socket.key)
        self.waiting.append(socket)
        self.on_waiting(self)

    def accept(self) -> TcpSocket | None:
        """The connection that has waited longest; None where none waits."""
        if not self.waiting:
            return None
        socket = self.waiting.popleft()
        socket.listener = None
        return socket

    def close(self) -> None:
        """Listen no more; who waited is reset."""
        self._table.stop_listening(self)
        for socket in (*self.waiting, *self._table.sockets_of(self.half_open)):
            socket.abort()
        self.waiting.clear()
        self.half_open.clear()


def _nothing(_socket: TcpSocket) -> None:
    return None


def _not_told(_socket: TcpSocket, _failure: Failure | None) -> None:
    return None
