"""Schemas of databases (RFC 7047 section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from vnet.ovs.ovsdb.base_type import UNLIMITED, BaseType
from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json, integer_of
from vnet.ovs.ovsdb.name_order import in_hash_order
from vnet.ovs.ovsdb.object_parser import (
    ObjectParser,
    is_array,
    is_boolean,
    is_id,
    is_integer,
    is_object,
    is_string,
    is_type,
)
from vnet.ovs.ovsdb.types import ColumnType

_T = TypeVar("_T")

_VERSION = re.compile(r"\d+\.\d+\.\d+", re.ASCII)


class ColumnSchema(NamedTuple):
    """A column: whether it may change after "insert", and whether it is kept in the file."""

    name: str
    type: ColumnType
    is_mutable: bool = True
    is_persistent: bool = True

    @classmethod
    def from_json(cls, name: str, json: Json) -> ColumnSchema:
        """Read a <column-schema>. Raises :class:`OvsdbError`."""
        parser = ObjectParser(json, f"schema for column {name}")
        is_mutable = parser.member("mutable", is_boolean, optional=True)
        is_ephemeral = parser.member("ephemeral", is_boolean, optional=True)
        type_json = parser.member("type", is_type)
        parser.finish()
        column_type = ColumnType.from_json(type_json)
        # A weak reference changes when the row that it points to goes.
        can_change = is_mutable is not False or column_type.has_weak_references
        return cls(name, column_type, can_change, not is_ephemeral)

    def to_json(self) -> Json:
        """The <column-schema>."""
        json: dict[str, Json] = {}
        if not self.is_mutable:
            json["mutable"] = False
        if not self.is_persistent:
            json["ephemeral"] = True
        return json | {"type": self.type.to_json_type()}


UUID_COLUMN = ColumnSchema("_uuid", ColumnType(BaseType("uuid")), is_mutable=False)
VERSION_COLUMN = ColumnSchema(
    "_version", ColumnType(BaseType("uuid")), is_mutable=False, is_persistent=False
)


class TableSchema:
    """A table: its columns by name (without ``_uuid`` and ``_version``) and what its rows keep to.

    ``indexes`` are groups of columns in which no two rows are equal. It never changes.
    ``all_columns`` has those two as well, in the order of Open vSwitch; ``defaults`` is what a new
    row starts with, ``strict_columns`` may not stay so; ``composite_columns`` hold several members.
    """

    __slots__ = (
        "all_columns",
        "columns",
        "composite_columns",
        "defaults",
        "indexes",
        "is_mutable",
        "is_root",
        "max_rows",
        "name",
        "strict_columns",
        "strong_columns",
        "weak_columns",
    )

    def __init__(
        self,
        name: str,
        columns: Mapping[str, ColumnSchema],
        *,
        is_mutable: bool = True,
        max_rows: int = UNLIMITED,
        is_root: bool = False,
        indexes: tuple[tuple[str, ...], ...] = (),
    ) -> None:
        self.name = name
        self.columns = columns
        self.is_mutable = is_mutable
        self.max_rows = max_rows
        self.is_root = is_root
        self.indexes = indexes
        standard = {column.name: column for column in (UUID_COLUMN, VERSION_COLUMN)}
        known = standard | dict(columns)
        self.all_columns = {name: known[name] for name in in_hash_order(known)}
        self.defaults = {name: column.type.default for name, column in columns.items()}
        each = [known[name] for name in self.all_columns if name in columns]
        self.strong_columns = tuple(one for one in each if one.type.has_strong_references)
        self.weak_columns = tuple(one for one in each if one.type.has_weak_references)
        self.strict_columns = tuple(one for one in each if not one.type.allows_default)
        self.composite_columns = tuple(one for one in each if one.type.n_max > 1)

    def _facts(self) -> tuple[object, ...]:
        limits = (self.is_mutable, self.max_rows, self.is_root, self.indexes)
        return self.name, self.columns, *limits

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TableSchema) and self._facts() == other._facts()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"TableSchema({self.name})"

    def as_root(self) -> TableSchema:
        """The same as a root table."""
        return self._with(self.columns, is_root=True)

    def with_columns(self, columns: Mapping[str, ColumnSchema]) -> TableSchema:
        """The same with other columns of the same names."""
        return self._with(columns, is_root=self.is_root)

    def _with(self, columns: Mapping[str, ColumnSchema], *, is_root: bool) -> TableSchema:
        return TableSchema(
            self.name,
            columns,
            is_mutable=self.is_mutable,
            max_rows=self.max_rows,
            is_root=is_root,
            indexes=self.indexes,
        )

    @classmethod
    def from_json(cls, name: str, json: Json) -> TableSchema:
        """Read a <table-schema>. Raises :class:`OvsdbError`."""
        parser = ObjectParser(json, f"table schema for table {name}")
        columns = parser.member("columns", is_object)
        is_mutable = parser.member("mutable", is_boolean, optional=True)
        max_rows = integer_of(parser.member("maxRows", is_integer, optional=True))
        is_root = parser.member("isRoot", is_boolean, optional=True)
        indexes = parser.member("indexes", is_array, optional=True)
        parser.finish()
        if max_rows is not None and max_rows <= 0:
            raise syntax_error(json, "maxRows must be at least 1")
        if not columns:
            raise syntax_error(json, "table must have at least one column")
        table = cls(
            name,
            _by_name(columns, ColumnSchema.from_json, json),
            is_mutable=is_mutable is not False,
            max_rows=UNLIMITED if max_rows is None else min(max_rows, UNLIMITED),
            is_root=bool(is_root),
        )
        table.indexes = tuple(table._index_from_json(index) for index in indexes or ())
        return table

    def _index_from_json(self, json: Json) -> tuple[str, ...]:
        index = self.column_names(json)
        if not index:
            raise syntax_error(json, "index must have at least one column")
        for name in index:
            if not self.all_columns[name].is_persistent:
                raise syntax_error(json, f"ephemeral columns (such as {name}) may not be indexed")
        return index

    def column_names(self, json: Json) -> tuple[str, ...]:
        """Read an array of distinct columns of this table. Raises :class:`OvsdbError`."""
        names: dict[str, None] = {}
        for name in json if isinstance(json, list) else (None,):
            if not isinstance(name, str):
                raise syntax_error(json, "array of distinct column names expected")
            if name not in self.all_columns:
                raise syntax_error(json, f"{name} is not a valid column name")
            if name in names:
                raise syntax_error(json, "array of distinct column names expected")
            names[name] = None
        return tuple(names)

    def to_json(self, is_root_by_default: bool) -> Json:
        """The <table-schema>; ``isRoot`` is left out where it says what is so by default."""
        json: dict[str, Json] = {}
        if not self.is_mutable:
            json["mutable"] = False
        if self.is_root != is_root_by_default:
            json["isRoot"] = self.is_root
        names = in_hash_order(name for name in self.all_columns if name in self.columns)
        json["columns"] = {name: self.columns[name].to_json() for name in names}
        if self.max_rows != UNLIMITED:
            json["maxRows"] = self.max_rows
        if self.indexes:
            json["indexes"] = [list(index) for index in self.indexes]
        return json


class DatabaseSchema(NamedTuple):
    """A database: its tables by name. ``version`` and ``cksum`` are empty where it has none."""

    name: str
    version: str
    cksum: str
    tables: Mapping[str, TableSchema]

    @classmethod
    def from_json(cls, json: Json) -> DatabaseSchema:
        """Read a <database-schema>. Raises :class:`OvsdbError` in ovsdb's words."""
        parser = ObjectParser(json, "database schema")
        name = parser.member("name", is_id)
        version = parser.member("version", is_string, optional=True)
        cksum = parser.member("cksum", is_string, optional=True)
        tables_json = parser.member("tables", is_object)
        parser.finish()
        if version is not None and not _VERSION.fullmatch(version):
            raise syntax_error(json, f'schema version "{version}" not in format x.y.z')
        tables = _by_name(tables_json, TableSchema.from_json, json)
        if not any(table.is_root for table in tables.values()):
            # Schemas older than garbage collection do not say which tables are roots: all are.
            tables = {name: table.as_root() for name, table in tables.items()}
        checked = {name: _with_references_checked(table, tables) for name, table in tables.items()}
        return cls(name, version or "", cksum or "", checked)

    def to_json(self) -> dict[str, Json]:
        """The <database-schema>, as ovsdb-server gives it to its clients."""
        json: dict[str, Json] = {"name": self.name}
        if self.version:
            json["version"] = self.version
        if self.cksum:
            json["cksum"] = self.cksum
        all_are_roots = all(table.is_root for table in self.tables.values())
        names = in_hash_order(in_hash_order(self.tables))
        return json | {"tables": {name: self.tables[name].to_json(all_are_roots) for name in names}}


def _by_name(json: dict[str, Json], read: Callable[[str, Json], _T], whole: Json) -> dict[str, _T]:
    return {name: read(_checked_name(name, whole), json[name]) for name in in_hash_order(json)}


def _checked_name(name: str, whole: Json) -> str:
    if name.startswith("_"):
        raise syntax_error(whole, 'names beginning with "_" are reserved')
    if not is_id(name):
        raise syntax_error(whole, "name must be a valid id")
    return name


def _with_references_checked(table: TableSchema, tables: Mapping[str, TableSchema]) -> TableSchema:
    """A table whose references lead to tables that exist.

    A column that keeps rows of a non-root table alive is itself kept in the file: without it,
    those rows would be collected when the file is read again.
    """
    columns = dict(table.columns)
    for column in table.columns.values():
        for base, role in ((column.type.key, "key"), (column.type.value, "value")):
            if base is None or base.ref_table is None:
                continue
            if base.ref_table not in tables:
                raise OvsdbError(
                    "syntax error",
                    f"column {column.name} {role} refers to undefined table {base.ref_table}",
                )
            if base.is_strong_reference and not tables[base.ref_table].is_root:
                columns[column.name] = column._replace(is_persistent=True)
    return table if columns == table.columns else table.with_columns(columns)
