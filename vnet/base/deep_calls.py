"""Calls that nest as deep as what they work on, which may be deeper than Python's own limit."""

from __future__ import annotations

import sys

_MOST_CALLS = 65_536


class _DeepCalls:
    """Raises the limit for the outermost of blocks that nest; the others cost nearly nothing."""

    __slots__ = ("_limit", "_n_blocks")

    def __init__(self) -> None:
        self._n_blocks = 0
        self._limit = 0

    def __enter__(self) -> None:
        if not self._n_blocks:
            self._limit = sys.getrecursionlimit()
            sys.setrecursionlimit(max(self._limit, _MOST_CALLS))
        self._n_blocks += 1

    def __exit__(self, *_error: object) -> None:
        self._n_blocks -= 1
        if not self._n_blocks:
            sys.setrecursionlimit(self._limit)


_DEEP_CALLS = _DeepCalls()


def deep_calls() -> _DeepCalls:
    """Let calls nest some ten thousands deep meanwhile: ``with deep_calls():``.

    Python's limit is there to stop programs that have run away, and costs nothing to raise: calls
    from Python to Python do not use the stack of the process.
    """
    return _DEEP_CALLS
