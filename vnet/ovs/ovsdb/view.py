"""What a client sees of a database, wherever that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.database import Database, Wait
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import DatabaseSchema

Done = Callable[[list[Json]], None]
"""Is given the "result" of a transaction."""


class DatabaseView(Protocol):
    """Rows to read, transactions to ask for, and word of each commit, be it one's own or not."""

    @property
    def schema(self) -> DatabaseSchema: ...

    @property
    def is_ready(self) -> bool:
        """Whether the rows are those of the database, rather than not yet known."""
        ...

    def rows(self, table: str) -> Mapping[Uuid, Row]:
        """The rows of a table as they are now."""
        ...

    def transact(self, operations: list[Json], done: Done | None = None) -> None:
        """Have a transaction carried out, and ``done`` told what came of it."""
        ...

    def on_commit(self, listener: Callable[[Commit], None]) -> None:
        """Tell a listener of each commit that changes something."""
        ...


class LocalView:
    """A database in this process: a transaction is done, and its listeners told, on return."""

    is_ready = True

    def __init__(self, database: Database) -> None:
        self.database = database

    @property
    def schema(self) -> DatabaseSchema:
        return self.database.schema

    def rows(self, table: str) -> Mapping[Uuid, Row]:
        """The rows of a table as they are now."""
        return self.database.tables[table].rows

    def transact(self, operations: list[Json], done: Done | None = None) -> None:
        """Carry out a transaction. A "wait" that is not true fails at once: nobody else commits."""
        results = self.database.execute(operations)
        if isinstance(results, Wait):
            refusal = OvsdbError("timed out", '"where" clause test failed')
            results = [refusal.to_json(), *[None] * (len(operations) - 1)]
        if done is not None:
            done(results)

    def on_commit(self, listener: Callable[[Commit], None]) -> None:
        """Tell a listener of each commit that changes something."""
        self.database.on_commit(listener)
