"""Which flow a full table gives up for a new one (ovs-vswitchd.conf.db(5), Flow_Table).

Flows are told apart into groups by the values of some fields, and the largest group loses one,
so that whoever fills a table pushes out his own. Within a group the flow of the least importance
goes, and among those the one that would expire first. Flows without timeouts stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.units import NS_PER_MS
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.flow import Flow
from vnet.ovs.ofproto.rules.expiry import due_of
from vnet.ovs.ofproto.rules.lazy_heap import LazyHeap
from vnet.ovs.ofproto.rules.rule import Rule

_GroupName = tuple[int | None, ...]

_TICK_MS = 1024
"""Times of expiry are compared in units of this; Open vSwitch calls it a second."""


class Eviction:
    """The groups of one table, kept while the table evicts.

    Each is a heap of who goes first. A flow's place in it is renewed only when the flow comes up:
    one that was used meanwhile goes later.
    """

    __slots__ = ("_group_of", "_groups", "fields")

    def __init__(self, fields: Sequence[Subfield] = ()) -> None:
        self.fields = tuple(fields)
        self._groups: dict[_GroupName, LazyHeap] = {}
        self._group_of: dict[Rule, _GroupName] = {}

    def insert(self, rule: Rule) -> None:
        """A flow has come."""
        if not (rule.idle_timeout_s or rule.hard_timeout_s):
            return
        flow = Flow(rule.match.value)
        name = tuple(
            sub.get(flow) if sub.field.are_prereqs_ok(flow, None) else None for sub in self.fields
        )
        self._group_of[rule] = name
        self._groups.setdefault(name, LazyHeap()).put(rule, _precedence(rule))

    def remove(self, rule: Rule) -> None:
        """A flow has gone; harmless for one that cannot be evicted."""
        name = self._group_of.pop(rule, None)
        if name is not None:
            group = self._groups[name]
            group.discard(rule)
            if not group:
                del self._groups[name]

    def renew(self, rule: Rule) -> None:
        """A flow's timeouts have been shortened; harmless for one that cannot be evicted."""
        name = self._group_of.get(rule)
        if name is not None:
            self._groups[name].put(rule, _precedence(rule))

    def choose(self) -> Rule | None:
        """The flow to give up; None where there is none."""
        group = max(self._groups.values(), key=len, default=None)
        while group is not None and (first := group.first()) is not None:
            key, rule = first
            current = _precedence(rule)
            if key == current:
                return rule
            group.put(rule, current)
        return None


def _precedence(rule: Rule) -> tuple[int, int]:
    """Smaller goes first."""
    due = due_of(rule)
    assert due is not None
    return rule.importance, due[0] // NS_PER_MS // _TICK_MS
