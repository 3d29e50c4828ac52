"""A row of a table."""

from __future__ import annotations

from vnet.ovs.ovsdb.atoms import Datum, Uuid


class Row:
    """One version of a row. Once committed it is never changed: a new one takes its place.

    ``columns`` has every column of the table by name, but for ``_uuid`` and ``_version``.
    """

    __slots__ = ("columns", "uuid", "version")

    def __init__(self, uuid: Uuid, version: Uuid, columns: dict[str, Datum]) -> None:
        self.uuid = uuid
        self.version = version
        self.columns = columns

    def __repr__(self) -> str:
        return f"Row({self.uuid}, {self.columns})"

    def datum(self, column: str) -> Datum:
        """A column by name, ``_uuid`` and ``_version`` like the others."""
        if column == "_uuid":
            return (self.uuid,)
        return (self.version,) if column == "_version" else self.columns[column]
