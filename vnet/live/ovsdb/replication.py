"""A backup of another, active server (ovsdb-server(1), ``--sync-from``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial

from vnet.live.ovsdb.excluded import Excluded
from vnet.live.ovsdb.upstream import Upstream
from vnet.ovs.jsonrpc.message import Message
from vnet.ovs.ovsdb.atoms import Uuid, is_uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.ovsdb.server.copying import apply_updates, clear
from vnet.ovs.vlog.vlog import Vlog

MakeUpstream = Callable[
    [str, Callable[[], None], Callable[[str, list[Json]], None], Callable[[], None]], Upstream
]


class _Step(Enum):
    CONNECTING = 1
    REPLICATING = 2
    FAILED = 3


class Replication:
    """Keeps ``databases`` equal to those of the server at ``target``, until :meth:`close`.

    ``failed`` is called when that cannot be done: then this server is on its own.
    """

    def __init__(
        self,
        target: str,
        excluded: Excluded,
        databases: Mapping[str, Database],
        own_uuid: Uuid,
        failed: Callable[[], None],
        make_upstream: MakeUpstream,
        vlog: Vlog,
    ) -> None:
        self.target = target
        self._excluded = excluded
        self._candidates = {
            name: database for name, database in databases.items() if not database.is_reserved
        }
        self._own_uuid = own_uuid
        self._failed = failed
        self._log = vlog.module("replication")
        self._errors = vlog.module("ovsdb_error")
        self._databases: dict[str, Database] = {}
        self._schemas: dict[str, DatabaseSchema] = {}
        self._n_awaited = 0
        self._step = _Step.CONNECTING
        self.upstream = make_upstream(target, self._begin, self._notified, self._lost)

    def status(self) -> str:
        """For ``ovsdb-server/sync-status``."""
        if self._step is _Step.FAILED:
            return f"Replication to ({self.target}) failed\n"
        if self._step is _Step.CONNECTING:
            return f"connecting: {self.target}"
        lines = [f"replicating: {self.target}", f"database: {', '.join(self._databases)}"]
        if self._excluded:
            lines.append(f"exclude: {self._excluded}")
        return "\n".join(lines)

    def close(self) -> None:
        """Copy nothing any more."""
        self.upstream.close()

    # -- the conversation

    def _begin(self) -> None:
        self._step = _Step.CONNECTING
        self._databases = dict(self._candidates)
        self._schemas.clear()
        self._log.dbg("send server ID request.")
        self.upstream.request("get_server_id", [], self._got_server_id)

    def _lost(self) -> None:
        self._step = _Step.CONNECTING

    def _got_server_id(self, message: Message) -> None:
        if type(message.result) is not str or not is_uuid(message.result):
            self._fail(OvsdbError("get_server_id failed", "Server ID is not valid UUID"))
        elif message.result.lower() == self._own_uuid:
            self._fail(OvsdbError("Server ID check failed", "Self replicating is not allowed"))
        else:
            self.upstream.request("list_dbs", [], self._got_databases)

    def _got_databases(self, message: Message) -> None:
        if type(message.result) is not list:
            self._fail(OvsdbError("list_dbs failed", "list_dbs response is not array"))
            return
        told = {name for name in message.result if type(name) is str}
        names = [name for name in self._databases if name in told]
        self._log.dbg("Send schema requests")
        self._n_awaited = len(names)
        for name in names:
            self.upstream.request("get_schema", [name], partial(self._got_schema, name))

    def _got_schema(self, name: str, message: Message) -> None:
        try:
            schema = DatabaseSchema.from_json(message.result)
        except OvsdbError as error:
            self._fail(error)
            return
        self._schemas[name] = schema
        if schema != self._databases[name].schema:
            self._log.info(
                f"Schema version mismatch, checking if {name} can still be replicated or not."
            )
            problem = _problem(self._databases[name].schema, schema)
            if problem:
                self._log.info(problem)
                self._log.info(f"{name} cannot be replicated.")
                del self._databases[name]
            else:
                self._log.info(f"{name} can be replicated.")
        self._n_awaited -= 1
        if not self._n_awaited:
            self._ask_for_contents()

    def _ask_for_contents(self) -> None:
        if not self._databases:
            self._log.warn("Nothing to replicate.")
            self._give_up()
            return
        self._n_awaited = len(self._databases)
        for name in self._databases:
            tables = set(self._schemas[name].tables) - self._excluded.of(name)
            requests: dict[str, Json] = {table: [{}] for table in sorted(tables)}
            self._log.dbg("Send monitor requests")
            self.upstream.request("monitor", [name, name, requests], partial(self._got_all, name))

    def _got_all(self, name: str, message: Message) -> None:
        self._log.info("Monitor request received. Resetting the database")
        database = self._databases[name]
        try:
            clear(database, but=self._excluded.of(name))
            apply_updates(database, message.result)
        except OvsdbError as error:
            self._fail(error)
            return
        self._n_awaited -= 1
        if not self._n_awaited:
            self._log.dbg("Listening to monitor updates")
            self._step = _Step.REPLICATING

    def _notified(self, method: str, params: list[Json]) -> None:
        if method != "update" or len(params) != 2 or self._step is _Step.FAILED:
            return
        database = self._databases.get(params[0]) if type(params[0]) is str else None
        if database is not None:
            try:
                apply_updates(database, params[1])
            except OvsdbError as error:
                self._fail(error)

    def _fail(self, error: OvsdbError) -> None:
        self._errors.err(f"unexpected ovsdb error: {error}")
        self._give_up()

    def _give_up(self) -> None:
        self._step = _Step.FAILED
        self._failed()


def _problem(own: DatabaseSchema, other: DatabaseSchema) -> str:
    """What keeps the rows of a database with the other schema from being copied; "" is nothing."""
    for table in other.tables.values():
        own_table = own.tables.get(table.name)
        if own_table is None:
            return f"Table {table.name} not present in the local db schema"
        for column in table.columns.values():
            own_column = own_table.columns.get(column.name)
            if own_column is None:
                return (
                    f"Column {column.name} not present in the local db schema table {table.name}."
                )
            if own_column != column:
                return f"Column {column.name} mismatch in local db schema table {table.name}."
    return ""
