"""Carrying out requests that add, change and delete flows (ovs-ofctl(8), "add-flow" and others)."""

from __future__ import annotations

from typing import Any

from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.ofproto.groups.group import GroupEntry
from vnet.ovs.ofproto.meter import MeterEntry
from vnet.ovs.ofproto.rules.action_queries import References, references_of
from vnet.ovs.ofproto.rules.changes import FlowEvent
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.rule_store import RuleStore
from vnet.ovs.ofproto.rules.selection import selection_of
from vnet.ovs.ofproto.rules.table import N_TABLES, Table
from vnet.ovs.ofproto.rules.transaction import Transaction
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    NO_BUFFER,
    FlowFlags,
    FlowMod,
    FlowModCommand,
    RemovedReason,
)
from vnet.ovs.openflow.ofpacts import TABLE_ALL, Ofpacts
from vnet.sim.scheduler import Scheduler

_KEPT = ~(FlowFlags.NO_READONLY | FlowFlags.HIDDEN_FIELDS)

_DELETIONS = (FlowModCommand.DELETE, FlowModCommand.DELETE_STRICT)
_STRICT = (FlowModCommand.MODIFY_STRICT, FlowModCommand.DELETE_STRICT)


def kept_flags(mod: FlowMod) -> FlowFlags:
    """The flags that a flow keeps and shows; the others only say what a request may do."""
    flags = mod.flags
    return flags & _KEPT if flags >= FlowFlags.NO_READONLY else flags


