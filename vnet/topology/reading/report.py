"""Where problems gather, so that one reading of a file shows its author all of them.

Every check takes the same :class:`Report` and adds to it instead of raising. A check
names the place by its *path* in the file (``("hosts", "h1", "nics", "eth0", "ip")``);
the report turns the path into a line and a column with the tree the file was read
into. Whatever is quoted from the file goes through :func:`quote`, so that a name with
terminal escapes in it cannot paint on the screen of who reads the message.
"""

from __future__ import annotations

from collections.abc import Iterable

from vnet.base.errors import Problem, TopologyError
from vnet.topology.reading.tree import Node

Path = tuple[str | int, ...]
"""Keys and list indices from the top of the file down to a value."""

MAX_PROBLEMS = 1_000
"""A generated file can be wrong in every line; nobody reads more than this."""


class Report:
    """The problems of one file, in the order they are found."""

    def __init__(self, file: str, root: Node, problems: Iterable[Problem] = ()) -> None:
        self.file = file
        self.root = root
        self.problems = list(problems)
        self.left_out = 0
        self.faults = len(self.problems)
        """Counts everything ever added, shown or not."""
        # A value that was refused as YAML is not judged for what it says as well.
        self._refused = {(problem.line, problem.column) for problem in self.problems}

    def add(self, path: Path, what: str, hint: str = "", *, at_key: bool = False) -> None:
        """Add a problem with the value at ``path``, or with the key that introduces it."""
        line, column = self.root.place(path, at_key=at_key)
        if (line, column) in self._refused:
            self.faults += 1
            return
        self.add_at(self.file, line, column, what, hint)

    def add_at(self, file: str, line: int, column: int, what: str, hint: str = "") -> None:
        """Add a problem at a place that no path leads to, be it in another file."""
        self.faults += 1
        if len(self.problems) >= MAX_PROBLEMS:
            self.left_out += 1
            return
        self.problems.append(Problem(file, line, column, what, hint))

    def keys(self, section: str) -> list[str]:
        """The names written in a section of the file, sound or not."""
        node = self.root.children.get(section)
        return list(node.children) if node is not None else []

    def has(self, path: Path) -> bool:
        """Whether the file says anything at ``path``."""
        node = self.root
        for step in path:
            if isinstance(step, int):
                if step >= len(node.items):
                    return False
                node = node.items[step]
            elif step in node.children:
                node = node.children[step]
            else:
                return False
        return True

    def line(self, path: Path) -> int:
        """The line of the value at ``path``."""
        return self.root.place(path)[0]

    def raise_if_any(self) -> None:
        """Raise :class:`TopologyError` if anything was added."""
        if self.problems:
            raise self.error()

    def error(self) -> TopologyError:
        """All problems so far, each once, as the exception to raise."""
        problems = list(dict.fromkeys(self.problems))
        if self.left_out:
            last = max(problems, key=lambda problem: problem[:3])
            what = f"and {self.left_out} more problems"
            # One column further, so that it stays the last one when they are sorted.
            problems.append(Problem(last.file, last.line, last.column + 1, what))
        return TopologyError(problems)
