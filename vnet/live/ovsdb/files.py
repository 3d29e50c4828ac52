"""Databases opened and created, with chance from the system."""

from __future__ import annotations

import os
from typing import NamedTuple

from vnet.live.ovsdb.storage import FileStorage, create_file
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.log import LogReader
from vnet.ovs.ovsdb.reading import read_database
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.vlog.vlog import SILENT, Vlog


def random_uuid() -> Uuid:
    """A UUID that nobody can guess."""
    return Uuid.from_bytes(os.urandom(16))


class OpenDatabase(NamedTuple):
    """A database and its file. ``fault`` is why the end of the file could not be read, if so.

    What could not be read is cut off by the first commit.
    """

    database: Database
    storage: FileStorage
    fault: OvsdbError | None

    def close(self) -> None:
        """Let go of the file. The database must not be used any more."""
        self.storage.close()


def open_database(name: str, vlog: Vlog = SILENT) -> OpenDatabase:
    """Open a database's file for reading and writing. Raises :class:`OvsdbError`."""
    storage = FileStorage(name, vlog)
    try:
        reader = LogReader(name, storage.read())
        database, n_records, fault = read_database(reader, random_uuid)
    except BaseException:
        storage.close()
        raise
    storage.begin(reader.offset, n_records)
    database.storage = storage
    return OpenDatabase(database, storage, fault)


def create_database(name: str, schema: DatabaseSchema) -> None:
    """A new, empty database, as ``ovsdb-tool create`` makes it. Raises :class:`OvsdbError`."""
    create_file(name, [schema.to_json()])
