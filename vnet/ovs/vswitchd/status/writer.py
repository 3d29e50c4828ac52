"""From what is to stand in rows to a transaction that makes it so.

Only what the rows do not say already is written, so a look at everything costs little where
nothing has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from vnet.ovs.ovsdb.atoms import Datum, Uuid
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.view import DatabaseView

Status: TypeAlias = Mapping[str, Datum]
"""Columns of one row, by name."""

NOTHING: Datum = ()
"""An optional column, a set or a map that is empty."""


def one(atom: object) -> Datum:
    """A column with one atom; None is nothing."""
    return NOTHING if atom is None else (atom,)


def pairs(items: Mapping[str, object]) -> Datum:
    """A column with a map."""
    return tuple(sorted(items.items()))


class StatusWriter:
    """Collects columns for one transaction. What a schema lacks is passed over."""

    def __init__(self, view: DatabaseView) -> None:
        self._view = view
        self._changes: dict[tuple[str, Uuid], dict[str, Datum]] = {}

    def set(self, table: str, uuid: Uuid, status: Status) -> None:
        """Have a row say this, if it is still there."""
        row = self._view.rows(table).get(uuid)
        if row is None:
            return
        columns = row.columns
        changed = {
            name: datum
            for name, datum in status.items()
            if name in columns and columns[name] != datum
        }
        if changed:
            self._changes.setdefault((table, uuid), {}).update(changed)

    def operations(self) -> list[Json]:
        """The operations of RFC 7047, none where nothing has changed."""
        return [
            {
                "op": "update",
                "table": table,
                "where": [["_uuid", "==", ["uuid", uuid]]],
                "row": {name: self._json(table, name, datum) for name, datum in changed.items()},
            }
            for (table, uuid), changed in self._changes.items()
        ]

    def _json(self, table: str, column: str, datum: Datum) -> Json:
        return self._view.schema.tables[table].columns[column].type.to_json(datum)
