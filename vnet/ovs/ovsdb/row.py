"""A row of a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vnet.ovs.ovsdb.atoms import Datum, Uuid
from vnet.ovs.ovsdb.datums import sort_key
from vnet.ovs.ovsdb.schema import ColumnSchema


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

    def order(self, columns: Iterable[ColumnSchema]) -> list[tuple[Any, ...]]:
        """What rows of a table are sorted by, given the columns to sort by."""
        return [sort_key(self.datum(column.name), is_map=column.type.is_map) for column in columns]
