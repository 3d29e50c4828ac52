"""The first station of all: a topology's file becomes its text, or one problem.

It needs nothing of what judges the text, so a name that leads nowhere is answered at once.
"""

from __future__ import annotations

from pathlib import Path

from vnet.base.errors import Problem, TopologyError
from vnet.base.text import escaped
from vnet.topology.reading.files import UnreadableError, read_text

MAX_FILE_BYTES = 10_000_000
"""Ten megabytes: a hundred thousand machines written out one by one."""


def topology_text(path: str | Path) -> str:
    """What the file at ``path`` says. Raises :class:`TopologyError`."""
    try:
        return read_text(
            path,
            MAX_FILE_BYTES,
            elsewhere="save the topology in a file",
            shorter="many like machines are written with 'count'",
        )
    except UnreadableError as error:
        where = (escaped(str(path)), error.line, error.column)
        raise TopologyError([Problem(*where, error.what, error.hint)]) from None
