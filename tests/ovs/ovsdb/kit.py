"""Databases for tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database, Wait
from vnet.ovs.ovsdb.schema import DatabaseSchema


def new_database(schema: Any) -> Database:
    """An empty database in memory."""
    numbers = count(1)
    return Database(
        DatabaseSchema.from_json(schema),
        new_uuid=lambda: Uuid.from_bytes(next(numbers).to_bytes(16, "big")),
    )


def transact(database: Database, operations: list[Any]) -> list[Any]:
    """What comes of a transaction that waits for nothing."""
    results = database.execute(operations)
    assert not isinstance(results, Wait)
    return results
