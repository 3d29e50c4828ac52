"""A database of another process as a :class:`~vnet.ovs.ovsdb.view.DatabaseView`.

Whoever has the connection tells of it (:meth:`RemoteView.connected`, ``disconnected``), hands in
what comes and sends what goes out. The dialogue is that of Open vSwitch's own clients: first what
the server says of itself in ``_Server``, then a monitor of everything, of the newest kind that the
server knows. After a broken connection only what was missed is asked for. Sources: RFC 7047
section 4.1, ovsdb-server(7) sections 4.1.12 to 4.1.16.
"""

from __future__ import annotations

import json as python_json
from collections.abc import Callable, Mapping
from enum import Enum
from itertools import count
from typing import NamedTuple

from vnet.ovs.jsonrpc.message import Kind, Message, error_reply, read_message
from vnet.ovs.jsonrpc.message import reply as reply_message
from vnet.ovs.jsonrpc.message import request as request_message
from vnet.ovs.ovsdb.atoms import ZERO_UUID, Uuid
from vnet.ovs.ovsdb.client.replica import Replica
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import DatabaseSchema

_SERVER = "_Server"
_SERVER_COLUMNS = ("name", "model", "connected", "leader", "schema", "cid", "index")

Done = Callable[[list[Json]], None]


class Monitoring(Enum):
    """The kinds of monitors, by the methods that ask for them."""

    SINCE = "monitor_cond_since"
    CONDITIONAL = "monitor_cond"
    PLAIN = "monitor"


_FALLBACK = {
    Monitoring.SINCE: Monitoring.CONDITIONAL,
    Monitoring.CONDITIONAL: Monitoring.PLAIN,
}
_UPDATES = {
    "update": Monitoring.PLAIN,
    "update2": Monitoring.CONDITIONAL,
    "update3": Monitoring.SINCE,
}


class _Call(NamedTuple):
    """A request that is not answered yet."""

    replied: Callable[[Json], None]
    refused: Callable[[Json], None]


