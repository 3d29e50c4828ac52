"""The rules of a bridge, and all that is found by them or refers to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vnet.ovs.ofproto.groups.group import GroupEntry
from vnet.ovs.ofproto.meter import MeterEntry
from vnet.ovs.ofproto.rules.action_queries import references_of
from vnet.ovs.ofproto.rules.changes import FlowEvent
from vnet.ovs.ofproto.rules.cookies import CookieIndex
from vnet.ovs.ofproto.rules.expiry import Expiry
from vnet.ovs.ofproto.rules.learned import LearnedCookies
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.selection import COOKIE_EXACT, Selection
from vnet.ovs.ofproto.rules.table import N_TABLES, Table
from vnet.ovs.ofproto.rules.transaction import Transaction
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowFlags, RemovedReason
from vnet.ovs.openflow.ofpacts import TABLE_ALL


class RuleStore:
    """Tables with their rules; indexes by cookie, group and meter, eviction and expiry in step."""

    def __init__(
        self, groups: dict[int, GroupEntry], meters: dict[int, MeterEntry], expiry: Expiry
    ) -> None:
        self.tables = [Table(table_id) for table_id in range(N_TABLES)]
        self._groups = groups
        self._meters = meters
        self._expiry = expiry
        self._cookies = CookieIndex()
        self._learned = LearnedCookies()
        self.n_reporting = 0
        """How many rules ask for a report when they go (``send_flow_rem``)."""

    # -- finding

    def select(self, selection: Selection) -> list[Rule]:
        """The rules that a request means, in the order in which Open vSwitch lists them.

        Raises ``OFPBRC_BAD_TABLE_ID``.
        """
        if not 0 <= selection.table_id < N_TABLES and selection.table_id != TABLE_ALL:
            raise OpenFlowError("OFPBRC_BAD_TABLE_ID")
        return [rule for rule in self._candidates(selection) if selection.selects(rule)]

    def count(self, table_id: int, cookie: int) -> int:
        """How many rules of a table have this cookie."""
        return self._cookies.count(cookie, table_id)

    def _candidates(self, selection: Selection) -> Iterator[Rule]:
        if selection.cookie_mask == COOKIE_EXACT:
            same_cookie = self._cookies.rules(selection.cookie)
            return (rule for rule in same_cookie if selection.matches(rule))
        return self._by_match(selection)

    def _by_match(self, selection: Selection) -> Iterator[Rule]:
        for table in self._tables(selection.table_id):
            if selection.priority is None:
                yield from table.classifier.matching(selection.match)
            else:
                rule = table.classifier.find(selection.match, selection.priority)
                if rule is not None:
                    yield rule

    def _tables(self, table_id: int) -> list[Table]:
        if table_id == TABLE_ALL:
            return [table for table in self.tables if not table.is_internal]
        return [self.tables[table_id]]

    # -- changing

    def insert(self, rule: Rule, transaction: Transaction) -> None:
        """A new rule; no other of its table may have its match and priority."""
        self._link(rule)
        transaction.on_undo(self._unlink, rule)

    def remove(self, rule: Rule, reason: RemovedReason, transaction: Transaction) -> None:
        """A rule leaves its table."""
        transaction.dead_cookies += self._unlink(rule)
        transaction.removed.append((rule, reason))
        transaction.note(FlowEvent.REMOVED, rule, reason)
        transaction.on_undo(self._link, rule)

    def change(self, rule: Rule, transaction: Transaction, **changes: Any) -> None:
        """Give attributes of a rule other values. It is listed last from then on."""
        if "actions" in changes:
            references = references_of(changes["actions"])
            changes |= {"references": references, "conjunctions": references.conjunctions}
        before = {name: getattr(rule, name) for name in changes}
        transaction.dead_cookies += self._assign(rule, changes)
        transaction.on_undo(self._assign, rule, before)

    def reduce_timeouts(self, rule: Rule, idle_timeout_s: int, hard_timeout_s: int) -> None:
        """Lower timeouts to these, where they are longer or there are none; 0 leaves one alone."""
        before = rule.idle_timeout_s, rule.hard_timeout_s
        rule.idle_timeout_s = _shorter(rule.idle_timeout_s, idle_timeout_s)
        rule.hard_timeout_s = _shorter(rule.hard_timeout_s, hard_timeout_s)
        if (rule.idle_timeout_s, rule.hard_timeout_s) == before:
            return
        self._expiry.watch(rule)
        eviction = self.tables[rule.table_id].eviction
        if eviction is not None:
            eviction.renew(rule)

    def _link(self, rule: Rule) -> None:
        rule.removed = False
        self.tables[rule.table_id].classifier.insert(rule)
        self._learned.add(rule.references.deleting_learns)
        self._refer(rule)

    def _unlink(self, rule: Rule) -> list[tuple[int, int]]:
        self._unrefer(rule)
        self.tables[rule.table_id].classifier.remove(rule)
        rule.removed = True
        return self._learned.remove(rule.references.deleting_learns)

    def _assign(self, rule: Rule, values: dict[str, Any]) -> list[tuple[int, int]]:
        self._unrefer(rule)
        before = rule.references
        for name, value in values.items():
            setattr(rule, name, value)
        self._learned.add(rule.references.deleting_learns)
        self.tables[rule.table_id].classifier.move_to_end(rule)
        self._refer(rule)
        return self._learned.remove(before.deleting_learns)

    def _refer(self, rule: Rule) -> None:
        if rule.flags and FlowFlags.SEND_FLOW_REM in rule.flags:
            self.n_reporting += 1
        self._cookies.insert(rule)
        eviction = self.tables[rule.table_id].eviction
        if eviction is not None:
            eviction.insert(rule)
        references = rule.references
        for group_id in references.groups:
            self._groups[group_id].refer(rule, 1)
        if references.governing_meter is not None:
            self._meters[references.governing_meter].rules[rule] = None
        if rule.idle_timeout_s or rule.hard_timeout_s:
            self._expiry.watch(rule)

    def _unrefer(self, rule: Rule) -> None:
        if rule.flags and FlowFlags.SEND_FLOW_REM in rule.flags:
            self.n_reporting -= 1
        self._expiry.forget(rule)
        self._cookies.remove(rule)
        eviction = self.tables[rule.table_id].eviction
        if eviction is not None:
            eviction.remove(rule)
        references = rule.references
        for group_id in references.groups:
            self._groups[group_id].refer(rule, -1)
        if references.governing_meter is not None:
            del self._meters[references.governing_meter].rules[rule]


def _shorter(timeout_s: int, limit_s: int) -> int:
    """Of two timeouts, of which 0 means none."""
    return min(timeout_s, limit_s) if timeout_s and limit_s else timeout_s or limit_s
