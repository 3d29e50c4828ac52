"""What iptables-save(8) and conntrack(8) print, without what depends on when they are asked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.kernel.play import Seen
from tests.kernel.setup import VIEWS

_RULES, _CONNECTIONS = VIEWS
_TIMEOUT = re.compile(r"^(\S+ +\d+) \d+ ")
_USE = re.compile(r" use=\d+")


def rules_shown(text: str) -> Iterator[Seen]:
    """``iptables-save -c``, each line with its table, tables by their names."""
    table = ""
    lines = []
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line != "COMMIT" and not line.startswith("#"):
            lines.append((table, line.rstrip()))
    # Python's sort keeps the order of a table's lines.
    for table, line in sorted(lines, key=lambda pair: pair[0]):
        yield _RULES, f"{table} {line}".encode()


def connections_shown(text: str, *, timeouts: bool) -> Iterator[Seen]:
    """``conntrack -L``, which lists a hash table, without users, and timeouts only if wanted."""
    lines = [_USE.sub("", line) for line in text.splitlines()]
    if not timeouts:
        lines = [_TIMEOUT.sub(r"\1 ", line) for line in lines]
    for line in sorted(lines):
        yield _CONNECTIONS, " ".join(line.split()).encode()
