"""A database made of the records of its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.log import LogReader
from vnet.ovs.ovsdb.schema import DatabaseSchema


class ReadDatabase(NamedTuple):
    """A database as far as its file could be read, in ``n_records`` with the schema's.

    ``fault`` says why what follows could not; the reader's ``offset`` where that begins.
    """

    database: Database
    n_records: int
    fault: OvsdbError | None


def read_schema(reader: LogReader) -> DatabaseSchema:
    """The schema that a log begins with. Raises :class:`OvsdbError`."""
    json = reader.read()
    if json is None:
        raise reader.fault or OvsdbError("ovsdb error", "unexpected end of file reading schema")
    return DatabaseSchema.from_json(json)


def read_database(reader: LogReader, new_uuid: Callable[[], Uuid]) -> ReadDatabase:
    """The database of a log. Raises :class:`OvsdbError` where not even the schema can be read."""
    database = Database(read_schema(reader), new_uuid=new_uuid)
    n_records = 1
    while (record := reader.read()) is not None:
        try:
            database.replay(record)
        except OvsdbError as fault:
            reader.unread()
            return ReadDatabase(database, n_records, fault)
        n_records += 1
    return ReadDatabase(database, n_records, reader.fault)
