"""The database about the databases (``_Server``, ovsdb-server(5))."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.json_text import Json, json_text
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.ovsdb.server.served import Served
from vnet.ovs.ovsdb.shipped import shipped_schema

SERVER_DATABASE = "_Server"


@cache
def server_schema() -> DatabaseSchema:
    """The schema of ``_Server`` as Open vSwitch 3.1.0 has it."""
    return DatabaseSchema.from_json(shipped_schema("_server"))


def make_server_database(new_uuid: Callable[[], Uuid]) -> Database:
    """An empty one."""
    return Database(server_schema(), new_uuid=new_uuid)


def update_server_database(database: Database, all_served: Iterable[Served]) -> None:
    """Write down what databases there are now, in one transaction; none where nothing changes."""
    wanted = {one.database.name: _row(one) for one in all_served}
    operations: list[Json] = []
    for row in database.tables["Database"].rows.values():
        (name,) = row.columns["name"]
        values = wanted.pop(name, None)
        where = [["_uuid", "==", ["uuid", row.uuid]]]
        if values is None:
            operations.append({"op": "delete", "table": "Database", "where": where})
        else:
            operations.append({"op": "update", "table": "Database", "where": where, "row": values})
    for values in wanted.values():
        operations.append({"op": "insert", "table": "Database", "row": values})
    database.execute(operations, by_server=True)


def _row(served: Served) -> dict[str, Json]:
    schema = json_text(served.database.schema.to_json()) if served.is_available else None
    return {
        "name": served.database.name,
        "model": served.model,
        "connected": served.is_connected,
        "leader": served.model == "standalone",
        "schema": ["set", []] if schema is None else schema,
    }
