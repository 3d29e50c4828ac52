"""The one family of exceptions that vnet raises at its users.

Three kinds of trouble are kept apart. A caller's mistake raises a
:class:`VnetError`; a bad *frame* never raises, it is dropped and counted with a
:class:`~vnet.base.drops.DropReason`; a broken invariant of our own is an
``AssertionError`` and a bug.

Every error carries the exit code that the command line ends with: 2 for bad
input or usage, 3 for input/output and internal failures.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from vnet.base.text import printable

EXIT_HELD = 0
EXIT_EXPECTATION_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_FAILURE = 3
EXIT_INTERRUPTED = 130


class VnetError(Exception):
    """What went wrong in one sentence, and what the user can do about it.

    Whatever name or path is quoted in it, no control character of that reaches a terminal.
    """

    exit_code = EXIT_BAD_INPUT

    def __init__(self, what: str, hint: str = "") -> None:
        self.what = printable(what)
        self.hint = printable(hint)
        super().__init__(self.what)

    def __str__(self) -> str:
        return f"{self.what} ({self.hint})" if self.hint else self.what


class Problem(NamedTuple):
    """One fault in a file. Lines and columns count from 1, as editors do."""

    file: str
    line: int
    column: int
    what: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.what} ({self.hint})" if self.hint else f"{place}: {self.what}"


class TopologyError(VnetError):
    """A topology file that cannot be used: every problem found, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line, p.column, p.what)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(VnetError):
    """A command, a shell line or an API call that asks for what does not exist."""


class StorageError(VnetError):
    """A file or folder that cannot be read or written."""

    exit_code = EXIT_FAILURE


class ReentryError(VnetError):
    """A call that runs the lab forward, made from inside one of the lab's own events."""


class RunawayError(VnetError):
    """Frames go round and round, or multiply, so that the run would never end."""


class Terminated(SystemExit):
    """Somebody ends the process (SIGTERM). Whoever runs a user's code lets it pass."""
