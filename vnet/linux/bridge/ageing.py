"""When a bridge forgets stations: the ageing time, what the tree makes of it, and the sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.timer_wheel import KernelTimer

if TYPE_CHECKING:
    from vnet.linux.bridge.port import BridgePort
    from vnet.linux.bridge.spanning_tree import SpanningTree
    from vnet.sim.scheduler import Scheduler
    from vnet.tables.fdb import Fdb

_LEAST_SWEEP_NS = 10_000_000
_FIRST_SWEEP_NS = 100_000_000
"""How long after a bridge was set up the kernel sweeps first."""


class Ageing:
    """``time_ns`` is what the user has set; the database has what is in force.

    A sweep follows the oldest entry; one past its time counts no more even before that.
    """

    __slots__ = ("_fdb", "_is_short", "_scheduler", "_sweep", "_swept_ns", "shown_ns", "time_ns")

    def __init__(self, scheduler: Scheduler, fdb: Fdb[BridgePort]) -> None:
        self._scheduler = scheduler
        self._fdb = fdb
        self.time_ns = self.shown_ns = fdb.ageing_ns
        """What the kernel shows is twice as long as what counts, while the topology changes."""
        self._is_short = False
        self._sweep = KernelTimer(scheduler, self._collect)
        self._swept_ns: int | None = None

    def set(self, time_ns: int, tree: SpanningTree) -> None:
        """Change the ageing time and sweep at once."""
        self.time_ns = self.shown_ns = time_ns
        self.follow(tree)
        self._swept_ns = self._scheduler.now_ns
        self._collect()

    def follow(self, tree: SpanningTree) -> None:
        """Stations count for less time while the tree says that the topology has changed."""
        short_ns = tree.station_ageing_ns
        self._fdb.ageing_ns = self.time_ns if short_ns is None else short_ns
        if self._is_short != (short_ns is not None):
            self._is_short = short_ns is not None
            self.shown_ns = self.time_ns if short_ns is None else 2 * short_ns

    def opened(self) -> None:
        """The bridge was set up."""
        self._swept_ns = self._scheduler.now_ns + _FIRST_SWEEP_NS

    def closed(self) -> None:
        """The bridge was set down: nothing more is swept."""
        self._swept_ns = None

    def learned(self) -> None:
        """An entry that ages was added; see that it is swept when its time comes."""
        if self._sweep.due_ns is None:
            self._sweep.arm(self._fdb.ageing_ns)

    @property
    def left_ns(self) -> int:
        """How long it is until the next sweep. The kernel sweeps an empty database, too."""
        if self._swept_ns is None:
            return 0
        if self._sweep.is_running:
            return self._sweep.left_ns
        period_ns = max(self._fdb.ageing_ns, _LEAST_SWEEP_NS)
        return period_ns - (self._scheduler.now_ns - self._swept_ns) % period_ns

    def _collect(self) -> None:
        now_ns = self._scheduler.now_ns
        next_ns = self._fdb.expire(now_ns)
        if next_ns is not None:
            self._sweep.arm(max(next_ns - now_ns, _LEAST_SWEEP_NS))
