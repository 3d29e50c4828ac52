"""Flows that go when the last ``learn`` action that could have made them does (delete_learned)."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.openflow.ofpacts import Learn

LearnedCookie = tuple[int, int]
"""A table and the cookie that flows get there."""


class LearnedCookies:
    """How many ``learn`` actions with delete_learned there are for each table and cookie."""

    def __init__(self) -> None:
        self._counts: dict[LearnedCookie, int] = {}

    def add(self, learns: Sequence[Learn]) -> None:
        """A flow with these actions has come."""
        for learn in learns:
            name = learn.table_id, learn.cookie
            self._counts[name] = self._counts.get(name, 0) + 1

    def remove(self, learns: Sequence[Learn]) -> list[LearnedCookie]:
        """A flow with these actions has gone; returns what nothing can learn any more."""
        dead = []
        for learn in learns:
            name = learn.table_id, learn.cookie
            self._counts[name] -= 1
            if not self._counts[name]:
                del self._counts[name]
                dead.append(name)
        return dead
