"""Flows, groups and meters of a file, line by line, each with its place.

They may stand in a list, in a text with one a line, or in a file of their own. In the last two, as
in the files that ovs-ofctl(8) reads, a ``#`` begins a comment.
"""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any, NamedTuple

from vnet.base.text import escaped
from vnet.ovs.openflow.text.files import Source
from vnet.topology.reading.files import UnreadableError, read_text
from vnet.topology.reading.report import Path, Report
from vnet.topology.reading.tree import Node
from vnet.topology.schema.switch import TextFile
from vnet.topology.schema.values import kind_of

MAX_FILE_BYTES = 10_000_000
_SPLIT = "YAML splits a list at commas; put the whole text in quotes"


class Line(NamedTuple):
    """One flow, group or meter, and where it begins; a hint for the case that it is none."""

    text: str
    file: str
    line: int
    column: int
    hint: str = ""


def lines_of(
    program: TextFile | list[Any] | str, path: Path, report: Report, folder: FilePath
) -> list[Line]:
    """The lines of what stands at ``path``; what is wrong with it goes to ``report``.

    Files are looked for as from ``folder``.
    """
    if isinstance(program, TextFile):
        return _of_file(folder / program.file, (*path, "file"), report)
    if isinstance(program, str):
        return _of_text(program, path, report)
    lines = []
    for number, text in enumerate(program):
        here = (*path, number)
        is_piece = len(program) > 1 and _is_piece(text, report.root.find(here))
        hint = _SPLIT if is_piece else ""
        if isinstance(text, str):
            lines.append(Line(text, report.file, *report.root.place(here), hint))
        else:
            report.add(here, f"an entry of {path[-1]} wants text, not {kind_of(text)}", hint)
    return lines


def _is_piece(text: object, node: Node | None) -> bool:
    """Whether it may be what YAML left of a longer text that wants quotes."""
    is_whole = isinstance(text, str) and "action" in text
    return node is not None and node.is_bare and not is_whole


def _of_text(text: str, path: Path, report: Report) -> list[Line]:
    """The lines of a block have places; in any other text YAML has joined what was lines."""
    place = report.root.place(path)
    node = report.root.find(path)
    if node is None or node.indent is None:
        return [Line(line, report.file, *place) for _, line in Source(text).lines()]
    return [
        Line(line, report.file, place[0] + number, node.indent + _begin(line))
        for number, line in Source(text).lines()
    ]


def _of_file(found: FilePath, path: Path, report: Report) -> list[Line]:
    shown = escaped(str(found))
    try:
        text = read_text(found, MAX_FILE_BYTES, elsewhere="save it as a file")
    except UnreadableError as error:
        if (error.line, error.column) == (1, 1):
            report.add(path, f"{shown}: {error.what}", error.hint)
        else:
            report.add_at(shown, error.line, error.column, error.what, error.hint)
        return []
    return [Line(line, shown, number, _begin(line)) for number, line in Source(text).lines()]


def _begin(line: str) -> int:
    """The column of the first character that says something."""
    return len(line) - len(line.lstrip()) + 1
