"""How tables are set up: by configuration, and by controllers (OFPT_TABLE_MOD)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.table import N_TABLES, Table, TableSettings
from vnet.ovs.ofproto.rules.vacancy import Vacancy
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    EvictionFlags,
    RemovedReason,
    TableDesc,
    TableMiss,
    TableMod,
    TableStatus,
    TableVacancy,
)
from vnet.ovs.openflow.ofpacts import TABLE_ALL

EVICTION_FLAGS = EvictionFlags.OTHER | EvictionFlags.IMPORTANCE | EvictionFlags.LIFETIME
"""What decides which flow a full table gives up; nobody can choose."""


class TableMods:
    """Those of one bridge. ``remove`` takes the flows that a table cannot keep."""

    def __init__(
        self,
        tables: Sequence[Table],
        remove: Callable[[Iterable[Rule], RemovedReason], None],
    ) -> None:
        self._tables = tables
        self._remove = remove
        self._watched: dict[int, Table] = {}
        """The tables that tell how much of them is free."""

    def configure(self, table_id: int, settings: TableSettings) -> bool:
        """Set a table up; one with more flows than it may have evicts what it can. Whether
        anything is other than before."""
        table = self._tables[table_id]
        if table.settings == settings:
            return False
        table.configure(settings)
        for _ in range(table.excess):
            victim = table.choose_victim()
            if victim is None:
                break
            self._remove((victim,), RemovedReason.EVICTION)
        return True

    def apply(self, mod: TableMod) -> None:
        """Carry out a request. Raises :class:`OpenFlowError` (OFPTMFC_*)."""
        if mod.table_id != TABLE_ALL and mod.table_id >= N_TABLES:
            raise OpenFlowError("OFPTMFC_BAD_TABLE")
        if mod.eviction_flags not in (None, EVICTION_FLAGS):
            raise OpenFlowError("OFPTMFC_BAD_CONFIG")
        if mod.table_id == TABLE_ALL:
            for table in self._tables:
                if not table.is_internal:
                    self._set(table, mod)
            return
        table = self._tables[mod.table_id]
        if table.is_internal:
            raise OpenFlowError("OFPTMFC_EPERM")
        self._set(table, mod)

    def _set(self, table: Table, mod: TableMod) -> None:
        if mod.miss is not TableMiss.DEFAULT:
            table.miss = mod.miss
        if mod.eviction is not None:
            table.set_evicts(mod.eviction)
        if mod.vacancy_events is None:
            return
        limits = mod.vacancy or TableVacancy(0, 0)
        watched = table.vacancy if mod.vacancy_events else None
        if mod.vacancy_events and watched is None:
            watched = Vacancy(limits.down, limits.up, table.free_percent)
        elif watched is not None:
            watched.down, watched.up = limits.down, limits.up
        table.vacancy, table.vacancy_limits = watched, (limits.down, limits.up)
        self._watched.pop(table.table_id, None)
        if watched is not None:
            self._watched[table.table_id] = table

    def describe(self, table: Table) -> TableDesc:
        """How a table is set up by controllers."""
        down, up = table.vacancy_limits
        return TableDesc(
            table.table_id,
            table.evicts_by_request,
            EVICTION_FLAGS,
            table.vacancy is not None,
            TableVacancy(down, up, table.free_percent),
        )

    def news(self) -> Iterator[TableStatus]:
        """What is to be told of tables whose flows may have become more or fewer."""
        for table in self._watched.values():
            assert table.vacancy is not None
            reason = table.vacancy.look(table.free_percent)
            if reason is not None:
                yield TableStatus(reason, self.describe(table))
