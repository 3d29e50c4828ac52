"""A database that is another server's: read here, written there (ovsdb(7), "Relay")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.base.units import NS_PER_S
from vnet.live.ovsdb.replication import MakeUpstream
from vnet.live.ovsdb.upstream import Upstream
from vnet.ovs.jsonrpc.message import Message
from vnet.ovs.ovsdb.atoms import ZERO_UUID, Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.ovsdb.server.copying import apply_updates2, clear
from vnet.ovs.vlog.vlog import Vlog
from vnet.sim.scheduler import Scheduler

if TYPE_CHECKING:
    from vnet.ovs.ovsdb.server.server import Server

_PATIENCE_NS = 30 * NS_PER_S
_MOST_WAITING = 1000
"""Transactions that may wait for the other server to be there; it may not be for days."""


class Relay:
    """Copies database ``name`` from one of ``targets``, and hands on clients' transactions."""

    def __init__(
        self,
        clock: Scheduler,
        server: Server,
        name: str,
        targets: list[str],
        make_upstream: MakeUpstream,
        new_uuid: Callable[[], Uuid],
        vlog: Vlog,
    ) -> None:
        self.name = name
        self._clock = clock
        self._server = server
        self._targets = targets
        self._make_upstream = make_upstream
        self._log = vlog.module("relay")
        self._limit = self._log.limit(1, 5)
        self._schema: DatabaseSchema | None = None
        self._last_id: str = ZERO_UUID
        self._new_uuid = new_uuid
        database = Database(DatabaseSchema(name, "", "", {}), new_uuid=new_uuid)
        self._served = server.add(database, model="relay")
        self._served.forward = self._forward
        self._is_in_step = False
        """Whether what is here is what is there, so that transactions may be handed on."""
        self._loss = 0
        self._forwarded: list[Callable[[Message | None], None]] = []
        self._waiting: list[tuple[list[Json], Callable[[Message | None], None]]] = []
        self._upstream: Upstream = self._go_to(0)

    def _go_to(self, index: int) -> Upstream:
        return self._make_upstream(
            self._targets[index % len(self._targets)], self._begin, self._notified, self._lost
        )

    def try_next(self, turn: int) -> None:
        """Where the other server is not there, try another of those that have the database."""
        if len(self._targets) > 1 and not self._upstream.is_connected:
            self._upstream.close()
            self._upstream = self._go_to(turn)

    def close(self) -> None:
        """Copy nothing any more."""
        self._upstream.close()

    # -- the copy

    def _begin(self) -> None:
        self._upstream.request("set_db_change_aware", [True], lambda _message: None)
        self._upstream.request("get_schema", [self.name], self._got_schema)

    def _got_schema(self, message: Message) -> None:
        if message.result is None:
            self._log.warn(f"{self.name}: Failed to parse db schema: {message.error}", self._limit)
            self._upstream.reconnect()
            return
        try:
            self._schema = DatabaseSchema.from_json(message.result)
        except OvsdbError as error:
            self._log.warn(f"{self.name}: Failed to parse db schema: {error}", self._limit)
            return
        requests: dict[str, Json] = {table: [{}] for table in self._schema.tables}
        params = [self.name, ["monid", self.name], requests, self._last_id]
        self._upstream.request("monitor_cond_since", params, self._got_all)

    def _got_all(self, message: Message) -> None:
        result = message.result
        if type(result) is not list or len(result) != 3 or self._schema is None:
            self._log.warn(f"{self.name}: monitor request failed: {message.error}", self._limit)
            self._upstream.reconnect()
            return
        found, last_id, updates = result
        database = self._served.database
        if database.schema != self._schema:
            database = self._server.replace(
                self.name, Database(self._schema, new_uuid=self._new_uuid)
            )
        try:
            if not found:
                clear(database)
                self._served.history.clear()
            self._apply(updates, last_id)
        except OvsdbError as error:
            self._failed(error)
            return
        self._is_in_step = True
        self._set_connected(True)
        waiting, self._waiting = self._waiting, []
        for operations, done in waiting:
            self._forward(operations, done)

    def _notified(self, method: str, params: list[Json]) -> None:
        if method == "update3" and len(params) == 3:
            try:
                self._apply(params[2], params[1])
            except OvsdbError as error:
                self._failed(error)
        elif method == "monitor_canceled":
            self._begin()

    def _apply(self, updates: Json, last_id: Json) -> None:
        self._last_id = last_id if type(last_id) is str else ZERO_UUID
        self._served.history.name_next(self._last_id)
        apply_updates2(self._served.database, updates)

    def _failed(self, error: OvsdbError) -> None:
        self._log.warn(f"{self.name}: failed to apply update: {error}", self._limit)
        self._last_id = ZERO_UUID
        self._upstream.reconnect()

    def _lost(self) -> None:
        self._is_in_step = False
        forwarded, self._forwarded = self._forwarded, []
        for done in forwarded:
            done(None)
        self._loss += 1
        self._clock.after(_PATIENCE_NS, self._still_lost, self._loss)

    def _still_lost(self, loss: int) -> None:
        """Only a loss that lasts is told to clients, who may look for another server then."""
        if loss == self._loss and not self._is_in_step:
            self._set_connected(False)

    def _set_connected(self, is_connected: bool) -> None:
        self._served.is_connected = is_connected
        self._server.update_about()

    # -- transactions

    def _forward(self, operations: list[Json], done: Callable[[Message | None], None]) -> None:
        """Have a transaction carried out there; ``done`` is given the answer, or None where nobody
        can know what became of it."""
        if not self._is_in_step:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append((operations, done))
            else:
                done(None)
            return
        self._forwarded.append(done)

        def answered(message: Message) -> None:
            if done in self._forwarded:
                self._forwarded.remove(done)
                done(message)

        self._upstream.request("transact", [self.name, *operations], answered)
