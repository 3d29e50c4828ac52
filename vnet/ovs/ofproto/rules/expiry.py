"""Timeouts of flows, on the virtual clock.

A heap has the earliest time at which each flow that can expire might do so. Packets move that
time, of idle timeouts, without touching the heap: when a flow comes up, it is judged by what
has been counted of it until then, and goes or gets a new time. An event is scheduled only while
there is a flow in the heap.

Open vSwitch counts time in milliseconds, and a flow goes once it is older than its timeout.
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.ovs.ofproto.rules.lazy_heap import LazyHeap
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.openflow.messages import RemovedReason
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
        self._heap = LazyHeap()

    def watch(self, rule: Rule) -> None:
        """A flow has come, or its timeouts have changed."""
        self._put(rule)
        self._arm()

    def forget(self, rule: Rule) -> None:
        """A flow has gone."""
        self._heap.discard(rule)

    def _put(self, rule: Rule) -> None:
        due = due_of(rule)
        if due is None:
            self._heap.discard(rule)
        else:
            self._heap.put(rule, (due[0], 0))

    def _arm(self) -> None:
        """See that there is an event when the first may expire, or before."""
        first = self._heap.first()
        if first is not None:
            (due_ns, _), _ = first
            if self._timer.due_ns is None or due_ns < self._timer.due_ns:
                self._timer.arm(max(0, due_ns - self._scheduler.now_ns))

    def _judge(self) -> None:
        now_ns = self._scheduler.now_ns
        self._push_statistics()
        while (first := self._heap.first()) is not None and first[0][0] <= now_ns:
            rule = first[1]
            due = due_of(rule)
            if due is not None and due[0] <= now_ns:
                self._expire(rule, due[1])
            else:
                self._put(rule)
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
