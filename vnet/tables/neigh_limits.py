"""How many neighbours a machine may know (gc_thresh1, 2 and 3 of neigh.default).

The limits are for one address family on all interfaces together, the administrator's own
entries aside (net/core/neighbour.c). Up to the first nobody is ever forgotten; above it a sweep
takes those who have been idle. Above the second, a newcomer makes the machine forget who has
not changed for five seconds, down to that limit; at the third, it is turned away where
that frees nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from vnet.tables.neigh import Neighbor, NeighborTable, Nud

PendingT = TypeVar("PendingT")

_DISPENSABLE = frozenset((Nud.NONE, Nud.STALE, Nud.FAILED))
"""States in which no timer runs, and so nothing holds on to the entry."""


@dataclass(frozen=True, slots=True)
class NeighborThresholds:
    """Counts with the kernel's defaults, and times of net/core/neighbour.c."""

    first: int = 128
    second: int = 512
    third: int = 1024
    settled_ns: int = 5_000_000_000
    """Who changed more lately than this is not forgotten for a newcomer, unless FAILED."""


class NeighborFamily(Generic[PendingT]):
    """A machine's neighbours of one address family.

    ``members`` is filled by the tables: each neighbour with its table, in order of coming.
    """

    __slots__ = ("_flushed_ns", "members", "thresholds")

    def __init__(self, thresholds: NeighborThresholds | None = None) -> None:
        self.thresholds = thresholds or NeighborThresholds()
        self.members: dict[Neighbor[PendingT], NeighborTable[PendingT]] = {}
        self._flushed_ns: int | None = None

    @property
    def is_crowded(self) -> bool:
        """Whether there are enough for :meth:`sweep` to look for idle ones."""
        return len(self.members) >= self.thresholds.first

    def make_room(self, now_ns: int) -> bool:
        """Somebody new is to be known: forget others if need be; False if there is no room."""
        known, limits = len(self.members), self.thresholds
        lately = self._flushed_ns is not None and now_ns <= self._flushed_ns + limits.settled_ns
        if known < limits.second or (known < limits.third and lately):
            return True
        self._flushed_ns = now_ns
        horizon = now_ns - limits.settled_ns
        forgotten = 0
        for neighbor, table in tuple(self.members.items()):
            if neighbor.state is Nud.FAILED or (
                neighbor.state in _DISPENSABLE and neighbor.updated_ns < horizon
            ):
                table.forget(neighbor)
                forgotten += 1
                if forgotten > known - limits.second:
                    break
        return forgotten > 0 or known < limits.third

    def sweep(self, now_ns: int) -> None:
        """Forget who has failed, or has not been used for gc_stale_time."""
        if not self.is_crowded:
            return
        for neighbor, table in tuple(self.members.items()):
            used_ns = max(neighbor.used_ns, neighbor.confirmed_ns)
            if neighbor.state is Nud.FAILED or (
                neighbor.state in _DISPENSABLE and now_ns >= used_ns + table.parameters.gc_stale_ns
            ):
                table.forget(neighbor)
