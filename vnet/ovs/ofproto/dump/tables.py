"""Tables as ``ovs-ofctl dump-tables`` lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.table_facts import max_entries, table_stats, visible_tables
from vnet.ovs.openflow.messages import TableStats
from vnet.ovs.openflow.version import OpenFlowVersion

_OF10_MATCHING = (
    "    matching:\n"
    "      exact match or wildcard: in_port eth_{src,dst,type} vlan_{vid,pcp} "
    "ip_{src,dst} nw_{proto,tos} tcp_{src,dst}\n"
)


def dump_tables(bridge: Ofproto, version: OpenFlowVersion = OpenFlowVersion.OF10) -> str:
    """What follows the heading of a reply by OpenFlow 1.0, or by 1.3 and later.

    A table that differs in nothing from the one before is a ditto.
    """
    shows_features = version is OpenFlowVersion.OF10
    shown = [
        _Shown(stats, table.name if shows_features else "", max_entries(table))
        for stats, table in zip(table_stats(bridge), visible_tables(bridge), strict=True)
    ]
    return "".join(_Listing(shows_features).lines(shown))


class _Shown(NamedTuple):
    stats: TableStats
    name: str
    max_entries: int

    @property
    def text(self) -> str:
        stats = self.stats
        return f"    active={stats.n_active}, lookup={stats.n_lookups}, matched={stats.n_matched}\n"


class _Listing:
    """A list in the making: the tables that are dittos so far."""

    def __init__(self, shows_features: bool) -> None:
        self._shows_features = shows_features
        self._dittos: list[int] = []

    def lines(self, tables: list[_Shown]) -> Iterator[str]:
        previous: _Shown | None = None
        for table in tables:
            same_stats = previous is not None and table.text == previous.text
            same_features = previous is not None and (
                not self._shows_features or table.max_entries == previous.max_entries
            )
            table_id, name = table.stats.table_id, table.name
            if same_stats and same_features and not name:
                self._dittos.append(table_id)
            else:
                yield from self._finish_dittos()
                yield f"\n  table {table_id}" + (f' ("{name}")' if name else "") + ":"
                if same_stats and same_features:
                    yield " ditto"
                else:
                    yield "\n" + table.text + self._features(table, previous, same_features)
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

    def _features(self, table: _Shown, previous: _Shown | None, same: bool) -> str:
        if not self._shows_features:
            return ""
        if same:
            return "    (same features)\n"
        matching = _OF10_MATCHING if previous is None else "    (same matching)\n"
        return f"    max_entries={table.max_entries}\n" + matching