class RemoteView:
    """What a server has in the database ``name``, and what it is to do with it.

    ``send`` takes messages for the server while there is a connection. With ``lock`` the client
    asks for that lock on every connection, and its transactions are refused without.
    ``state_changed`` is called when the lock or readiness may have changed. Messages that make no
    sense raise :class:`OvsdbError` or :class:`~vnet.ovs.jsonrpc.errors.JsonRpcError`: the
    connection is of no use then.
    """

    def __init__(self, name: str, send: Callable[[Json], None], lock: str | None = None) -> None:
        self.name = name
        self.is_connected = False
        self.has_lock = False
        self.is_lock_contended = False
        """Whether the server has told that somebody else has the lock."""
        self.state_changed: Callable[[], None] = _nothing
        self._send = send
        self._lock = lock
        self._ids = count()
        self._calls: dict[int, _Call] = {}
        self._transactions: dict[int, Done] = {}
        self._replica: Replica | None = None
        self._last_id = ZERO_UUID
        self._listeners: list[Callable[[Commit], None]] = []
        self._monitoring: Monitoring | None = None
        self._server: Replica | None = None
        self._is_server_monitored = False
        self._is_ready = False

    # -- what a DatabaseView has

    @property
    def is_ready(self) -> bool:
        """Whether the contents have been here once, and the lock, if one is asked for, is ours."""
        return self._is_ready and (self._lock is None or self.has_lock)

    @property
    def schema(self) -> DatabaseSchema:
        """The server's schema. There is none before the view has been ready."""
        assert self._replica is not None
        return self._replica.schema

    def rows(self, table: str) -> Mapping[Uuid, Row]:
        """The rows of a table, by identity."""
        assert self._replica is not None
        return self._replica.tables[table]

    def on_commit(self, listener: Callable[[Commit], None]) -> None:
        """Call ``listener`` with what has changed, the first contents included."""
        self._listeners.append(listener)

    def transact(self, operations: list[Json], done: Done | None = None) -> None:
        """Have the server carry out operations; ``done`` gets its answer, or an error where it
        will not come."""
        done = done or _ignore
        if self._monitoring is None or (self._lock is not None and not self.has_lock):
            done([{"error": "not owner" if self._monitoring else "not connected"}])
            return
        asserted = [] if self._lock is None else [{"op": "assert", "lock": self._lock}]
        identity = self._request("transact", [self.name, *operations, *asserted])
        self._transactions[identity] = done

    # -- the connection

    def connected(self) -> None:
        """There is a connection to a server now."""
        self.is_connected = True
        self._restart()
        if self._lock is not None:
            self._call("lock", [self._lock], self._lock_answered, _ignore)

    def disconnected(self) -> None:
        """The connection has gone. What was not answered never will be."""
        self.is_connected = self.has_lock = self.is_lock_contended = False
        self._monitoring, self._is_server_monitored = None, False
        self._calls.clear()
        unanswered, self._transactions = self._transactions, {}
        for done in unanswered.values():
            done([{"error": "not connected"}])
        self.state_changed()

    def receive(self, value: Json) -> None:
        """A message has come."""
        message = read_message(value)
        if message.kind is Kind.REQUEST:
            self._answer(message)
        elif message.kind is Kind.NOTIFICATION:
            self._notified(message)
        else:
            self._answered(message)

    # -- requests and answers

    def _request(self, method: str, params: list[Json]) -> int:
        identity = next(self._ids)
        self._send(request_message(method, params, identity))
        return identity

    def _call(
        self,
        method: str,
        params: list[Json],
        replied: Callable[[Json], None],
        refused: Callable[[Json], None],
    ) -> None:
        self._calls[self._request(method, params)] = _Call(replied, refused)

    def _answer(self, message: Message) -> None:
        if message.method == "echo":
            self._send(reply_message(message.params, message.id))
        else:
            self._send(error_reply({"error": "unknown method"}, message.id))

    def _answered(self, message: Message) -> None:
        identity = message.id if isinstance(message.id, int) else -1
        done = self._transactions.pop(identity, None)
        if done is not None:
            is_answer = message.kind is Kind.REPLY and isinstance(message.result, list)
            done(message.result if is_answer else [_error_of(message)])
            return
        call = self._calls.pop(identity, None)
        if call is not None and message.kind is Kind.REPLY:
            call.replied(message.result)
        elif call is not None:
            call.refused(message.error)

    def _notified(self, message: Message) -> None:
        params = message.params or []
        if message.method in _UPDATES:
            self._updated(_UPDATES[message.method], params)
        elif message.method in ("locked", "stolen") and params == [self._lock]:
            self._set_lock(message.method == "locked")
        elif message.method == "monitor_canceled":
            self._canceled(params)

    # -- the lock

    def _lock_answered(self, result: Json) -> None:
        self._set_lock(isinstance(result, dict) and result.get("locked") is True)

    def _set_lock(self, is_ours: bool) -> None:
        self.has_lock, self.is_lock_contended = is_ours, not is_ours
        self.state_changed()

    # -- what the server says of itself

    def _restart(self) -> None:
        """Begin from the top, as on a new connection."""
        self._monitoring, self._is_server_monitored = None, False
        self._call("get_schema", [_SERVER], self._server_known, self._server_unknown)

    def _server_known(self, schema: Json) -> None:
        self._server = Replica(DatabaseSchema.from_json(schema))
        wanted = {"Database": [{"columns": list(_SERVER_COLUMNS)}]}
        params = [_SERVER, ["monid", _SERVER], wanted]
        self._call("monitor_cond", params, self._server_told, self._server_unknown)

    def _server_unknown(self, _error: Json) -> None:
        """An old server: it has no database about itself, nor the newest monitors."""
        self._call("get_schema", [self.name], self._schema_told, self._schema_refused)

    def _schema_told(self, schema: Json) -> None:
        self._use_schema(schema)
        self._monitor(Monitoring.CONDITIONAL)

    def _schema_refused(self, error: Json) -> None:
        raise OvsdbError("unknown database", f"{self.name}: {error}")

    def _server_told(self, updates: Json) -> None:
        self._is_server_monitored = True
        self._call("set_db_change_aware", [True], _ignore, _ignore)
        self._server_updated(updates)

    def _server_updated(self, updates: Json) -> None:
        """Begin with the database as soon as the server has it."""
        if self._server is None:
            raise OvsdbError("syntax error", f"{_SERVER}: nobody has asked for that")
        self._server.apply(updates, whole_rows=False)
        if self._monitoring is not None:
            return
        for row in self._server.tables.get("Database", {}).values():
            schema = row.columns.get("schema")
            if row.columns.get("name") == (self.name,) and schema:
                self._use_schema(_read_schema(schema[0]))
                self._monitor(Monitoring.SINCE)

    def _use_schema(self, json: Json) -> None:
        schema = DatabaseSchema.from_json(json)
        if self._replica is None:
            self._replica = Replica(schema)
        elif self._replica.schema != schema:
            self._replica.convert(schema)
            self._last_id = ZERO_UUID

    # -- the contents

    def _monitor(self, kind: Monitoring) -> None:
        wanted = {
            table.name: [{"columns": sorted(table.columns)}]
            for table in self.schema.tables.values()
        }
        params: list[Json] = [self.name, ["monid", self.name], wanted]
        if kind is Monitoring.SINCE:
            params.append(self._last_id)
        self._monitoring = kind
        self._call(kind.value, params, self._contents_told, self._monitor_refused)

    def _monitor_refused(self, error: Json) -> None:
        if self._monitoring is None:
            return  # The database went before the answer came.
        if self._monitoring not in _FALLBACK:
            raise OvsdbError("not supported", f"monitor: {error}")
        self._monitor(_FALLBACK[self._monitoring])

    def _contents_told(self, result: Json) -> None:
        if self._monitoring is None or self._replica is None:
            return  # Likewise.
        is_continued, updates = False, result
        if self._monitoring is Monitoring.SINCE:
            is_continued, last_id, updates = _checked(result, 3)
            self._last_id = _transaction_id(last_id)
        take_in = self._replica.apply if is_continued else self._replica.replace
        whole_rows = self._monitoring is Monitoring.PLAIN
        commit = take_in(updates, whole_rows=whole_rows, txn_id=self._last_id)
        self._is_ready = True
        self._tell(commit)
        self.state_changed()

    def _updated(self, kind: Monitoring, params: list[Json]) -> None:
        if params[:1] == [["monid", _SERVER]]:
            self._server_updated(_checked(params, 2)[1])
            return
        if params[:1] != [["monid", self.name]] or self._replica is None:
            return
        if kind is Monitoring.SINCE:
            _, last_id, updates = _checked(params, 3)
            self._last_id = _transaction_id(last_id)
        else:
            _, updates = _checked(params, 2)
        whole_rows = kind is Monitoring.PLAIN
        self._tell(self._replica.apply(updates, whole_rows=whole_rows, txn_id=self._last_id))

    def _tell(self, commit: Commit) -> None:
        if commit.changes:
            for listener in self._listeners:
                listener(commit)

    def _canceled(self, params: list[Json]) -> None:
        """The database was removed or converted: look at everything again."""
        if params not in ([["monid", self.name]], [["monid", _SERVER]]):
            return
        other = _SERVER if params == [["monid", self.name]] else self.name
        is_other_there = self._is_server_monitored if other == _SERVER else self._monitoring
        if is_other_there:
            self._call("monitor_cancel", [["monid", other]], _ignore, _ignore)
        self._restart()


def _checked(json: Json, n: int) -> list[Json]:
    if not isinstance(json, list) or len(json) != n:
        raise OvsdbError("syntax error", f"array of {n} elements expected")
    return json


def _read_schema(text: object) -> Json:
    try:
        return python_json.loads(str(text))
    except (ValueError, RecursionError) as error:
        raise OvsdbError("syntax error", f"{_SERVER}: schema: {error}") from None


def _transaction_id(json: Json) -> Uuid:
    if not isinstance(json, str):
        raise OvsdbError("syntax error", "a transaction's identity is no string")
    return Uuid.parse(json)


def _error_of(message: Message) -> Json:
    error = message.error
    return error if isinstance(error, dict) else {"error": str(error)}


def _ignore(_: Json) -> None:
    return None


def _nothing() -> None:
    return None
