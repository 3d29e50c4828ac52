"""Rows and columns as ``list`` and ``find`` print them (ovs-vsctl(8), "Table Formatting")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ovsdb.json_text import Json, json_text
from vnet.ovs.ovsdb.schema import ColumnSchema
from vnet.ovs.vsctl.record import Record
from vnet.ovs.vsctl.value_text import bare_text

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_CELL_FORMATS = ("string", "bare", "json")


@dataclass(frozen=True, slots=True)
class Style:
    """How a listing is printed."""

    format: str = "list"
    cells: str = "string"
    has_headings: bool = True
    is_pretty: bool = False
    max_width: int = 0
    """How wide the columns of a table may be; 0: as wide as it takes."""

    def with_format(self, text: str) -> Style:
        """``--format``."""
        if text not in _FORMATS:
            raise OvsTextError(f'unknown output format "{text}"')
        return replace(self, format=text)

    def with_cells(self, text: str) -> Style:
        """``--data``."""
        if text not in _CELL_FORMATS:
            raise OvsTextError(f'unknown data format "{text}"')
        return replace(self, cells=text)


@dataclass(slots=True)
class Listing:
    """The columns of some rows."""

    columns: Sequence[ColumnSchema]
    records: list[Record] = field(default_factory=list)

    @property
    def headings(self) -> list[str]:
        return [column.name for column in self.columns]

    def json(self) -> list[list[Json]]:
        """The cells, row by row, as JSON."""
        return [
            [column.type.to_json(_datum(record, column)) for column in self.columns]
            for record in self.records
        ]

    def texts(self, style: Style) -> list[list[str]]:
        """The cells, row by row, as text."""
        return [
            [_cell(record, column, style) for column in self.columns] for record in self.records
        ]

    def text(self, style: Style, *, is_first: bool) -> str:
        """All of it. ``is_first``: no other has been printed before."""
        separator = "" if is_first or style.format in ("html", "json") else "\n"
        return separator + "".join(f"{line}\n" for line in _FORMATS[style.format](self, style))


def _datum(record: Record, column: ColumnSchema) -> tuple[Any, ...]:
    return (record.uuid,) if column.name == "_uuid" else record[column.name]


def _cell(record: Record, column: ColumnSchema, style: Style) -> str:
    known, datum = column.type, _datum(record, column)
    if style.cells == "json":
        return json_text(known.to_json(datum))
    return bare_text(known, datum) if style.cells == "bare" else known.to_text(datum)


def _table(listing: Listing, style: Style) -> Iterator[str]:
    rows = listing.texts(style)
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(len(listing.columns))]
    if style.max_width:
        widths = [min(width, style.max_width) for width in widths]
    if style.has_headings:
        headings = listing.headings
        widths = [max(len(name), width) for name, width in zip(headings, widths, strict=True)]
        yield _line(headings, widths)
        yield " ".join("-" * width for width in widths)
    for row in rows:
        yield _line(row, widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell[:width].ljust(width) for cell, width in zip(cells, widths, strict=True))
    return " ".join(padded).rstrip(" ")


def _list(listing: Listing, style: Style) -> Iterator[str]:
    for at, row in enumerate(listing.texts(style)):
        if at:
            yield ""
        for name, cell in zip(listing.headings, row, strict=True):
            yield f"{name:<20}: {cell}" if style.has_headings else cell


def _csv(listing: Listing, style: Style) -> Iterator[str]:
    rows = [listing.headings] if style.has_headings else []
    for row in rows + listing.texts(style):
        yield ",".join(_csv_cell(cell) for cell in row)


def _csv_cell(text: str) -> str:
    if not any(char in text for char in '\n",'):
        return text
    return '"' + text.replace('"', '""') + '"'


def _html(listing: Listing, style: Style) -> Iterator[str]:
    yield "<table border=1>"
    if style.has_headings:
        yield "  <tr>"
        yield from (f"    <th>{name}</th>" for name in listing.headings)
        yield "  </tr>"
    for row in listing.texts(style):
        yield "  <tr>"
        for name, cell in zip(listing.headings, row, strict=True):
            yield f"    <td>{_anchor(cell) if name == '_uuid' else _linked(cell)}</td>"
        yield "  </tr>"
    yield "</table>"


def _anchor(uuid: str) -> str:
    """Where links to a row lead."""
    return f'<a name="{uuid.translate(_HTML)}">{uuid[:8].translate(_HTML)}</a>'


def _linked(text: str) -> str:
    """A cell whose UUIDs lead to their rows."""
    parts, at = [], 0
    for found in _UUID.finditer(text):
        parts.append(text[at : found.start()].translate(_HTML))
        parts.append(f'<a href="#{found[0]}">{found[0][:8]}</a>')
        at = found.end()
    return "".join(parts) + text[at:].translate(_HTML)


def _json(listing: Listing, style: Style) -> Iterator[str]:
    whole = {"data": listing.json(), "headings": listing.headings}
    yield _pretty(whole, 1) if style.is_pretty else json_text(whole)


def _pretty(value: Json, depth: int) -> str:
    """JSON with a member a line; what ends a list stands behind its last member."""
    start = "\n" + "  " * depth
    if isinstance(value, dict) and value:
        members = (
            f"{json_text(name)}: {_pretty(value[name], depth + 1)}" for name in sorted(value)
        )
        return f"{{{start}{f',{start}'.join(members)}}}"
    if isinstance(value, list) and value:
        return f"[{start}{f',{start}'.join(_pretty(member, depth + 1) for member in value)}]"
    return json_text(value)


_FORMATS: dict[str, Callable[[Listing, Style], Iterator[str]]] = {
    "table": _table,
    "list": _list,
    "html": _html,
    "csv": _csv,
    "json": _json,
}
