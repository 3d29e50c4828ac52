"""Bits that set tables up (OFPTC_*), which each version took for something else."""

from __future__ import annotations

from vnet.ovs.openflow.messages import TableMiss
from vnet.ovs.openflow.version import OpenFlowVersion

_OF11, _OF12 = OpenFlowVersion.OF11, OpenFlowVersion.OF12

_MISSES = (TableMiss.CONTROLLER, TableMiss.CONTINUE, TableMiss.DROP)
_MISS_MASK = 3
EVICTION = 1 << 2
VACANCY_EVENTS = 1 << 3


def encode_table_config(
    version: OpenFlowVersion,
    miss: TableMiss = TableMiss.DEFAULT,
    *,
    eviction: bool | None = None,
    vacancy_events: bool | None = None,
) -> int:
    """What becomes of packets that match nothing (1.1, 1.2), or what a full table does (1.4+)."""
    if version in (_OF11, _OF12):
        return _MISSES.index(miss) if miss in _MISSES else 0
    if version < OpenFlowVersion.OF14:
        return 0
    return EVICTION * bool(eviction) | VACANCY_EVENTS * bool(vacancy_events)


def table_miss_of(config: int, version: OpenFlowVersion) -> TableMiss:
    """What becomes of packets that match nothing; a number that is none means the controller."""
    if version not in (_OF11, _OF12):
        return TableMiss.DEFAULT
    number = config & _MISS_MASK
    return _MISSES[number] if number < len(_MISSES) else TableMiss.CONTROLLER
