"""A table's rows, with what is kept of them so that a commit need not look at all of them."""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.ovsdb.atoms import Datum, Uuid
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.schema import TableSchema

IndexKey = tuple[Datum, ...]


class Source(NamedTuple):
    """A column of a row that points to another."""

    table: str
    uuid: Uuid
    column: str


class Table:
    """The committed rows of a table.

    ``reference_counts`` says how many strong references of other rows lead to a row, if any do;
    ``weak_sources`` which columns point to it weakly, and how often; ``indexes`` has whose row
    has which values, for each index of the schema.
    """

    __slots__ = ("indexes", "reference_counts", "rows", "schema", "weak_sources")

    def __init__(self, schema: TableSchema) -> None:
        self.schema = schema
        self.rows: dict[Uuid, Row] = {}
        self.indexes: tuple[dict[IndexKey, Uuid], ...] = tuple({} for _ in schema.indexes)
        self.reference_counts: dict[Uuid, int] = {}
        self.weak_sources: dict[Uuid, dict[Source, int]] = {}

    def count_references(self, uuid: Uuid, count: int) -> None:
        """Keep how many strong references lead to a row."""
        if count:
            self.reference_counts[uuid] = count
        else:
            self.reference_counts.pop(uuid, None)

    def count_weak_source(self, uuid: Uuid, source: Source, change: int) -> None:
        """A column points to a row once more, or once less."""
        sources = self.weak_sources.setdefault(uuid, {})
        sources[source] = sources.get(source, 0) + change
        if not sources[source]:
            del sources[source]
            if not sources:
                del self.weak_sources[uuid]


def index_key(row: Row, index: tuple[str, ...]) -> IndexKey:
    """A row's values in the columns of an index."""
    return tuple(row.datum(column) for column in index)
