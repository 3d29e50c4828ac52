"""A row of the database while a command line works on it."""

from __future__ import annotations

from typing import Any

from vnet.ovs.ovsdb.atoms import Datum, Uuid
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import TableSchema


class Record:
    """What a row was, and what it is to be. ``old`` None: it is new, and ``uuid`` its name until
    the database gives it another, unless it ``keeps_uuid``.
    """

    __slots__ = ("added", "is_deleted", "keeps_uuid", "old", "table", "uuid", "verified", "written")

    def __init__(
        self, table: TableSchema, uuid: Uuid, old: Row | None = None, *, keeps_uuid: bool = True
    ) -> None:
        self.table = table
        self.uuid = uuid
        self.old = old
        self.keeps_uuid = keeps_uuid
        self.is_deleted = False
        self.written: dict[str, Datum] = {}
        """What columns are to be."""
        self.added: dict[str, dict[Any, Any]] = {}
        """What columns get in addition, which is not seen before the end: atoms as keys of None,
        or pairs."""
        self.verified: set[str] = set()
        """The columns that must still be what they were when it is all carried out."""

    def __getitem__(self, column: str) -> Datum:
        """A column as the command line has made it so far."""
        if column in self.written:
            return self.written[column]
        if self.old is not None:
            return self.old.columns[column]
        return self.table.columns[column].type.default

    def only(self, column: str) -> Any:
        """The one atom of a column, or None."""
        datum = self[column]
        return datum[0] if datum else None

    @property
    def name(self) -> str:
        """Its name, for tables that have one."""
        return str(self["name"][0])

    def verify(self, column: str) -> None:
        """What follows is right only if a column is still what it was."""
        if self.old is not None and column not in self.written:
            self.verified.add(column)

    def write(self, column: str, datum: Datum) -> None:
        """Give a column a value."""
        self.written[column] = datum

    def put(self, column: str, *atoms: Any) -> None:
        """Give a column these atoms, in any order."""
        self.written[column] = tuple(sorted(set(atoms)))

    def add(self, column: str, key: Any, value: Any = None) -> None:
        """Give a column one atom or pair more, whatever it has by then."""
        self.added.setdefault(column, {})[key] = value

    def is_mutable(self, column: str) -> bool:
        """Whether a column may be written."""
        return self.old is None or self.table.columns[column].is_mutable
