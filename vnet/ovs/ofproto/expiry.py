"""Timeouts of flows, on the virtual clock.

A heap has the earliest time at which each flow that can expire might do so. Packets move that
time, of idle timeouts, without touching the heap: when an entry comes up, the flow is judged
by what has been counted of it until then, and goes or gets a new entry. An event is scheduled
only while there is an entry.

Open vSwitch counts time in milliseconds, and a flow goes once it is older than its timeout.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.ovs.ofproto.rule import RemovedReason, Rule
from vnet.sim.scheduler import Scheduler, Timer

Expired = Callable[[Rule, RemovedReason], None]


class Expiry:
    """Watches flows with timeouts. ``push_statistics`` is called before any flow is judged."""

    def __init__(
        self, scheduler: Scheduler, expire: Expired, push_statistics: Callable[[], None]
    ) -> None:
        self._scheduler = scheduler
        self._timer = Timer(scheduler, self._judge)
        self._expire = expire
        self._push_statistics = push_statistics
        self._heap: list[tuple[int, int, Rule]] = []
        self._sequence = 0

    def watch(self, rule: Rule) -> None:
        """A flow has come, or its timeouts have been shortened."""
        due = due_of(rule)
        if due is not None:
            self._sequence += 1
            heappush(self._heap, (due[0], self._sequence, rule))
            self._arm()

    def _arm(self) -> None:
        """Wake up for the first entry, unless something earlier is due already."""
        heap = self._heap
        while heap and heap[0][2].removed:
            heappop(heap)
        if heap and (self._timer.due_ns is None or heap[0][0] < self._timer.due_ns):
            self._timer.arm(max(0, heap[0][0] - self._scheduler.now_ns))

    def _judge(self) -> None:
        now_ns = self._scheduler.now_ns
        self._push_statistics()
        heap = self._heap
        while heap and heap[0][0] <= now_ns:
            rule = heappop(heap)[2]
            due = None if rule.removed else due_of(rule)
            if due is None:
                continue
            due_ns, reason = due
            if due_ns <= now_ns:
                self._expire(rule, reason)
            else:
                self._sequence += 1
                heappush(heap, (due_ns, self._sequence, rule))
        self._arm()


def due_of(rule: Rule) -> tuple[int, RemovedReason] | None:
    """When a rule goes if nothing happens, and why; None if it stays."""
    hard_ns = idle_ns = None
    if rule.hard_timeout_s:
        hard_ns = _after(rule.modified_ns, rule.hard_timeout_s)
    if rule.idle_timeout_s:
        idle_ns = _after(rule.used_ns, rule.idle_timeout_s)
    if hard_ns is not None and (idle_ns is None or hard_ns <= idle_ns):
        return hard_ns, RemovedReason.HARD_TIMEOUT
    return None if idle_ns is None else (idle_ns, RemovedReason.IDLE_TIMEOUT)


def _after(start_ns: int, timeout_s: int) -> int:
    """The first millisecond in which ``start_ns`` is longer ago than the timeout."""
    return start_ns // NS_PER_MS * NS_PER_MS + timeout_s * NS_PER_S + NS_PER_MS
