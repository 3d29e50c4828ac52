"""What a log says of the flow mods that came by one connection: now and then, how many."""

from __future__ import annotations

from vnet.base.units import NS_PER_S
from vnet.ovs.openflow.messages import FlowModCommand
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import LogModule
from vnet.sim.scheduler import Scheduler, Timer

_WORDS = {
    FlowModCommand.ADD: "adds",
    FlowModCommand.DELETE: "deletes",
    FlowModCommand.DELETE_STRICT: "deletes",
    FlowModCommand.MODIFY: "modifications",
    FlowModCommand.MODIFY_STRICT: "modifications",
}
_COLLECTED_S = 10
_PAUSE_S = 60


class FlowModLog:
    """Collects for ten seconds before it says anything, and at least for a minute after that."""

    def __init__(self, scheduler: Scheduler, name: str, log: LogModule) -> None:
        self._scheduler = scheduler
        self._name = name
        self._log = log
        self._timer = Timer(scheduler, self._tell)
        self._counts: dict[str, int] = {}
        self._first_ns = self._last_ns = 0
        self._not_before_ns = 0

    def done(self, command: FlowModCommand) -> None:
        """One has been carried out."""
        if not self._log.is_enabled(Level.INFO):  # Where nobody listens, time may stand still.
            return
        now_ns = self._scheduler.now_ns
        word = _WORDS[command]
        self._counts[word] = self._counts.get(word, 0) + 1
        if self._timer.due_ns is None:
            self._first_ns = now_ns
            due_ns = max(now_ns + _COLLECTED_S * NS_PER_S, self._not_before_ns)
            self._not_before_ns = due_ns + _PAUSE_S * NS_PER_S
            self._timer.arm(due_ns - now_ns)
        self._last_ns = now_ns

    def close(self) -> None:
        """The connection is no more; what was collected is told."""
        self._timer.cancel()
        self._tell()

    def _tell(self) -> None:
        if not self._counts:
            return
        ago_s = (self._scheduler.now_ns - self._first_ns) // NS_PER_S
        interval_s = (self._last_ns - self._first_ns) // NS_PER_S
        if interval_s == ago_s:
            when = f"in the last {ago_s} s"
        elif interval_s:
            when = f"in the {interval_s} s starting {ago_s} s ago"
        else:
            when = f"{ago_s} s ago"
        told = ("adds", "deletes", "modifications")
        kinds = ", ".join(f"{self._counts[word]} {word}" for word in told if word in self._counts)
        n_mods = sum(self._counts.values())
        self._log.info(f"{self._name}: {n_mods} flow_mods {when} ({kinds})")
        self._counts.clear()