class FlowMods:
    """Carries out flow modifications on a store of rules."""

    def __init__(
        self,
        scheduler: Scheduler,
        store: RuleStore,
        groups: dict[int, GroupEntry],
        meters: dict[int, MeterEntry],
    ) -> None:
        self._scheduler = scheduler
        self._store = store
        self._groups = groups
        self._meters = meters

    def apply(self, mod: FlowMod, transaction: Transaction) -> None:
        """Carry one out. Raises :class:`OpenFlowError`; what was done so far is to be undone."""
        if mod.command is FlowModCommand.ADD:
            self._add(mod, transaction)
        elif mod.command in (FlowModCommand.MODIFY, FlowModCommand.MODIFY_STRICT):
            self._modify(mod, transaction)
        else:
            self._delete(mod, transaction)

    def check(self, mod: FlowMod) -> None:
        """Raise :class:`OpenFlowError` for what may not be asked, whatever flows there are."""
        if mod.command not in _DELETIONS:
            self._table_for(mod)
            _check_buffer(mod)

    def needs_statistics(self, mod: FlowMod) -> bool:
        """Whether counters are to be reset, or reported for the last time."""
        if mod.command in (FlowModCommand.DELETE, FlowModCommand.DELETE_STRICT):
            return self._store.n_reporting > 0
        if not mod.flags or FlowFlags.RESET_COUNTS not in mod.flags:
            return False
        if mod.command is not FlowModCommand.ADD:
            return True
        table = self._table_for(mod)
        return table.classifier.find(mod.match, mod.priority) is not None

    def _add(self, mod: FlowMod, transaction: Transaction) -> None:
        """Add a flow, or replace the one with the same match and priority.

        The replaced one's packets go on to be counted by the new, unless ``reset_counts``.
        """
        table = self._table_for(mod)
        _check_buffer(mod)
        references = self.check_actions(mod.actions)
        old = table.classifier.find(mod.match, mod.priority)
        if old is None:
            self._insert(mod, table, references, transaction)
            return
        now_ns = self._scheduler.now_ns
        changes: dict[str, Any] = {
            "created_ns": now_ns,
            "idle_timeout_s": mod.idle_timeout_s,
            "hard_timeout_s": mod.hard_timeout_s,
            "importance": mod.importance,
            "flags": kept_flags(mod),
            "cookie": mod.new_cookie or 0,
        }
        self._replace(old, mod, transaction, changes, is_new=True)

    def _modify(self, mod: FlowMod, transaction: Transaction) -> None:
        """Change the actions of flows; with a cookie to give and none to look for, a flow is
        added where none is selected.
        """
        table = self._table_for(mod)
        _check_buffer(mod)
        rules = self._selected(mod, by_output=False)
        if rules:
            self.check_actions(mod.actions)
            for rule in rules:
                self._replace(rule, mod, transaction, {}, is_new=False)
        elif mod.new_cookie is not None and not mod.cookie_mask:
            self._insert(mod, table, self.check_actions(mod.actions), transaction)

    def _delete(self, mod: FlowMod, transaction: Transaction) -> None:
        for rule in self._selected(mod, by_output=True):
            self._store.remove(rule, RemovedReason.DELETE, transaction)

    def _replace(
        self,
        rule: Rule,
        mod: FlowMod,
        transaction: Transaction,
        changes: dict[str, Any],
        *,
        is_new: bool,
    ) -> None:
        changes |= {"actions": mod.actions, "modified_ns": self._scheduler.now_ns}
        if mod.new_cookie is not None and not mod.keeps_cookies:
            changes["cookie"] = mod.new_cookie
        if FlowFlags.RESET_COUNTS in mod.flags:
            changes |= {"n_packets": 0, "n_bytes": 0}
        was = rule.actions, rule.cookie
        self._store.change(rule, transaction, **changes)
        if is_new or was != (rule.actions, rule.cookie):
            event = FlowEvent.ADDED if is_new else FlowEvent.MODIFIED
            transaction.note(event, rule, old_actions=was[0])

    def _insert(
        self, mod: FlowMod, table: Table, references: References, transaction: Transaction
    ) -> None:
        checks_overlap = mod.flags and FlowFlags.CHECK_OVERLAP in mod.flags
        if checks_overlap and table.classifier.overlaps(mod.match, mod.priority):
            raise OpenFlowError("OFPFMFC_OVERLAP")
        if table.is_full:
            victim = table.choose_victim()
            if victim is None:
                raise OpenFlowError("OFPFMFC_TABLE_FULL")
            self._store.remove(victim, RemovedReason.EVICTION, transaction)
        now_ns = self._scheduler.now_ns
        rule = Rule(
            table.table_id,
            mod.priority,
            mod.match,
            mod.actions,
            now_ns,
            mod.new_cookie or 0,
            mod.idle_timeout_s,
            mod.hard_timeout_s,
            mod.importance,
            kept_flags(mod),
            modified_ns=now_ns,
            used_ns=now_ns,
            references=references,
            conjunctions=references.conjunctions,
        )
        self._store.insert(rule, transaction)
        transaction.note(FlowEvent.ADDED, rule)

    def _selected(self, mod: FlowMod, *, by_output: bool) -> list[Rule]:
        """The flows that a request may change. Raises ``OFPBRC_EPERM`` if it may none of them."""
        selection = selection_of(mod, is_strict=mod.command in _STRICT, by_output=by_output)
        rules = self._store.select(selection)
        if FlowFlags.NO_READONLY in mod.flags:
            return rules
        writable = [rule for rule in rules if not self._store.tables[rule.table_id].is_internal]
        if rules and not writable:
            raise OpenFlowError("OFPBRC_EPERM")
        return writable

    def _table_for(self, mod: FlowMod) -> Table:
        """The table that a flow is for, if it may be there."""
        if mod.table_id != TABLE_ALL and not 0 <= mod.table_id < N_TABLES:
            raise OpenFlowError("OFPBRC_BAD_TABLE_ID")
        table = self._store.tables[0 if mod.table_id == TABLE_ALL else mod.table_id]
        if table.is_internal and FlowFlags.NO_READONLY not in mod.flags:
            raise OpenFlowError("OFPBRC_EPERM")
        may_hide = mod.flags and FlowFlags.HIDDEN_FIELDS in mod.flags
        if not may_hide and mod.match.mask & _HIDDEN and _matches_hidden_fields(mod.match):
            raise OpenFlowError("OFPBRC_EPERM")
        return table

    def check_actions(self, actions: Ofpacts) -> References:
        """What they refer to. Raises :class:`OpenFlowError` if a group or meter is not there."""
        references = references_of(actions)
        if any(meter_id not in self._meters for meter_id in references.meters):
            raise OpenFlowError("OFPMMFC_INVALID_METER")
        if any(group_id not in self._groups for group_id in references.groups):
            raise OpenFlowError("OFPBAC_BAD_OUT_GROUP")
        return references


_HIDDEN = Flow.recirc_id.mask | Flow.dp_hash.mask


def _matches_hidden_fields(match: Match) -> bool:
    """Whether a match is about what only the switch itself may use."""
    recirc_id_mask = Flow.recirc_id.of(match.mask)
    return (
        Flow.recirc_id.of(match.value) != 0
        or recirc_id_mask not in (0, Flow.recirc_id.ones)
        or Flow.dp_hash.of(match.mask) != 0
    )


def _check_buffer(mod: FlowMod) -> None:
    """No packets are kept, so that none can be named."""
    if mod.buffer_id != NO_BUFFER:
        raise OpenFlowError("OFPBRC_BUFFER_UNKNOWN")


def is_unchanged(rule: Rule, mod: FlowMod) -> bool:
    """Whether what ``learn`` asks for is there already."""
    return (
        rule.idle_timeout_s == mod.idle_timeout_s
        and rule.hard_timeout_s == mod.hard_timeout_s
        and rule.importance == mod.importance
        and rule.flags == kept_flags(mod)
        and mod.new_cookie in (None, rule.cookie)
        and rule.actions == mod.actions
    )
