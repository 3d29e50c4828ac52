"""One client: its requests, its monitors and its locks (RFC 7047 section 4.1, ovsdb-server(7))."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from vnet.ovs.jsonrpc.encode import encode, encode_text
from vnet.ovs.jsonrpc.message import Kind, Message, error_reply, notification, read_message, reply
from vnet.ovs.ovsdb.database import Database, Wait
from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json, json_text
from vnet.ovs.ovsdb.object_parser import is_id
from vnet.ovs.ovsdb.server.locks import Waiter
from vnet.ovs.ovsdb.server.monitor_methods import MonitorMethods
from vnet.ovs.ovsdb.server.pending import Pending
from vnet.ovs.ovsdb.server.refusal import MOST_OF_A_KIND, RefusedError

if TYPE_CHECKING:
    from vnet.ovs.ovsdb.server.server import Server

PROBE_ID = "echo"
"""The identity of the requests by which a connection finds out whether its peer is there."""


class Peer(Protocol):
    """The connection to a client."""

    @property
    def name(self) -> str:
        """How the log calls it."""

    @property
    def unsent_bytes(self) -> int:
        """How much it has not taken yet of what was sent."""

    def send(self, data: bytes) -> None:
        """Send a message."""

    def disconnect(self) -> None:
        """End the connection; the session is closed in the course of that, or later."""


class Session:
    """What one client has asked for. Made by :meth:`~.server.Server.open_session`."""

    def __init__(self, server: Server, peer: Peer, *, is_read_only: bool) -> None:
        self.peer = peer
        self.is_read_only = is_read_only
        self.knows_of_changes = False
        """Whether the client learns by itself what databases there are (``_Server``)."""
        self.is_open = True
        self.lock_waiters: dict[str, Waiter] = {}
        self._server = server
        self._monitors = MonitorMethods(server)
        self._methods: dict[str, Callable[[Message], Json]] = {
            "get_schema": self._get_schema,
            "list_dbs": self._list_dbs,
            "get_server_id": self._get_server_id,
            "lock": self._lock,
            "steal": self._lock,
            "unlock": self._unlock,
            "set_db_change_aware": self._set_db_change_aware,
            "echo": self._echo,
        }

    # -- from the client

    def receive(self, value: Json) -> None:
        """Take a JSON value from the client.

        Raises :class:`~vnet.ovs.jsonrpc.errors.JsonRpcError` where it is no message; the connection
        is to be ended then.
        """
        message = read_message(value)
        if message.kind is Kind.REQUEST:
            self._request(message)
        elif message.kind is Kind.NOTIFICATION:
            self._notified(message)
        elif message.id != PROBE_ID:
            kind = message.kind.value
            self._server.log.warn(f"{self.peer.name}: received unexpected {kind} message")
            self.peer.disconnect()

    def _request(self, message: Message) -> None:
        method = message.method
        assert method is not None
        try:
            if method == "transact":
                self._transact(message)
            elif method == "convert":
                self._convert(message)
            elif method in self._monitors.methods:
                text = self._monitors.call(message, self._send_at_once)
                identity = encode_text(message.id)
                self._send(
                    f'{{"id":{identity},"result":{text},"error":null}}'.encode(
                        "utf-8", "surrogateescape"
                    )
                )
            elif method in self._methods:
                self._send(encode(reply(self._methods[method](message), message.id)))
            else:
                self._send(encode(error_reply("unknown method", message.id)))
        except OvsdbError as error:
            self._send(encode(error_reply(error.to_json(), message.id)))
        except RefusedError as refusal:
            self._send(encode(error_reply(str(refusal), message.id)))

    def _notified(self, message: Message) -> None:
        if message.method == "cancel" and message.params is not None and len(message.params) == 1:
            pending = self._server.pendings.find(self, json_text(message.params[0]))
            if pending is not None:
                self.give_up(pending)

    # -- to the client

    def flush(self) -> None:
        """Tell what is new, unless the client has not taken yet what it was told before."""
        if not self.peer.unsent_bytes:
            self._flush()

    def _flush(self) -> None:
        for update in self._monitors.take_updates():
            self.peer.send(update)

    def _send(self, data: bytes) -> None:
        """Send a message, after all that had to be told before."""
        if self.is_open:
            self._flush()
            self.peer.send(data)

    def _send_at_once(self, data: bytes) -> None:
        self.peer.send(data)

    def complete(self, pending: Pending, result: list[Json]) -> None:
        """Answer a transaction that has waited."""
        self._send(encode(reply(result, pending.identity)))

    def give_up(self, pending: Pending) -> None:
        """A transaction will not be tried again. Only clients that follow ``_Server`` are told."""
        self._server.pendings.remove(pending)
        if self.knows_of_changes:
            self._send(encode(error_reply("canceled", pending.identity)))

    # -- what becomes of databases and connections

    def database_goes(self, database: Database) -> None:
        """A database is about to be taken away: nothing of it can be told any more."""
        for identity in self._monitors.leave(database):
            if self.knows_of_changes:
                self._send(encode(notification("monitor_canceled", [identity])))

    def disconnect(self, comment: str) -> None:
        """End the connection, for a reason that the log is told."""
        self._server.log.info(f"{self.peer.name}: disconnecting ({comment})")
        self.peer.disconnect()

    def close(self) -> None:
        """The connection is no more. Harmless where that was known."""
        if not self.is_open:
            return
        self.is_open = False
        self._monitors.close()
        for waiter in self.lock_waiters.values():
            self._server.locks.release(waiter)
        self.lock_waiters.clear()
        self._server.session_closed(self)

    # -- transactions

    def _transact(self, message: Message) -> None:
        database = self._server.database_for(message)
        pendings = self._server.pendings
        key = ""
        if len(pendings):
            key = json_text(message.id)
            if pendings.find(self, key):
                self._send(
                    encode(error_reply(_faulty(message, "duplicate request ID"), message.id))
                )
                return
        assert message.params is not None
        operations = message.params[1:]
        forward = self._server.served(database.name).forward
        if forward is not None and not all(map(_only_looks, operations)):
            forward(operations, partial(self._forwarded, message.id))
            return
        result = self.execute(database, operations, 0)
        if not isinstance(result, Wait):
            self._send(encode(reply(result, message.id)))
            return
        if pendings.count(self) >= MOST_OF_A_KIND:
            raise RefusedError(f"more than {MOST_OF_A_KIND} transactions wait")
        pending = Pending(
            *(self, key or json_text(message.id), message.id, database.name),
            *(operations, self._server.now_ms),
        )
        self._server.wait(pending, result)

    def _forwarded(self, identity: Json, answer: Message | None) -> None:
        """Hand on what another server made of a transaction."""
        if answer is None:
            self._send(encode(error_reply("canceled", identity)))
        elif answer.kind is Kind.REPLY:
            self._send(encode(reply(answer.result, identity)))
        else:
            self._send(encode(error_reply(answer.error, identity)))

    def execute(
        self, database: Database, operations: list[Json], elapsed_ms: int
    ) -> list[Json] | Wait:
        """Try a transaction of this client's."""
        return database.execute(
            operations,
            elapsed_ms=elapsed_ms,
            holds_lock=self._holds_lock,
            read_only=self.is_read_only or self._server.is_read_only,
        )

    def _holds_lock(self, name: str) -> bool:
        waiter = self.lock_waiters.get(name)
        return waiter is not None and waiter.is_owner

    def _convert(self, message: Message) -> None:
        database = self._server.database_for(message)
        assert message.params is not None
        if len(message.params) != 2:
            raise syntax_error(message.params, "array expected")
        self._server.convert(database, message.params[1])
        self._send(encode(reply({}, message.id)))
        self._server.reconnect(f"committed {database.name} database schema conversion")

    # -- what is known at once

    def _get_schema(self, message: Message) -> Json:
        return self._server.database_for(message).schema.to_json()

    def _list_dbs(self, _message: Message) -> Json:
        return list(self._server.databases)

    def _get_server_id(self, _message: Message) -> Json:
        return self._server.uuid

    def _echo(self, message: Message) -> Json:
        return message.params

    def _set_db_change_aware(self, message: Message) -> Json:
        if message.params not in ([True], [False]) or type(message.params[0]) is not bool:
            raise _fault(message, "true or false parameter expected")
        self.knows_of_changes = message.params[0]
        return {}

    # -- locks

    def _lock(self, message: Message) -> Json:
        name = self._lock_name(message)
        if name in self.lock_waiters:
            raise syntax_error(message.params, f'must issue "unlock" before new "{message.method}"')
        if len(self.lock_waiters) >= MOST_OF_A_KIND:
            raise RefusedError(f"more than {MOST_OF_A_KIND} locks")
        locks = self._server.locks
        ask = locks.steal if message.method == "steal" else locks.ask
        waiter = self.lock_waiters[name] = ask(name, self._lock_changed)
        return {"locked": waiter.is_owner}

    def _unlock(self, message: Message) -> Json:
        waiter = self.lock_waiters.pop(self._lock_name(message), None)
        if waiter is None:
            raise _fault(message, '"unlock" without "lock" or "steal"')
        self._server.locks.release(waiter)
        return {}

    def _lock_name(self, message: Message) -> str:
        if self.is_read_only or self._server.is_read_only:
            raise RefusedError("lock and unlock methods not allowed, DB server is read only.")
        params = message.params
        if params is None or len(params) != 1 or not is_id(params[0]):
            raise syntax_error(params, f"{message.method} request params must be <id>")
        return str(params[0])

    def _lock_changed(self, method: str, name: str) -> None:
        self._send(encode(notification(method, [name])))


def _only_looks(operation: Json) -> bool:
    return type(operation) is dict and operation.get("op") in ("select", "wait", "assert")


def _fault(message: Message, details: str) -> OvsdbError:
    return syntax_error(message.params, f"{message.method}: {details}")


def _faulty(message: Message, details: str) -> Json:
    return _fault(message, details).to_json()
