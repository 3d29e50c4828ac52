"""Calls that nest as deep as what they work on, which may be deeper than Python's own limit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_MOST_CALLS = 65_536


@contextmanager
def deep_calls() -> Iterator[None]:
    """Let calls nest some ten thousands deep meanwhile.

    Python's limit is there to stop programs that have run away, and costs nothing to raise: calls
    from Python to Python do not use the stack of the process.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _MOST_CALLS))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
