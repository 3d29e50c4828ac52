"""The databases of one ovsdb-server and what its clients share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from vnet.base.units import NS_PER_MS
from vnet.ovs.jsonrpc.message import Message
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.database import Database, Wait
from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.ovsdb.server.locks import Locks
from vnet.ovs.ovsdb.server.pending import FOREVER_MS, Pending, Pendings
from vnet.ovs.ovsdb.server.served import Served
from vnet.ovs.ovsdb.server.server_database import (
    make_server_database,
    update_server_database,
)
from vnet.ovs.ovsdb.server.session import Peer, Session
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.sim.scheduler import Scheduler


class Server:
    """Databases by name, ``_Server`` among them, and the sessions that use them.

    Everything that follows from a commit (notifications, transactions that have waited for it)
    happens later in the same instant of ``scheduler``, so that several commits are told as one.
    """

    def __init__(
        self, scheduler: Scheduler, new_uuid: Callable[[], Uuid], vlog: Vlog = SILENT
    ) -> None:
        self.uuid = new_uuid()
        self.log = vlog.module("ovsdb_jsonrpc_server")
        self.locks = Locks()
        self.pendings = Pendings()
        self.sessions: dict[Session, None] = {}
        self.is_read_only = False
        """Whether clients may only look: as long as it is another server's backup."""
        self.has_conditional_monitors = True
        self._scheduler = scheduler
        self._served: dict[str, Served] = {}
        self._listeners: dict[str, Callable[[Commit], None]] = {}
        self._changed: set[str] = set()
        self._is_settling = False
        self._alarm_ms = FOREVER_MS
        self._about = make_server_database(new_uuid)
        self.add(self._about)

    # -- databases

    @property
    def now_ms(self) -> int:
        """The time, by which transactions run out of it."""
        return self._scheduler.now_ns // NS_PER_MS

    @property
    def databases(self) -> Mapping[str, Database]:
        """All databases by name, in the order of names."""
        return MappingProxyType(
            {name: self._served[name].database for name in sorted(self._served)}
        )

    def served(self, name: str) -> Served:
        """What is known of a database. Raises KeyError."""
        return self._served[name]

    def add(self, database: Database, model: str = "standalone") -> Served:
        """Serve one more. Raises :class:`OvsdbError` where there is one of that name."""
        name = database.name
        if name in self._served:
            raise OvsdbError("ovsdb error", f"{name}: duplicate database name")
        self.reconnect(f"adding {name} database")
        served = self._served[name] = Served(database, model)

        def committed(commit: Commit) -> None:
            served.note(commit)
            self._changed.add(name)
            self._settle_later()

        self._listeners[name] = committed
        database.on_commit(committed)
        self.update_about()
        return served

    def remove(self, name: str, comment: str) -> Database:
        """Serve a database no more; ``comment`` is why, for the log. Raises KeyError."""
        database = self._served[name].database
        self._let_go(database)
        self.reconnect(comment)
        del self._served[name]
        database.forget(self._listeners.pop(name))
        self.update_about()
        return database

    def update_about(self) -> None:
        """Have ``_Server`` say what there is."""
        update_server_database(self._about, self._served.values())

    def convert(self, database: Database, schema_json: Json) -> None:
        """Give a database another schema. Raises :class:`OvsdbError`."""
        schema = DatabaseSchema.from_json(schema_json)
        if schema.name != database.name:
            raise OvsdbError(
                "invalid parameters",
                f"new schema name ({schema.name}) does not match database name ({database.name})",
            )
        database.convert(schema)
        self._let_go(database)
        self._served[database.name].replace(database)
        self.update_about()

    def replace(self, name: str, database: Database) -> Database:
        """Serve another database by a name that is served already; returns it."""
        served = self._served[name]
        what = "schema changed" if served.is_available else "connected to storage"
        self._let_go(served.database)
        served.database.forget(self._listeners[name])
        served.replace(database)
        database.on_commit(self._listeners[name])
        self.update_about()
        self.reconnect(f"database {name} {what}")
        return database

    def _let_go(self, database: Database) -> None:
        """End what clients have to do with a database."""
        for session in list(self.sessions):
            session.database_goes(database)
        for pending in self.pendings.of_database(database.name):
            pending.session.give_up(pending)

    def database_for(self, message: Message) -> Database:
        """The database that a request names. Raises :class:`OvsdbError`."""
        method, params = message.method, message.params
        if not params or type(params[0]) is not str:
            raise syntax_error(params, f"{method} request params must begin with <db-name>")
        served = self._served.get(params[0])
        if served is None:
            raise syntax_error(
                params,
                f"{method} request specifies unknown database {params[0]}",
                error="unknown database",
            )
        if not served.is_available:
            raise OvsdbError(
                "database not available",
                f"{method} request specifies database {params[0]} which is not yet available "
                "because it has not completed joining its cluster",
            )
        return served.database

    # -- sessions

    def open_session(self, peer: Peer, *, is_read_only: bool = False) -> Session:
        """A client has come."""
        session = Session(self, peer, is_read_only=is_read_only)
        self.sessions[session] = None
        return session

    def session_closed(self, session: Session) -> None:
        """A client has gone. Sessions call this."""
        for pending in self.pendings.of_session(session):
            self.pendings.remove(pending)
        self.sessions.pop(session, None)

    def reconnect(self, comment: str, *, everybody: bool = False) -> None:
        """Disconnect clients, so that they come back and look what there is.

        Those that follow ``_Server`` need not, unless it is about ``everybody``.
        """
        for session in list(self.sessions):
            if everybody or not session.knows_of_changes:
                session.disconnect(comment)

    # -- what follows from commits

    def wait(self, pending: Pending, wait: Wait) -> None:
        """Try a transaction again when its database has changed, or its time is over."""
        pending.timeout_ms = FOREVER_MS if wait.timeout_ms is None else wait.timeout_ms
        self.pendings.add(pending)
        self._set_alarm()

    def _settle_later(self) -> None:
        if not self._is_settling:
            self._is_settling = True
            self._scheduler.after(0, self._settle)

    def _settle(self) -> None:
        self._is_settling = False
        changed, self._changed = self._changed, set()
        if len(self.pendings):
            for pending in self.pendings.due(changed, self.now_ms):
                self._try_again(pending)
            self._set_alarm()
        for session in list(self.sessions):
            session.flush()

    def _try_again(self, pending: Pending) -> None:
        session = pending.session
        database = self._served[pending.database].database
        elapsed_ms = self.now_ms - pending.created_ms
        result = session.execute(database, pending.operations, elapsed_ms)
        if isinstance(result, Wait):
            pending.timeout_ms = FOREVER_MS if result.timeout_ms is None else result.timeout_ms
            return
        self.pendings.remove(pending)
        session.complete(pending, result)

    def _set_alarm(self) -> None:
        deadline_ms = self.pendings.next_deadline_ms
        if deadline_ms is not None and deadline_ms < self._alarm_ms:
            self._alarm_ms = deadline_ms
            at_ns = max(deadline_ms * NS_PER_MS, self._scheduler.now_ns)
            self._scheduler.at(at_ns, self._alarm, deadline_ms)

    def _alarm(self, deadline_ms: int) -> None:
        if self._alarm_ms == deadline_ms:
            self._alarm_ms = FOREVER_MS
            self._settle_later()
            self._set_alarm()
