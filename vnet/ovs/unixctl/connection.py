"""One client's side of the conversation: requests are answered one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from vnet.base.text import escaped
from vnet.ovs.jsonrpc.encode import encode, encode_text
from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.jsonrpc.limits import Limits
from vnet.ovs.jsonrpc.message import Kind, Message, error_reply, read_message, reply
from vnet.ovs.jsonrpc.reader import MessageReader
from vnet.ovs.unixctl.request import Request
from vnet.ovs.unixctl.table import CommandTable
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import SILENT, Vlog

LIMITS = Limits(message_bytes=8 << 20, depth=100, parts=200_000)
"""Far more than any command has."""

_MOST_WAITING = 1000
"""Requests that may wait while one is being worked on."""


class UnixctlConnection:
    """``send`` takes bytes for the client, ``hang_up`` ends the connection.

    While ``is_behind`` says that the client has not taken its answers, nothing more is done for
    it; call :meth:`go_on` when it has. Call :meth:`receive` with what comes, and :meth:`closed`
    when the client has gone: an answer that comes later has nobody to go to.
    """

    def __init__(
        self,
        table: CommandTable,
        send: Callable[[bytes], None],
        hang_up: Callable[[], None],
        *,
        is_behind: Callable[[], bool] = lambda: False,
        name: str = "unix",
        vlog: Vlog = SILENT,
    ) -> None:
        self._table = table
        self._send = send
        self._hang_up = hang_up
        self._is_behind = is_behind
        self._name = name
        self._log = vlog.module("unixctl")
        self._rpc_log = vlog.module("jsonrpc")
        self._limit = self._log.limit(5, 5)
        self._reader = MessageReader(LIMITS)
        self._waiting: deque[Message] = deque()
        self._is_busy = False
        self._is_working = False
        self._is_open = True

    def receive(self, data: bytes) -> None:
        """Bytes from the client."""
        try:
            for value in self._reader.read(data):
                if self._is_open:
                    self._take(value)
        except JsonRpcError as error:
            self._rpc_log.warn(f"{self._name}: error parsing stream: {error}", self._limit)
            self._end()

    def go_on(self) -> None:
        """The client has taken its answers."""
        self._work()

    def closed(self) -> None:
        """The client has gone."""
        self._is_open = False
        self._waiting.clear()

    def _take(self, value: Any) -> None:
        try:
            message = read_message(value)
        except JsonRpcError as error:
            self._rpc_log.warn(f"{self._name}: received bad JSON-RPC message: {error}", self._limit)
            self._end()
            return
        kind = message.kind.value
        if message.kind is not Kind.REQUEST:
            self._log.warn(f"{self._name}: received unexpected {kind} message", self._limit)
            self._end()
        elif len(self._waiting) >= _MOST_WAITING:
            self._log.warn(f"{self._name}: over {_MOST_WAITING} requests at once", self._limit)
            self._end()
        else:
            self._waiting.append(message)
            self._work()

    def _work(self) -> None:
        """Do what waits, as long as no answer has to be waited for."""
        if self._is_working:
            return
        self._is_working = True
        try:
            while self._waiting and not self._is_busy and not self._is_behind():
                self._start(self._waiting.popleft())
        finally:
            self._is_working = False

    def _start(self, message: Message) -> None:
        self._is_busy = True
        if self._log.is_enabled(Level.DBG):
            params, identity = encode_text(message.params), encode_text(message.id)
            self._log.dbg(f"received request {message.method}{params}, id={identity}")
        request = Request(lambda well, text: self._answer(message.id, well, text))
        try:
            self._table.dispatch(message.method or "", message.params or [], request)
        except Exception as fault:  # noqa: BLE001 - the rim: a question must not end a daemon
            self._confess(message.method or "", fault, request)

    def _confess(self, method: str, fault: Exception, request: Request) -> None:
        """A command failed in a way that nobody thought of. Say all that is known in the log, and
        to the client that it will not have an answer."""
        self._log.fault(f'"{escaped(method)}" command failed', fault)
        if not request.is_answered:
            request.fail(f"internal error ({type(fault).__name__})")

    def _answer(self, identity: Any, succeeded: bool, text: str) -> None:
        self._is_busy = False
        if self._log.is_enabled(Level.DBG):
            outcome = "success" if succeeded else "error"
            self._log.dbg(f'replying with {outcome}, id={encode_text(identity)}: "{text}"')
        if not self._is_open:
            return
        body = text if not text or text.endswith("\n") else text + "\n"
        answer = reply(body, identity) if succeeded else error_reply(body, identity)
        self._send(encode(answer))
        self._work()

    def _end(self) -> None:
        if self._is_open:
            self.closed()
            self._hang_up()
