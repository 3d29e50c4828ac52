"""From changed rows to the operations of RFC 7047 that change them (section 5.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vnet.ovs.ovsdb.atoms import Datum, Uuid
from vnet.ovs.ovsdb.types import ColumnType
from vnet.ovs.vsctl.record import Record

Json = Any


class Operations:
    """The operations for ``records``: what must be so, what changes, then what is counted."""

    def __init__(self, records: Iterable[Record]) -> None:
        changed = [record for record in records if _is_touched(record)]
        self._new = {record.uuid for record in changed if not record.keeps_uuid}
        self.changes_anything = False
        """Whether anything would be otherwise afterwards."""
        self.inserted: dict[Uuid, int] = {}
        """Where the rows that come are inserted, by the UUIDs that they go by until then."""
        self.json: list[Json] = [_wait(record) for record in changed if record.verified]
        self.json += [_wait_for_none(record) for record in changed if _is_new_root(record)]
        for record in changed:
            self._change(record)

    def increment(self, record: Record, column: str) -> None:
        """Count up, and read, a column."""
        where = self._where(record)
        table = {"table": record.table.name, "where": where}
        self.json.append({"op": "mutate", **table, "mutations": [[column, "+=", 1]]})
        self.json.append({"op": "select", **table, "columns": [column]})

    def comment(self, text: str) -> None:
        """Say what it is all for."""
        self.json.append({"op": "comment", "comment": text})

    def abort(self) -> None:
        """Have nothing come of it."""
        self.json.append({"op": "abort"})

    def _change(self, record: Record) -> None:
        if record.is_deleted:
            if record.table.is_root:
                self.changes_anything = True
                where = self._where(record)
                self.json.append({"op": "delete", "table": record.table.name, "where": where})
            return
        if record.old is None:
            self._insert(record)
        elif record.written:
            self._update(record, record.old.columns)
        mutations = [
            mutation
            for column, added in record.added.items()
            for mutation in self._mutations(record, column, added)
        ]
        if mutations:
            self.changes_anything = True
            where = self._where(record)
            table = {"table": record.table.name, "where": where}
            self.json.append({"op": "mutate", **table, "mutations": mutations})

    def _insert(self, record: Record) -> None:
        self.changes_anything = True
        self.inserted[record.uuid] = len(self.json)
        name = {"uuid": record.uuid} if record.keeps_uuid else {"uuid-name": _name(record.uuid)}
        row = {
            column: self._json(record.table.columns[column].type, datum)
            for column, datum in record.written.items()
            if datum != record.table.columns[column].type.default
        }
        self.json.append({"op": "insert", "table": record.table.name, **name, "row": row})

    def _update(self, record: Record, old: Mapping[str, Datum]) -> None:
        row = {
            column: self._json(record.table.columns[column].type, datum)
            for column, datum in record.written.items()
        }
        self.changes_anything |= any(
            datum != old[column] for column, datum in record.written.items()
        )
        where = self._where(record)
        self.json.append({"op": "update", "table": record.table.name, "where": where, "row": row})

    def _mutations(self, record: Record, column: str, added: Mapping[Any, Any]) -> list[Json]:
        """What gives a column more atoms or pairs; a pair whose key it has goes first."""
        known = record.table.columns[column].type
        if known.value is None:
            atoms = ["set", [self._named(known.key.atom_to_json(atom)) for atom in added]]
            return [[column, "insert", atoms]]
        present = dict(record[column])
        changed = {k: v for k, v in added.items() if k not in present or present[k] != v}
        replaced = [known.key.atom_to_json(key) for key in changed if key in present]
        mutations: list[Json] = [[column, "delete", ["set", replaced]]] if replaced else []
        if changed:
            mutations.append([column, "insert", self._json(known, tuple(changed.items()))])
        return mutations

    def _where(self, record: Record) -> Json:
        return [["_uuid", "==", self._named(["uuid", record.uuid])]]

    def _json(self, known: ColumnType, datum: Datum) -> Json:
        return self._named(known.to_json(datum))

    def _named(self, json: Json) -> Json:
        """JSON with rows that are yet to come called by their names."""
        match json:
            case ["uuid", uuid] if uuid in self._new:
                return ["named-uuid", _name(uuid)]
            case [*members]:
                return [self._named(member) for member in members]
        return json


def _name(uuid: Uuid) -> str:
    """What operations call a new row."""
    return f"row{uuid.replace('-', '_')}"


def _is_touched(record: Record) -> bool:
    changed = record.is_deleted or record.written or record.added or record.verified
    return record.old is None or bool(changed)


def _is_new_root(record: Record) -> bool:
    return record.old is None and record.table.name == "Open_vSwitch"


def _wait(record: Record) -> Json:
    """The row must still be what the command line was made up by."""
    assert record.old is not None
    columns = sorted(record.verified)
    row = {
        column: record.table.columns[column].type.to_json(record.old.columns[column])
        for column in columns
    }
    return {
        "op": "wait",
        "table": record.table.name,
        "timeout": 0,
        "where": [["_uuid", "==", ["uuid", record.uuid]]],
        "until": "==",
        "columns": columns,
        "rows": [row],
    }


def _wait_for_none(record: Record) -> Json:
    """Nobody else may have made the one row meanwhile."""
    table = record.table.name
    return {"op": "wait", "table": table, "where": [], "timeout": 0, "until": "==", "rows": []}
