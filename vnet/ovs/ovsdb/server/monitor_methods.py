"""The methods of one client that are about monitors (RFC 7047 section 4.1.5, ovsdb-server(7))."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.ovs.jsonrpc.message import Message
from vnet.ovs.ovsdb.atoms import ZERO_UUID, is_uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json, json_text
from vnet.ovs.ovsdb.object_parser import ObjectParser, is_array
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.ovsdb.server.monitor import Monitor
from vnet.ovs.ovsdb.server.refusal import MOST_OF_A_KIND, RefusedError
from vnet.ovs.ovsdb.server.row_filter import RowFilter
from vnet.ovs.ovsdb.server.row_update import Version
from vnet.ovs.ovsdb.server.shape import Filters, read_shape

if TYPE_CHECKING:
    from vnet.ovs.ovsdb.server.server import Server

_VERSIONS = {
    "monitor": Version.V1,
    "monitor_cond": Version.V2,
    "monitor_cond_since": Version.V3,
}
_N_PARAMS = {Version.V2: 3, Version.V3: 4}
_METHODS = (*_VERSIONS, "monitor_cond_change", "monitor_cancel")
_OLD_METHODS = ("monitor", "monitor_cond_change", "monitor_cancel")


class MonitorMethods:
    """A client's monitors, by their identities."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._monitors: dict[str, tuple[Database, Monitor]] = {}

    def __len__(self) -> int:
        return len(self._monitors)

    @property
    def methods(self) -> tuple[str, ...]:
        """Those there are, which can be made fewer to try out how clients take that."""
        return _METHODS if self._server.has_conditional_monitors else _OLD_METHODS

    def call(self, message: Message, send: Callable[[bytes], None]) -> str:
        """Do what a request asks for. Returns its result as text, and raises :class:`OvsdbError`.

        ``send`` is for what must be sent before the answer.
        """
        assert message.method is not None
        if message.method == "monitor_cancel":
            return self._cancel(message)
        if message.method == "monitor_cond_change":
            return self._change(message, send)
        return self._begin(message, _VERSIONS[message.method])

    def take_updates(self) -> list[bytes]:
        """The notifications of what is new."""
        updates = [monitor.take_update() for _, monitor in self._monitors.values()]
        return [update for update in updates if update is not None]

    def leave(self, database: Database) -> list[Json]:
        """End the monitors of a database; returns their identities."""
        ended = [
            (key, monitor) for key, (one, monitor) in self._monitors.items() if one is database
        ]
        for key, _ in ended:
            self._end(key)
        return [monitor.identity for _, monitor in ended]

    def close(self) -> None:
        """End all monitors."""
        for key in list(self._monitors):
            self._end(key)

    def _end(self, key: str) -> None:
        database, monitor = self._monitors.pop(key)
        monitor.end()
        self._server.served(database.name).tidy()

    # -- the methods

    def _begin(self, message: Message, version: Version) -> str:
        database = self._server.database_for(message)
        params = message.params
        assert params is not None
        if len(params) != _N_PARAMS.get(version, len(params)) or len(params) < 3:
            raise syntax_error(params, "invalid parameters")
        identity, requests = params[1], params[2]
        if type(requests) is not dict:
            raise syntax_error(requests, "monitor-requests must be object")
        key = json_text(identity)
        if key in self._monitors:
            raise syntax_error(identity, "duplicate monitor ID")
        if len(self._monitors) >= MOST_OF_A_KIND:
            raise RefusedError(f"more than {MOST_OF_A_KIND} monitors")
        filters: Filters | None = None if version is Version.V1 else {}
        shape = read_shape(database.schema, requests, filters)
        since = _read_last_id(params[3]) if version is Version.V3 else None
        served = self._server.served(database.name)
        monitor = Monitor(identity, version, served.watch(shape), served.history, filters)
        text = monitor.begin(since)
        self._monitors[key] = database, monitor
        return text

    def _change(self, message: Message, send: Callable[[bytes], None]) -> str:
        params = message.params
        assert params is not None
        if len(params) != 3:
            raise syntax_error(params, "invalid parameters")
        old_identity, identity, requests = params
        old_key, key = json_text(old_identity), json_text(identity)
        if old_key not in self._monitors:
            raise syntax_error(old_identity, "unknown monitor session")
        if key != old_key and key in self._monitors:
            raise syntax_error(identity, "duplicate monitor ID")
        if type(requests) is not dict:
            raise OvsdbError("syntax error", "monitor-cond-change-requests must be object")
        database, monitor = self._monitors[old_key]
        filters = _read_changes(database.schema, monitor, requests)
        for update in self.take_updates():
            send(update)
        if key != old_key:
            del self._monitors[old_key]
            self._monitors[key] = database, monitor
            monitor.rename(identity)
        changed = monitor.change_filters(filters)
        if changed is not None:
            send(changed)
        return "{}"

    def _cancel(self, message: Message) -> str:
        assert message.params is not None
        if len(message.params) != 1:
            raise RefusedError("invalid parameters")
        key = json_text(message.params[0])
        if key not in self._monitors:
            raise RefusedError("unknown monitor")
        self._end(key)
        return "{}"


def _read_last_id(json: Json) -> str | None:
    if type(json) is not str:
        raise syntax_error(json, "last-txn-id must be string")
    if not is_uuid(json):
        raise syntax_error(json, "last-txn-id must be UUID format.")
    return None if json == ZERO_UUID else json.lower()


def _read_changes(schema: DatabaseSchema, monitor: Monitor, requests: dict[str, Json]) -> Filters:
    filters: Filters = {}
    for name, changes in requests.items():
        table = schema.tables.get(name)
        if table is None:
            raise OvsdbError("syntax error", f"no table named {name}")
        if name not in monitor.watch.views:
            raise OvsdbError("syntax error", f"no table named {name} in monitor session")
        if type(changes) is not list:
            raise OvsdbError("syntax error", f"table {name} no monitor-cond-change JSON array")
        for change in changes:
            parser = ObjectParser(change, f"table {name}")
            columns = parser.member("columns", is_array, optional=True)
            where = parser.member("where", is_array, optional=True)
            parser.finish()
            if columns is not None:
                raise syntax_error(change, "changing columns is unsupported")
            filters[name] = RowFilter(table, [] if where is None else where)
    return filters
