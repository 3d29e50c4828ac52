"""Which flow a full table gives up for a new one (ovs-vswitchd.conf.db(5), Flow_Table).

Flows are told apart into groups by the values of some fields, and the largest group loses one,
so that whoever fills a table pushes out his own. Within a group the flow of the least importance
goes, and among those the one that would expire first. Flows without timeouts stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from vnet.base.units import NS_PER_MS
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.flow import Flow
from vnet.ovs.ofproto.expiry import due_of
from vnet.ovs.ofproto.rule import Rule

_GroupName = tuple[int | None, ...]

_TICK_MS = 1024
"""Times of expiry are compared in units of this; Open vSwitch calls it a second."""


class _Group:
    """Flows with the same values of the fields, and a heap of who goes first.

    Entries are renewed only when they come up: a flow that was used meanwhile goes later.
    """

    __slots__ = ("heap", "rules")

    def __init__(self) -> None:
        self.rules: dict[Rule, None] = {}
        self.heap: list[tuple[int, int, int, Rule]] = []


class Eviction:
    """The groups of one table, kept while the table evicts."""

    __slots__ = ("_group_of", "_groups", "_sequence", "fields")

    def __init__(self, fields: Sequence[Subfield] = ()) -> None:
        self.fields = tuple(fields)
        self._groups: dict[_GroupName, _Group] = {}
        self._group_of: dict[Rule, _GroupName] = {}
        self._sequence = 0

    def insert(self, rule: Rule) -> None:
        """A flow has come."""
        if not (rule.idle_timeout_s or rule.hard_timeout_s):
            return
        flow = Flow(rule.match.value)
        name = tuple(
            sub.get(flow) if sub.field.are_prereqs_ok(flow, None) else None for sub in self.fields
        )
        self._group_of[rule] = name
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = _Group()
        group.rules[rule] = None
        self._push(group, rule)

    def remove(self, rule: Rule) -> None:
        """A flow has gone; harmless for one that cannot be evicted."""
        name = self._group_of.pop(rule, None)
        if name is None:
            return
        group = self._groups[name]
        del group.rules[rule]
        if not group.rules:
            del self._groups[name]

    def renew(self, rule: Rule) -> None:
        """A flow's timeouts have been shortened; harmless for one that cannot be evicted."""
        name = self._group_of.get(rule)
        if name is not None:
            self._push(self._groups[name], rule)

    def choose(self) -> Rule | None:
        """The flow to give up; None where there is none."""
        group = max(self._groups.values(), key=lambda group: len(group.rules), default=None)
        if group is None:
            return None
        heap = group.heap
        while True:
            importance, tick, _, rule = heap[0]
            if rule in group.rules and (importance, tick) == _precedence(rule):
                return rule
            heappop(heap)
            if rule in group.rules:
                self._push(group, rule)

    def _push(self, group: _Group, rule: Rule) -> None:
        self._sequence += 1
        heappush(group.heap, (*_precedence(rule), self._sequence, rule))


def _precedence(rule: Rule) -> tuple[int, int]:
    """Smaller goes first."""
    due = due_of(rule)
    assert due is not None
    return rule.importance, due[0] // NS_PER_MS // _TICK_MS
