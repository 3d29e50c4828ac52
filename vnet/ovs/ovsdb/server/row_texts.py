"""The texts of rows in first answers, kept while the rows are what they were.

Clients that come, look at everything and go, as ovs-vsctl does for each of its commands, want the
same columns again and again, of rows of which few have changed since.
"""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.jsonrpc.encode import encode_text
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.server.row_update import TableView, Version, teller

_NO_FILTER = None
_ROOM = 100
"""So many rows that are gone may be kept of a table beside as many as there are."""

_Key = tuple[str, Version]


class RowTexts:
    """Those of one shape of monitor."""

    def __init__(self) -> None:
        self._tables: dict[_Key, dict[Uuid, tuple[Row, str]]] = {}

    def of(self, view: TableView, version: Version, rows: Iterable[Row]) -> list[str]:
        """A member of <table-update> for each row, as the first answer has it."""
        known = self._tables.setdefault((view.name, version), {})
        tell = teller(view, version, _NO_FILTER, frozenset())
        texts = []
        for row in rows:
            found = known.get(row.uuid)
            if found is None or found[0] is not row:
                found = row, f'"{row.uuid}":{encode_text(tell(True, None, row))}'
                known[row.uuid] = found
            texts.append(found[1])
        return texts

    def tidy(self, view: TableView, version: Version, rows: dict[Uuid, Row]) -> None:
        """Forget rows that are gone, once there are many of them."""
        known = self._tables[view.name, version]
        if len(known) > 2 * len(rows) + _ROOM:
            for uuid in known.keys() - rows.keys():
                del known[uuid]
