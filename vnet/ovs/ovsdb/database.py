"""A database: its tables, and transactions carried out on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.commit import Change, Changes, Commit, apply, settle
from vnet.ovs.ovsdb.conversion import draft_converted
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.file_record import labels, read_record, record_of
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.object_parser import ObjectParser, is_id
from vnet.ovs.ovsdb.operations import OPERATIONS, Execution, Operation, Result, UnmetWaitError
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.ovsdb.table import Table
from vnet.ovs.ovsdb.transaction import Transaction

Listener = Callable[[Commit], None]


class Storage(Protocol):
    """Where a database's records are kept."""

    def append(self, record: Json) -> None:
        """Keep a record. It is safe when this returns; else this raises :class:`OvsdbError`."""

    def replace(self, records: Iterable[Json]) -> None:
        """Keep these records and no others; all or nothing. Raises :class:`OvsdbError`."""


class Wait(NamedTuple):
    """A transaction whose "wait" is not true yet. Nothing was done: it may be tried again.

    ``timeout_ms`` is how long it may wait in all; None means for ever.
    """

    timeout_ms: int | None


def _holds_no_lock(_name: str) -> bool:
    return False


class Database:
    """Rows by table, and the transactions that change them.

    ``new_uuid`` gives rows and their versions UUIDs. Without ``storage``, nothing is kept; with it,
    ``writes_differences`` says whether only those of sets and maps are.
    """

    def __init__(
        self,
        schema: DatabaseSchema,
        *,
        new_uuid: Callable[[], Uuid],
        storage: Storage | None = None,
    ) -> None:
        self.schema = schema
        self.new_uuid = new_uuid
        self.storage = storage
        self.writes_differences = True
        self.tables = {name: Table(table) for name, table in schema.tables.items()}
        self._listeners: list[Listener] = []
        self._untold: deque[Commit] = deque()

    @property
    def name(self) -> str:
        """The name in the schema, which clients ask for it by."""
        return self.schema.name

    @property
    def is_reserved(self) -> bool:
        """Whether the server alone may change it, as the name says."""
        return self.name.startswith("_")

    def on_commit(self, listener: Listener) -> None:
        """Tell a listener of each commit that changes something, after those that came before."""
        self._listeners.append(listener)

    def forget(self, listener: Listener) -> None:
        """Tell a listener nothing more."""
        self._listeners.remove(listener)

    def execute(
        self,
        operations: list[Json],
        *,
        elapsed_ms: int = 0,
        holds_lock: Callable[[str], bool] = _holds_no_lock,
        read_only: bool = False,
        by_server: bool = False,
    ) -> list[Json] | Wait:
        """Carry out a transaction, as a whole or not at all.

        Answers with the "result" of RFC 7047 section 4.1.3: a result for each operation, or null
        after one that failed, with the error in its place, or behind them all where the commit
        failed. ``elapsed_ms`` is how long ago the transaction was first tried; ``by_server`` lets
        it change a database that is reserved.
        """
        transaction = Transaction(self.tables, self.new_uuid)
        execution = Execution(
            self.schema.tables, transaction, elapsed_ms=elapsed_ms, holds_lock=holds_lock
        )
        results: list[Json] = []
        try:
            for number, json in enumerate(operations, 1):
                place = f"ovsdb operation {number} of {len(operations)}"
                operation, name, result = _run(execution, json, place)
                if not operation.is_harmless:
                    self._check_writable(name, read_only, by_server)
                results.append(result)
        except UnmetWaitError:
            return Wait(execution.timeout_ms)
        except OvsdbError as refusal:
            unreached = len(operations) - len(results) - 1
            return [*results, refusal.to_json(), *[None] * unreached]
        try:
            self.commit(transaction)
        except OvsdbError as refusal:
            results.append(refusal.to_json())
        return results

    def _check_writable(self, operation: str, read_only: bool, by_server: bool) -> None:
        if read_only:
            raise OvsdbError(
                "not allowed",
                f"{operation} operation not allowed when database server is in read only mode",
            )
        if self.is_reserved and not by_server:
            raise OvsdbError(
                "not allowed",
                f"{operation} operation not allowed on table in reserved database {self.name}",
            )

    def commit(self, transaction: Transaction) -> None:
        """Commit a transaction of this database's tables. Raises :class:`OvsdbError`."""
        changes = settle(transaction)
        if not changes:
            return
        self._store(changes, transaction.comments)
        apply(transaction, self.tables)
        self._untold.append(Commit(self.new_uuid(), changes))
        if len(self._untold) == 1:
            self._tell()

    def _tell(self) -> None:
        """Tell of commits in their order: one that a listener makes itself waits its turn."""
        try:
            while self._untold:
                for listener in tuple(self._listeners):
                    listener(self._untold[0])
                self._untold.popleft()
        finally:
            self._untold.clear()

    def _store(self, changes: Changes, comments: list[str]) -> None:
        if self.storage is not None:
            is_diff = self.writes_differences
            record = record_of(changes, self.schema.tables, comments, is_diff=is_diff)
            if record is not None:
                self.storage.append(record)

    def replay(self, record: Json) -> None:
        """Commit a record of the file that this database is kept in. Raises :class:`OvsdbError`."""
        transaction = Transaction(self.tables, self.new_uuid)
        read_record(transaction, self.schema.tables, record)
        settle(transaction)
        apply(transaction, self.tables)

    def compact(self) -> None:
        """Write the file anew, as short as can be. Raises :class:`OvsdbError`."""
        if self.storage is not None:
            self.storage.replace(self.snapshot("compacting database online"))

    def convert(self, schema: DatabaseSchema) -> None:
        """Go over to another schema, with the rows that fit it. Raises :class:`OvsdbError`.

        Tables and columns that it does not have are left out; where others do not fit, nothing
        changes. Listeners are not told: everything is different.
        """
        converted = Database(schema, new_uuid=self.new_uuid)
        transaction = Transaction(converted.tables, self.new_uuid)
        for name, table in self.tables.items():
            if name in schema.tables:
                draft_converted(transaction, table, schema.tables[name])
        settle(transaction)
        apply(transaction, converted.tables)
        converted.writes_differences = self.writes_differences
        if self.storage is not None:
            self.storage.replace(converted.snapshot("converted by ovsdb-server"))
        self.schema, self.tables = converted.schema, converted.tables

    def snapshot(self, comment: str) -> list[Json]:
        """The records of a file that this database can be read from as it is now."""
        changes = {
            name: {uuid: Change(None, row) for uuid, row in table.rows.items()}
            for name, table in self.tables.items()
            if table.rows
        }
        comments = [comment]
        is_diff = self.writes_differences
        rows = record_of(changes, self.schema.tables, comments, is_diff=is_diff)
        return [self.schema.to_json(), rows or labels(comments, is_diff=is_diff)]


def _run(execution: Execution, json: Json, place: str) -> tuple[Operation, str, Result]:
    """One operation. A fault in how it is written is told before any other."""
    parser = ObjectParser(json, place)
    name = parser.member("op", is_id)
    operation = OPERATIONS.get(name)
    if name is not None and operation is None:
        parser.fail(f'No operation "{name}"')
    parser.check()
    assert operation is not None
    try:
        result = operation.run(execution, parser)
    finally:
        parser.finish()
    return operation, name, result
