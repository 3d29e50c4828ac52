"""Carrying out requests that add, change and delete groups (ovs-ofctl(8), "Group commands")."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.ofproto.groups.group import GroupEntry
from vnet.ovs.ofproto.groups.selection_log import log_selection
from vnet.ovs.ofproto.rules.rule_store import RuleStore
from vnet.ovs.ofproto.rules.transaction import Transaction
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    BUCKET_ALL,
    BUCKET_FIRST,
    BUCKET_LAST,
    BUCKET_MAX,
    GROUP_ALL,
    GROUP_ANY,
    GROUP_MAX,
    Bucket,
    GroupMod,
    GroupModCommand,
    GroupType,
    RemovedReason,
)
from vnet.ovs.vlog.vlog import Vlog
from vnet.sim.scheduler import Scheduler

Buckets = tuple[Bucket, ...]


class GroupMods:
    """Carries out group modifications."""

    def __init__(
        self, scheduler: Scheduler, store: RuleStore, groups: dict[int, GroupEntry], vlog: Vlog
    ) -> None:
        self._log = vlog.module("ofproto_dpif")
        self._scheduler = scheduler
        self._store = store
        self._groups = groups

    def apply(self, mod: GroupMod, transaction: Transaction) -> GroupMod:
        """Carry one out; returns it with what it came to mean.

        Raises :class:`OpenFlowError`; what was done so far is to be undone.
        """
        check_group_mod(mod)
        if mod.command is GroupModCommand.DELETE:
            self._delete(mod.group_id, transaction)
            return mod
        mod = replace(mod, buckets=_numbered(mod.buckets))
        old = self._groups.get(mod.group_id)
        if mod.command is GroupModCommand.ADD_OR_MODIFY:
            is_new = old is None
            command = GroupModCommand.ADD if is_new else GroupModCommand.MODIFY
            mod = replace(mod, command=command)
        if mod.command is GroupModCommand.ADD:
            if old is not None:
                raise OpenFlowError("OFPGMFC_GROUP_EXISTS")
            self._put(self._made(mod, mod.buckets), transaction)
        elif old is None:
            raise OpenFlowError("OFPGMFC_UNKNOWN_GROUP")
        else:
            self._put(self._changed(old, mod), transaction)
        return mod

    def _changed(self, old: GroupEntry, mod: GroupMod) -> GroupEntry:
        """What takes the place of ``old``: all anew, or the same with other buckets."""
        change = _BUCKET_COMMANDS.get(mod.command)
        buckets = mod.buckets
        if change is not None:
            buckets = change(old.buckets, mod)
            mod = replace(
                mod,
                type=old.type,
                selection_method=old.selection_method,
                selection_method_param=old.selection_method_param,
                fields=old.fields,
            )
        entry = self._made(mod, buckets)
        entry.created_ns = old.created_ns
        entry.rules = dict(old.rules)
        return entry

    def _made(self, mod: GroupMod, buckets: Buckets) -> GroupEntry:
        entry = GroupEntry(mod, buckets, self._scheduler.now_ns)
        log_selection(self._log, entry, mod.buckets)
        return entry

    def _put(self, entry: GroupEntry, transaction: Transaction) -> None:
        if entry.group_id > GROUP_MAX:
            raise OpenFlowError("OFPGMFC_INVALID_GROUP")
        old = self._groups.get(entry.group_id)
        self._groups[entry.group_id] = entry
        if old is None:
            transaction.on_undo(self._groups.pop, entry.group_id)
        else:
            transaction.on_undo(self._groups.__setitem__, entry.group_id, old)

    def _delete(self, group_id: int, transaction: Transaction) -> None:
        """Remove one group or all, with the flows that output to them."""
        chosen = list(self._groups) if group_id == GROUP_ALL else [group_id]
        for chosen_id in chosen:
            entry = self._groups.get(chosen_id)
            if entry is None:
                continue
            for rule in list(entry.rules):
                self._store.remove(rule, RemovedReason.GROUP_DELETE, transaction)
            del self._groups[chosen_id]
            transaction.on_undo(self._groups.__setitem__, chosen_id, entry)


def check_group_mod(mod: GroupMod) -> None:
    """Raise :class:`OpenFlowError` for a request that contradicts itself."""
    if mod.command is GroupModCommand.DELETE:
        return
    # A request to insert buckets says nothing of the group's type, which passes for "all".
    _check_buckets_of_type(mod)
    if mod.command is GroupModCommand.REMOVE_BUCKET and mod.buckets:
        raise OpenFlowError("OFPGMFC_BAD_BUCKET")
    ids = [bucket.bucket_id for bucket in mod.buckets if bucket.bucket_id <= BUCKET_MAX]
    if len(set(ids)) < len(ids):
        raise OpenFlowError("OFPGMFC_BAD_BUCKET")


def _check_buckets_of_type(mod: GroupMod) -> None:
    """Only some types of group watch ports, and one has a single bucket."""
    if mod.type is GroupType.INDIRECT and len(mod.buckets) != 1:
        raise OpenFlowError("OFPGMFC_INVALID_GROUP")
    watching = [_watches(bucket) for bucket in mod.buckets]
    if mod.type is GroupType.FAST_FAILOVER and not all(watching):
        raise OpenFlowError("OFPGMFC_INVALID_GROUP")
    if mod.type in (GroupType.ALL, GroupType.INDIRECT) and any(watching):
        raise OpenFlowError("OFPGMFC_WATCH_UNSUPPORTED")


def _watches(bucket: Bucket) -> bool:
    return bucket.watch_port != OFPP_NONE or bucket.watch_group != GROUP_ANY


def _numbered(buckets: Sequence[Bucket]) -> Buckets:
    """Give buckets without a number the lowest ones that the others leave free."""
    used = {bucket.bucket_id for bucket in buckets if bucket.bucket_id <= BUCKET_MAX}
    free = (number for number in range(len(buckets) + len(used)) if number not in used)
    return tuple(
        bucket if bucket.bucket_id <= BUCKET_MAX else replace(bucket, bucket_id=next(free))
        for bucket in buckets
    )


def _position(buckets: Buckets, bucket_id: int) -> int:
    for position, bucket in enumerate(buckets):
        if bucket.bucket_id == bucket_id:
            return position
    raise OpenFlowError("OFPGMFC_UNKNOWN_BUCKET")


def _inserted(old: Buckets, mod: GroupMod) -> Buckets:
    """The old buckets, and those of the request first, last, or after the one it names."""
    place = mod.command_bucket_id
    if place == BUCKET_FIRST:
        position = 0
    elif place == BUCKET_LAST:
        position = len(old)
    else:
        position = _position(old, place) + 1
    buckets = (*old[:position], *mod.buckets, *old[position:])
    if len({bucket.bucket_id for bucket in buckets}) < len(buckets):
        raise OpenFlowError("OFPGMFC_BUCKET_EXISTS")
    return buckets


def _removed(old: Buckets, mod: GroupMod) -> Buckets:
    """The old buckets without the first, the last, the one that is named, or all of them."""
    place = mod.command_bucket_id
    if place == BUCKET_ALL:
        return ()
    if place == BUCKET_FIRST:
        return old[1:]
    if place == BUCKET_LAST:
        return old[:-1]
    position = _position(old, place)
    return old[:position] + old[position + 1 :]


_BUCKET_COMMANDS: dict[GroupModCommand, Callable[[Buckets, GroupMod], Buckets]] = {
    GroupModCommand.INSERT_BUCKET: _inserted,
    GroupModCommand.REMOVE_BUCKET: _removed,
}
