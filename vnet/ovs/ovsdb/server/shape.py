"""What a monitor is about: tables, columns, kinds of change. Read from a client's request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.object_parser import ObjectParser, is_array, is_boolean, is_object
from vnet.ovs.ovsdb.schema import DatabaseSchema, TableSchema
from vnet.ovs.ovsdb.server.row_filter import RowFilter

INITIAL, INSERT, DELETE, MODIFY = 1, 2, 4, 8
ALL = INITIAL | INSERT | DELETE | MODIFY
_KINDS = {"initial": INITIAL, "insert": INSERT, "delete": DELETE, "modify": MODIFY}


class TableShape(NamedTuple):
    """One table: the kinds of change looked at, and the kinds that tell each column."""

    kinds: int
    columns: tuple[tuple[str, int], ...]


Shape = tuple[tuple[str, TableShape], ...]
"""All tables, by name: monitors of the same shape share what they are told."""

Filters = dict[str, RowFilter]
"""Which rows of a table are looked at; of a table without one: all."""


def read_shape(
    schema: DatabaseSchema, requests: Mapping[str, Json], filters: Filters | None
) -> Shape:
    """The <monitor-requests> of a client. Puts each table's filter into ``filters``, if there
    may be any. Raises :class:`OvsdbError`.
    """
    shapes: dict[str, TableShape] = {}
    for name, request in requests.items():
        table = schema.tables.get(name)
        if table is None:
            raise OvsdbError("syntax error", f"no table named {name}")
        shapes[name] = _TableReader(table, filters).read(request)
    return tuple(sorted(shapes.items()))


class _TableReader:
    def __init__(self, table: TableSchema, filters: Filters | None) -> None:
        self._table = table
        self._filters = filters
        self._kinds = 0
        self._columns: dict[str, int] = {}

    def read(self, request: Json) -> TableShape:
        for part in request if type(request) is list else [request]:
            self._read_part(part)
        return TableShape(self._kinds, tuple(sorted(self._columns.items())))

    def _read_part(self, part: Json) -> None:
        parser = ObjectParser(part, f"table {self._table.name}")
        where = None
        if self._filters is not None:
            where = parser.member("where", is_array, optional=True)
        columns = parser.member("columns", is_array, optional=True)
        select = parser.member("select", is_object, optional=True)
        parser.finish()
        kinds = ALL if select is None else self._read_select(select)
        self._kinds |= kinds
        for name in self._names(columns):
            if name in self._columns:
                raise syntax_error(columns, f"column {name} mentioned more than once")
            self._columns[name] = kinds
        if self._filters is not None:
            row_filter = RowFilter(self._table, [] if where is None else where)
            self._filters.setdefault(self._table.name, row_filter)

    def _read_select(self, select: Json) -> int:
        parser = ObjectParser(select, f"table {self._table.name} select")
        kinds = 0
        for name, kind in _KINDS.items():
            wanted = parser.member(name, is_boolean, optional=True)
            if wanted is None or wanted:
                kinds |= kind
        parser.finish()
        return kinds

    def _names(self, columns: Json) -> Iterator[str]:
        if columns is None:
            yield from (name for name in self._table.all_columns if name != "_uuid")
            return
        for name in columns:
            if type(name) is not str:
                raise syntax_error(columns, "array of column names expected")
            if name not in self._table.all_columns:
                raise syntax_error(columns, f"{name} is not a valid column name")
            yield name
