"""When a bridge forgets stations: the ageing time, what the tree makes of it, and the sweep.

A station that was not heard for long counts until the next sweep, and a sweep is set for when
the one before it thought right: for the first of the known stations to be too old, or where none
was known for the ageing time then in force. So while the tree says that the topology has changed,
stations may stay for longer than it wants (net/bridge/br_fdb.c, br_fdb_cleanup()).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.timer_wheel import expiry_ns
from vnet.sim.scheduler import Timer

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

    Sweeps of an empty database are not events, only reckoned.
    """

    __slots__ = (
        "_expires_ns",
        "_fdb",
        "_is_open",
        "_is_short",
        "_scheduler",
        "_sweep",
        "_sweep_ns",
        "shown_ns",
        "time_ns",
    )

    def __init__(self, scheduler: Scheduler, fdb: Fdb[BridgePort]) -> None:
        self._scheduler = scheduler
        self._fdb = fdb
        self.time_ns = self.shown_ns = fdb.ageing_ns
        """What the kernel shows is twice as long as what counts, while the topology changes."""
        self._is_short = False
        self._is_open = False
        self._sweep = Timer(scheduler, self._collect)
        self._expires_ns = self._sweep_ns = 0
        """When the next sweep should be, and when the kernel's timers let it."""

    def set(self, time_ns: int, tree: SpanningTree) -> None:
        """Change the ageing time and sweep at once."""
        self.time_ns = self.shown_ns = time_ns
        self.follow(tree)
        if self._is_open:
            self._collect()

    def follow(self, tree: SpanningTree) -> None:
        """Stations count for less time while the tree says that the topology has changed."""
        self._reckon()
        short_ns = tree.station_ageing_ns
        self._fdb.ageing_ns = self.time_ns if short_ns is None else short_ns
        if self._is_short != (short_ns is not None):
            self._is_short = short_ns is not None
            self.shown_ns = self.time_ns if short_ns is None else 2 * short_ns

    def opened(self) -> None:
        """The bridge was set up."""
        self._is_open = True
        self._expect(self._scheduler.now_ns, _FIRST_SWEEP_NS)
        if self._fdb.learned:
            self.learned()

    def closed(self) -> None:
        """The bridge was set down: nothing more is swept."""
        self._reckon()
        self._is_open = False
        self._sweep.cancel()

    def learned(self) -> None:
        """An entry that ages was added; see that it is met by the next sweep."""
        if self._sweep.due_ns is None and self._is_open:
            self._reckon()
            self._sweep.arm(self._sweep_ns - self._scheduler.now_ns)

    @property
    def left_ns(self) -> int:
        """How long it is until the next sweep."""
        self._reckon()
        return max(self._expires_ns - self._scheduler.now_ns, 0) if self._is_open else 0

    def _expect(self, from_ns: int, delay_ns: int) -> None:
        self._expires_ns = from_ns + delay_ns
        self._sweep_ns = expiry_ns(from_ns, delay_ns)

    def _reckon(self) -> None:
        """Let the sweeps pass that had nothing to look at."""
        late_ns = self._scheduler.now_ns - self._sweep_ns
        if late_ns < 0 or self._sweep.due_ns is not None:
            return
        period_ns = max(self._fdb.ageing_ns, _LEAST_SWEEP_NS)
        self._expect(self._sweep_ns + late_ns // period_ns * period_ns, period_ns)

    def _collect(self) -> None:
        now_ns = self._scheduler.now_ns
        next_ns = self._fdb.expire(now_ns)
        delay_ns = self._fdb.ageing_ns if next_ns is None else next_ns - now_ns
        self._expect(now_ns, max(delay_ns, _LEAST_SWEEP_NS))
        if next_ns is not None:
            self._sweep.arm(self._sweep_ns - now_ns)
