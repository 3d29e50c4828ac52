"""Requests to change what tables can do (OFPMP_TABLE_FEATURES): they may be named, and nothing else
may become of them. To ask for less than there is gives all there is (section 7.3.5.18)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.rules.table import INTERNAL_TABLE
from vnet.ovs.ofproto.table_facts import table_features
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    ActionFeatures,
    InstructionFeatures,
    TableFeatures,
    TableFeaturesCommand,
)

_MODIFY, _REPLACE = TableFeaturesCommand.MODIFY, TableFeaturesCommand.REPLACE
_NOTHING = InstructionFeatures()


def change_table_features(
    bridge: Ofproto, wanted: Sequence[TableFeatures], info: Callable[[str], None]
) -> None:
    """Have tables as ``wanted``, if all can be as they say; ``info`` is told why not.

    Raises :class:`OpenFlowError`.
    """
    if not wanted:
        return
    asked: dict[int, TableFeatures] = {}
    for one in wanted:
        if one.table_id in asked:
            raise _refuse("NXTFFC_DUP_TABLE", f"duplicate table {one.table_id}", info)
        asked[one.table_id] = one
    if INTERNAL_TABLE in asked:
        raise _refuse("OFPTFFC_EPERM", f"can't modify hidden table {INTERNAL_TABLE}", info)
    present = {one.table_id: one for one in table_features(bridge)}
    new = _completed(wanted[0].command, asked, present)
    missing = min(present.keys() - new.keys(), default=None)
    if missing is not None:
        raise _refuse("OFPTFFC_EPERM", f"can't disable table {missing}", info)
    for table_id, old in present.items():
        _check(bridge, old, new[table_id], info)
    for table_id in present:
        bridge.tables[table_id].call(new[table_id].name)


def _completed(
    command: TableFeaturesCommand,
    asked: dict[int, TableFeatures],
    present: dict[int, TableFeatures],
) -> dict[int, TableFeatures]:
    """What all tables are to be; those that are not mentioned stay, or go."""
    if command is _REPLACE:
        return asked
    if command is not _MODIFY:
        raise OpenFlowError("OFPTFFC_EPERM")
    return present | {
        table_id: one if one.nonmiss is not None else _with_properties(one, present[table_id])
        for table_id, one in asked.items()
    }


def _with_properties(one: TableFeatures, old: TableFeatures) -> TableFeatures:
    return replace(
        one,
        nonmiss=old.nonmiss,
        miss=old.miss,
        match=old.match,
        mask=old.mask,
        wildcard=old.wildcard,
    )


def _check(
    bridge: Ofproto, old: TableFeatures, new: TableFeatures, info: Callable[[str], None]
) -> None:
    if old.max_entries != new.max_entries:
        raise _refuse("OFPTFFC_EPERM", "can't change max_entries", info)
    table = bridge.tables[old.table_id]
    if not table.may_be_called(new.name):
        text = (
            f"can't change name of table {old.table_id} to {new.name} because it is already set "
            f"to {table.name} via OVSDB"
        )
        raise _refuse("OFPTFFC_EPERM", text, info)
    if not _is_superset(old, new):
        text = f"can't increase table features for table {old.table_id}"
        raise _refuse("OFPTFFC_EPERM", text, info)


def _refuse(name: str, text: str, info: Callable[[str], None]) -> OpenFlowError:
    info(text)
    return OpenFlowError(name)


def _is_superset(old: TableFeatures, new: TableFeatures) -> bool:
    return (
        not (new.metadata_match & ~old.metadata_match or new.metadata_write & ~old.metadata_write)
        and bool(old.supports_eviction) >= bool(new.supports_eviction)
        and bool(old.supports_vacancy_events) >= bool(new.supports_vacancy_events)
        and _has_instructions(old.nonmiss or _NOTHING, new.nonmiss or _NOTHING)
        and _has_instructions(old.miss or _NOTHING, new.miss or _NOTHING)
        and old.match >= new.match
        and old.mask >= new.mask
        and old.wildcard >= new.wildcard
    )


def _has_instructions(old: InstructionFeatures, new: InstructionFeatures) -> bool:
    return (
        old.next_tables >= new.next_tables
        and old.instructions >= new.instructions
        and _has_actions(old.write, new.write)
        and _has_actions(old.apply, new.apply)
    )


def _has_actions(old: ActionFeatures, new: ActionFeatures) -> bool:
    return old.actions >= new.actions and old.set_fields >= new.set_fields
