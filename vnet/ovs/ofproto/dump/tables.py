"""Tables as ``ovs-ofctl dump-tables`` lists them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.rules.table import Table
from vnet.ovs.openflow.version import OpenFlowVersion

_MAX_ENTRIES = 1_000_000

_OF10_MATCHING = (
    "    matching:\n"
    "      exact match or wildcard: in_port eth_{src,dst,type} vlan_{vid,pcp} "
    "ip_{src,dst} nw_{proto,tos} tcp_{src,dst}\n"
)


def dump_tables(bridge: Ofproto, version: OpenFlowVersion = OpenFlowVersion.OF10) -> str:
    """What follows the heading of a reply by OpenFlow 1.0, or by 1.3 and later.

    A table that differs in nothing from the one before is a ditto.
    """
    bridge.before_reading_stats()
    shows_features = version is OpenFlowVersion.OF10
    tables = [table for table in bridge.tables if not table.is_internal]
    return "".join(_Listing(shows_features).lines(tables))


class _Listing:
    """A list in the making: the tables that are dittos so far."""

    def __init__(self, shows_features: bool) -> None:
        self._shows_features = shows_features
        self._dittos: list[int] = []

    def lines(self, tables: list[Table]) -> Iterator[str]:
        previous: Table | None = None
        for table in tables:
            same_stats = previous is not None and _stats(table) == _stats(previous)
            same_features = previous is not None and (
                not self._shows_features or _max_entries(table) == _max_entries(previous)
            )
            name = table.name if self._shows_features else ""
            if same_stats and same_features and not name:
                self._dittos.append(table.table_id)
            else:
                yield from self._finish_dittos()
                yield f"\n  table {table.table_id}" + (f' ("{name}")' if name else "") + ":"
                if same_stats and same_features:
                    yield " ditto"
                else:
                    yield "\n" + _stats(table) + self._features(table, previous, same_features)
            previous = table
        yield from self._finish_dittos()

    def _finish_dittos(self) -> Iterator[str]:
        """List what was held back."""
        if not self._dittos:
            return
        first, last = self._dittos[0], self._dittos[-1]
        these = f"table {first}" if first == last else f"tables {first}...{last}"
        yield f"\n  {these}: ditto\n"
        self._dittos.clear()

    def _features(self, table: Table, previous: Table | None, same: bool) -> str:
        if not self._shows_features:
            return ""
        if same:
            return "    (same features)\n"
        matching = _OF10_MATCHING if previous is None else "    (same matching)\n"
        return f"    max_entries={_max_entries(table)}\n" + matching


def _max_entries(table: Table) -> int:
    return _MAX_ENTRIES if table.max_flows is None else min(table.max_flows, _MAX_ENTRIES)


def _stats(table: Table) -> str:
    return f"    active={len(table)}, lookup={table.n_lookups}, matched={table.n_matched}\n"
