"""What a bridge tells of its tables."""

from __future__ import annotations

from functools import lru_cache

from vnet.ovs.flow.fields import FIELDS, FULL_FIELDS, Field
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.rules.table import Table
from vnet.ovs.openflow.messages import (
    ActionFeatures,
    FieldNames,
    InstructionFeatures,
    InstructionKind,
    TableFeatures,
    TableStats,
    action_kinds,
)

_MOST_FLOWS = 1_000_000
"""What a table without a limit is said to hold."""
_ALL_BITS = 0xFFFF_FFFF_FFFF_FFFF


def visible_tables(bridge: Ofproto) -> list[Table]:
    """Those that OpenFlow lists."""
    return [table for table in bridge.tables if not table.is_internal]


def table_features(bridge: Ofproto) -> list[TableFeatures]:
    """What each table can do: they are all the same, but for those that come behind them."""
    tables = visible_tables(bridge)
    last = tables[-1].table_id
    matched, masked, _ = _fields(bridge.openflow_full)
    return [
        TableFeatures(
            table.table_id,
            table.name,
            metadata_match=_ALL_BITS,
            metadata_write=_ALL_BITS,
            miss_config=table.miss,
            supports_eviction=False,
            supports_vacancy_events=False,
            max_entries=max_entries(table),
            nonmiss=(instructions := _instructions(table.table_id, last, bridge.openflow_full)),
            miss=instructions,
            match=matched,
            mask=masked,
            wildcard=matched,
        )
        for table in tables
    ]


def max_entries(table: Table) -> int:
    """How many flows a table may have."""
    return _MOST_FLOWS if table.max_flows is None else min(table.max_flows, _MOST_FLOWS)


@lru_cache(maxsize=512)
def _instructions(table_id: int, last: int, openflow_full: bool) -> InstructionFeatures:
    _, _, written = _fields(openflow_full)
    actions = ActionFeatures(action_kinds(openflow_full=openflow_full), written)
    next_tables = frozenset(range(table_id + 1, last + 1))
    instructions = frozenset(InstructionKind)
    if not next_tables:
        instructions -= {InstructionKind.GOTO_TABLE}
    return InstructionFeatures(instructions, next_tables, actions, actions)


@lru_cache(maxsize=2)
def _fields(openflow_full: bool) -> tuple[FieldNames, FieldNames, FieldNames]:
    """Fields that may be matched, those with any mask, and those that may be set."""
    known: list[Field] = [*FIELDS.values(), *(FULL_FIELDS.values() if openflow_full else ())]
    numbered = [field for field in known if field.header() is not None]
    return (
        frozenset(field.name for field in numbered),
        frozenset(field.name for field in numbered if field.is_maskable),
        frozenset(field.name for field in numbered if field.may_be_set(openflow_full)),
    )


def table_stats(bridge: Ofproto) -> list[TableStats]:
    """What each table has seen. Flows of the switch itself are not told of."""
    bridge.before_reading_stats()
    return [
        TableStats(table.table_id, _n_active(table), table.n_lookups, table.n_matched)
        for table in visible_tables(bridge)
    ]


def _n_active(table: Table) -> int:
    if table.table_id:
        return len(table)
    return len(table) - sum(rule.is_hidden for rule in table.classifier)
