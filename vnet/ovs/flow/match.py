"""A match: the values that a flow must have, under a mask."""

from __future__ import annotations

from typing import NamedTuple


class Match(NamedTuple):
    """A flow key and the mask under which it must be equal; bits outside the mask are 0."""

    value: int
    mask: int

    def matches(self, key: int) -> bool:
        """Whether a flow's key satisfies it."""
        return key & self.mask == self.value


CATCHALL = Match(0, 0)
