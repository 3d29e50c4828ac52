"""Multicast snooping of a bridge: its table, and the clock that has it age."""

from __future__ import annotations

from collections.abc import Callable

from vnet.l2.snooping import Snooping
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.sim.scheduler import Scheduler, Timer


class MulticastSnooping:
    """The table, and an event when something in it is due.

    ``on_change`` is called when frames may have to go another way.
    """

    def __init__(self, scheduler: Scheduler, on_change: Callable[[], None]) -> None:
        self.table: Snooping[Bundle] = Snooping()
        self.table.on_change = self._changed
        self._scheduler = scheduler
        self._on_change = on_change
        self._timer = Timer(scheduler, self._age)

    def configure(self, *, ageing_s: int, max_groups: int, flood_unregistered: bool) -> None:
        """Change the limits of the table; what is beyond them goes."""
        self.table.configure(
            ageing_s=ageing_s, max_groups=max_groups, flood_unregistered=flood_unregistered
        )
        self._look_again()

    def close(self) -> None:
        """Nobody listens in any more."""
        self._timer.cancel()

    def _changed(self) -> None:
        self._on_change()
        # What is left without members goes later in this same instant.
        self._look_again()

    def _look_again(self) -> None:
        if self._timer.due_ns != self._scheduler.now_ns:
            self._timer.arm(0)

    def _age(self) -> None:
        now_ns = self._scheduler.now_ns
        due_ns = self.table.expire(now_ns)
        if due_ns is not None:
            self._timer.arm(max(0, due_ns - now_ns))
