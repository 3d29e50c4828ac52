"""Changed rows in the log, of the tables that ``ovsdb-server/tlog-set`` names."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import TableSchema
from vnet.ovs.vlog.vlog import Vlog


class TableLog:
    """The tables whose rows are logged, by database and table."""

    def __init__(self, vlog: Vlog) -> None:
        self._log = vlog.module("transaction")
        self._limit = self._log.limit(30, 60)
        self._tables: set[tuple[str, str]] = set()

    def set(self, database: str, table: str, *, on: bool) -> None:
        """Log a table's rows, or do so no more."""
        if on:
            self._tables.add((database, table))
        else:
            self._tables.discard((database, table))

    def note(self, database: Database, commit: Commit) -> None:
        """Log what a commit has changed."""
        if not self._tables:
            return
        for name, changes in commit.changes.items():
            if (database.name, name) in self._tables:
                schema = database.schema.tables[name]
                for old, new in changes.values():
                    self._say(schema, old, new)

    def _say(self, schema: TableSchema, old: Row | None, new: Row | None) -> None:
        row = old if new is None else new
        if row is not None:
            what = "inserted" if old is None else "deleted" if new is None else "updated"
            columns = ",".join(
                f"{name}:{column.type.to_text(row.datum(name))}"
                for name, column in schema.all_columns.items()
            )
            self._log.info(f"table:{schema.name},op:{what},{columns}", self._limit)

    def table(self, databases: Mapping[str, Database]) -> str:
        """What is logged, for ``ovsdb-server/tlog-list``."""
        lines = [
            "database        table                       logging",
            "--------        -----                       -------",
        ]
        for database in databases.values():
            lines.append(f"{database.name:<16} ")
            for name in sorted(database.tables):
                on = "ON" if (database.name, name) in self._tables else "OFF"
                lines.append(f"                {name:<27} {on}")
        return "\n".join(lines) + "\n"
