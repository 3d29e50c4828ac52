"""Tables that a backup does not copy (ovsdb-server(1), ``--sync-exclude-tables``)."""

from __future__ import annotations


class Excluded:
    """Tables that are not copied: ``DB:TABLE``, with commas or spaces between."""

    def __init__(self, text: str = "") -> None:
        self._tables: set[tuple[str, str]] = set()
        for name in text.replace(",", " ").split():
            database, _, table = name.partition(":")
            self._tables.add((database, table))

    def of(self, database: str) -> set[str]:
        """Those of one database."""
        return {table for name, table in self._tables if name == database}

    def __str__(self) -> str:
        return ",".join(sorted(f"{database}:{table}" for database, table in self._tables))

    def __bool__(self) -> bool:
        return bool(self._tables)
