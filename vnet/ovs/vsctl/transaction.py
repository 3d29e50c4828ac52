"""The changes of one command line, seen at once and carried out together or not at all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Protocol

from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.vsctl.operations import Operations
from vnet.ovs.vsctl.record import Record


class Rows(Protocol):
    """A database to read from."""

    @property
    def schema(self) -> DatabaseSchema:
        """What its rows keep to."""

    def rows(self, table: str) -> Mapping[Uuid, Row]:
        """The rows of a table."""


class _Names:
    """The rows of a table by name, as far as they have been looked at."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {}
        self._n_taken = 0

    def take(self, known: Mapping[Uuid, Record]) -> None:
        """Look at the rows that have come since."""
        for record in islice(known.values(), self._n_taken, None):
            self.records.setdefault(record.name, []).append(record)
        self._n_taken = len(known)


class Transaction:
    """Rows of a database with what a command line makes of them."""

    def __init__(self, rows: Rows) -> None:
        self.schema = rows.schema
        self._rows = rows
        self._records: dict[str, dict[Uuid, Record]] = {}
        self._names: dict[str, _Names] = {}
        self._n_new = 0
        found = next(iter(self.records("Open_vSwitch")), None)
        self.root = found or self.insert("Open_vSwitch")
        """The one row of the table Open_vSwitch."""

    # -- rows

    def records(self, table: str) -> list[Record]:
        """The rows of a table that there are by now, in the order of a hash table: that in which
        Open vSwitch's clients go through them."""
        there = [record for record in self._table(table).values() if not record.is_deleted]
        order = hash_table_order(int(record.uuid[:8], 16) for record in there)
        return [there[at] for at in order]

    def record(self, table: str, uuid: Uuid) -> Record | None:
        """A row by its UUID."""
        record = self._table(table).get(uuid)
        return None if record is None or record.is_deleted else record

    def referred(self, table: str, uuids: tuple[Uuid, ...]) -> Iterator[Record]:
        """The rows that a column points to, in the order of the column."""
        found = (self.record(table, uuid) for uuid in uuids)
        return (record for record in found if record is not None)

    def named(self, table: str, name: str) -> list[Record]:
        """The rows of a name, in a table whose rows keep theirs."""
        known = self._table(table)
        names = self._names.setdefault(table, _Names())
        names.take(known)
        found = names.records.get(name, ())
        return [record for record in found if record.name == name and not record.is_deleted]

    def _table(self, table: str) -> dict[Uuid, Record]:
        known = self._records.get(table)
        if known is None:
            schema = self.schema.tables[table]
            known = {
                uuid: Record(schema, uuid, row) for uuid, row in self._rows.rows(table).items()
            }
            self._records[table] = known
        return known

    def new_uuid(self) -> Uuid:
        """What a row that is yet to come goes by."""
        self._n_new += 1
        return Uuid(f"ffffffff-ffff-4fff-bfff-{self._n_new:012x}")

    def insert(self, table: str, uuid: Uuid | None = None, *, keeps_uuid: bool = False) -> Record:
        """A new row, perhaps with a UUID that it has already."""
        uuid = uuid or self.new_uuid()
        record = Record(self.schema.tables[table], uuid, keeps_uuid=keeps_uuid)
        self._table(table)[uuid] = record
        return record

    def delete(self, record: Record) -> None:
        """A row goes; who refers to it says so no longer in the same command line."""
        if record.old is None:
            del self._table(record.table.name)[record.uuid]
            self._names.pop(record.table.name, None)
        record.is_deleted = True

    # -- values of columns

    def drop_reference(self, record: Record, column: str, other: Record) -> None:
        """Take a row out of a column that points to it."""
        record.verify(column)
        record.put(column, *(uuid for uuid in record[column] if uuid != other.uuid))

    def add_reference(self, record: Record, column: str, other: Record) -> None:
        """Have a column point to one row more."""
        record.verify(column)
        datum = record[column]
        at = bisect_left(datum, other.uuid)
        if datum[at : at + 1] != (other.uuid,):
            record.write(column, (*datum[:at], other.uuid, *datum[at:]))

    # -- how it ends

    def operations(self) -> Operations:
        """What the database is asked to do."""
        return Operations([record for known in self._records.values() for record in known.values()])
