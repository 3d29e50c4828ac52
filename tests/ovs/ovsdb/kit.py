"""Databases for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database, Wait
from vnet.ovs.ovsdb.log import LogReader, frame_record
from vnet.ovs.ovsdb.reading import read_database
from vnet.ovs.ovsdb.schema import DatabaseSchema


class MemoryStorage:
    """Records that are kept in memory, to be written to a file."""

    def __init__(self, schema: Any) -> None:
        self.records = [schema]

    def append(self, record: Any) -> None:
        """Keep one more."""
        self.records.append(record)

    def replace(self, records: Iterable[Any]) -> None:
        """Keep these instead."""
        self.records = list(records)

    def as_file(self) -> bytes:
        """What a file with them has in it."""
        return b"".join(map(frame_record, self.records))


def new_database(schema: Any, storage: MemoryStorage | None = None) -> Database:
    """An empty database in memory."""
    return Database(DatabaseSchema.from_json(schema), new_uuid=uuids(), storage=storage)


def uuids() -> Callable[[], Uuid]:
    """UUIDs that count."""
    numbers = count(1)
    return lambda: Uuid.from_bytes(next(numbers).to_bytes(16, "big"))


def read_file(file: Path) -> Database:
    """A database read from its file, every record of it."""
    read = read_database(LogReader(str(file), file.read_bytes()), uuids())
    assert read.fault is None
    return read.database


def transact(database: Database, operations: list[Any]) -> list[Any]:
    """What comes of a transaction that waits for nothing."""
    results = database.execute(operations)
    assert not isinstance(results, Wait)
    return results
