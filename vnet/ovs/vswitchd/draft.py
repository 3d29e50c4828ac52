"""A configuration while it is being changed: rows whose columns can be set one by one.

:class:`Draft` takes a frozen :class:`SwitchConfig` apart into rows and puts a new one together.
In between, columns may refer to rows by symbols (``@name``) that are bound later.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from functools import partial

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.column import Atom, ColumnType
from vnet.ovs.vswitchd.config import TABLES, SwitchConfig
from vnet.ovs.vswitchd.row import Row, columns_of

_TABLE_NAMES = {row_type: table for table, row_type in TABLES.items()}
_COLUMN_TYPES: Mapping[str, Mapping[str, ColumnType]] = {
    table: {column.name: column.metadata["type"] for column in columns_of(row_type)}
    for table, row_type in TABLES.items()
}
_ROW_COLUMNS: Mapping[str, Mapping[str, Atom]] = {
    table: {name: atom for name, known in columns.items() if (atom := known.row) is not None}
    for table, columns in _COLUMN_TYPES.items()
}
_READ_ONLY = {
    (table, column.name)
    for table, row_type in TABLES.items()
    for column in columns_of(row_type)
    if column.metadata.get("read_only")
}


def _score(name: str, text: str) -> int:
    """How well a user's ``text`` names ``name``: the more the better, 0 not at all."""
    if name == text:
        return 1_000_001
    text = text.lower().replace("-", "_")
    known = name.lower()
    if known == text:
        return 1_000_000
    return len(text) if text and known.startswith(text) else 0


def _best_matches(names: Mapping[str, object], text: str) -> list[str]:
    scores = {name: _score(name, text) for name in names}
    best = max(scores.values())
    return sorted(name for name, score in scores.items() if score and score == best)


def table_named(text: str) -> str:
    """The table that ``text``, perhaps abbreviated, names."""
    matches = _best_matches(TABLES, text)
    if not matches:
        raise OvsTextError(f'unknown table "{text}"')
    if len(matches) > 1:
        raise OvsTextError(f'multiple table names match "{text}"')
    return matches[0]


def column_named(table: str, text: str) -> str:
    """The column of ``table`` that ``text``, perhaps abbreviated, names."""
    matches = _best_matches(_COLUMN_TYPES[table], text)
    if not matches:
        raise OvsTextError(f'{table} does not contain a column whose name matches "{text}"')
    if len(matches) > 1:
        raise OvsTextError(
            f'{table} contains more than one column whose name matches "{text}": '
            f"{', '.join(matches)}"
        )
    return matches[0]


def type_of(table: str, column: str) -> ColumnType:
    """What a column may hold."""
    return _COLUMN_TYPES[table][column]


class Symbol:
    """A row that is referred to by ``@name``, before or after it is there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.row: DraftRow | None = None

    def bound(self) -> DraftRow:
        if self.row is None:
            raise OvsTextError(
                f'row id "{self.name}" is referenced but never created (e.g. with '
                f'"-- --id={self.name} create ...")'
            )
        return self.row


class DraftRow:
    """A row that can be changed. ``columns`` has all columns of its table; where one refers to
    rows it holds :class:`DraftRow` or :class:`Symbol`, and for a weak reference a name.
    """

    def __init__(
        self, table: str, columns: Mapping[str, object] | None = None, identity: object = None
    ) -> None:
        self.table = table
        self.is_new = columns is None
        self.identity = identity or object()
        self.columns: dict[str, object] = {
            column: known.default for column, known in _COLUMN_TYPES[table].items()
        }
        self.columns.update(columns or {})

    @property
    def name(self) -> str:
        """Its name, for tables that have one."""
        return str(self.columns["name"])

    def check_mutable(self, column: str) -> None:
        """Raise if ``column`` can be set on new rows only."""
        if not self.is_new and (self.table, column) in _READ_ONLY:
            raise OvsTextError(f"cannot modify read-only column {column} in table {self.table}")

    def rows_in(self, column: str) -> list[DraftRow]:
        """The rows that a column refers to, but for weak references."""
        atom = _ROW_COLUMNS[self.table][column]
        if atom.is_weak:
            return []
        known = _COLUMN_TYPES[self.table][column]
        return [_bound(row, atom.table) for row in known.rows_of(self.columns[column])]

    def walk(self) -> Iterator[DraftRow]:
        """The row and all that hang on it."""
        yield self
        for column in _ROW_COLUMNS[self.table]:
            for row in self.rows_in(column):
                yield from row.walk()


def _bound(item: object, table: str) -> DraftRow:
    row = item.bound() if isinstance(item, Symbol) else item
    assert isinstance(row, DraftRow)
    if row.table != table:
        raise OvsTextError(f"a row of table {row.table} stands where one of {table} belongs")
    return row


class Draft:
    """All rows that can be reached from ``root``, the one row of Open_vSwitch."""

    def __init__(self, config: SwitchConfig) -> None:
        self.root = _taken_apart(config)

    def rows(self, table: str) -> Iterator[DraftRow]:
        """The rows of a table, in the order of the configuration."""
        return (row for row in self.root.walk() if row.table == table)

    def config(self) -> SwitchConfig:
        """What the rows say. Weak references to what is gone are left out."""
        existing = {(row.table, row.name) for row in self.root.walk() if "name" in row.columns}
        config = _put_together(self.root, existing)
        assert isinstance(config, SwitchConfig)
        return config


def _taken_apart(row: Row) -> DraftRow:
    table = _TABLE_NAMES[type(row)]
    columns = {column: getattr(row, column) for column in _COLUMN_TYPES[table]}
    for column, atom in _ROW_COLUMNS[table].items():
        if not atom.is_weak:
            known = _COLUMN_TYPES[table][column]
            columns[column] = known.replace_rows(columns[column], _taken_apart)
    return DraftRow(table, columns, row.identity)


def _put_together(row: DraftRow, existing: Container[tuple[str, str]]) -> Row:
    columns = dict(row.columns)
    for column, atom in _ROW_COLUMNS[row.table].items():
        convert = partial(_put_in_place, atom=atom, existing=existing)
        columns[column] = _COLUMN_TYPES[row.table][column].replace_rows(columns[column], convert)
    return TABLES[row.table](**columns, identity=row.identity)


def _put_in_place(item: object, atom: Atom, existing: Container[tuple[str, str]]) -> object:
    """What stands in the configuration for a row that a draft refers to."""
    if not atom.is_weak:
        return _put_together(_bound(item, atom.table), existing)
    name = item if isinstance(item, str) else _bound(item, atom.table).name
    return name if (atom.table, name) in existing else None
