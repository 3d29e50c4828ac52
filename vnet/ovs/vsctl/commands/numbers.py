"""Words of commands that are read as C's functions read them, and lists of names."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LEADING = re.compile(r"\s*([+-]?[0-9]+)")


def c_integer(text: str) -> int:
    """As ``atoi``: what stands before the first that is no digit, and 0 for nothing."""
    found = _LEADING.match(text)
    return int(found[1]) if found else 0


def has_number(text: str) -> bool:
    """Whether a text begins with a number."""
    return _LEADING.match(text) is not None


def lines(names: Iterable[str]) -> str:
    """Names in order, one a line."""
    return "".join(f"{name}\n" for name in sorted(names, key=str.encode))
