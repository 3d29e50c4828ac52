"""What commands give back, and how it becomes text on a screen.

A command returns text, or anything rich can draw, or a list of such, or None. Text is plain
and in columns, so that it can be piped to grep. Whatever it holds, no control character of
a name or a payload reaches the terminal: :func:`printable` is the last thing that happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from vnet.base.text import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

_WIDTH_WITHOUT_TERMINAL = 120

Output: TypeAlias = Any
"""Text, a rich renderable, a list of them, a :class:`Failed` around one, or None."""


@dataclass(frozen=True)
class Failed:
    """The command did its work, and what was expected of it did not come true."""

    output: Output


def columns(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = ()
) -> str:
    """A table in plain text; the columns in ``numbers`` are aligned to the right."""
    table = [tuple(header), *(tuple(printable(str(cell)) for cell in row) for row in rows)]
    widths = [max(len(row[at]) for row in table) for at in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at in numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def plural(count: int, noun: str, nouns: str = "") -> str:
    """``1 frame``, ``2 frames``; ``nouns`` where an s will not do."""
    return f"{count} {noun}" if count == 1 else f"{count} {nouns or f'{noun}s'}"


def write(output: Output, stream: TextIO) -> None:
    """Print what a command gave back; every piece ends its line."""
    if isinstance(output, Failed):
        output = output.output
    for piece in output if isinstance(output, list) else [output]:
        if isinstance(piece, str):
            if piece:
                stream.write(printable(piece).removesuffix("\n") + "\n")
        elif piece is not None:
            _draw(piece, stream)


def _draw(renderable: RenderableType, stream: TextIO) -> None:
    from rich.console import Console

    # Addresses have colons: ":100:" is no picture.
    console = Console(file=stream, emoji=False)
    if not console.is_terminal:
        console = Console(file=stream, width=_WIDTH_WITHOUT_TERMINAL, emoji=False)
    console.print(Escaped(renderable))


class Escaped:
    """A renderable whose text has its control characters escaped, its colours kept."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment

        for segment in console.render(self._renderable, options):
            if segment.control:
                continue
            yield Segment(printable(segment.text), segment.style)
