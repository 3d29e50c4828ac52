"""Schemas and transactions drawn at random, most of them valid.

Rows have explicit UUIDs, so that two servers can be asked the same. What the real server gets
wrong is left out: it keeps a weak reference whose row is deleted by a transaction that also
changes who points to it. So whoever points weakly has a table that nothing else points to, and
rows are not let go together with changes of such tables.
"""

from __future__ import annotations

from random import Random
from typing import Any

from tests.ovs.ovsdb.transactions import delete, ref, uuid

ROOTS = ("first", "second")
LEAVES = ("leaf", "twig")
WATCHERS = ("watch",)
KINDS = ("integer", "real", "boolean", "string")
STRINGS = ("", "a", "b", "ab", "c d", "true", "ü", "x" * 9)
INTEGERS = (0, 1, 2, 3, -1, 7, 100, 2**63 - 1, -(2**63))
REALS = (0, 0.5, 1, -2.25, 1e100, 1e-7)
N_ROWS = 6


class RandomDatabase:
    """A schema, and transactions on it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        tables = {name: self._table(name) for name in (*ROOTS, *LEAVES, *WATCHERS)}
        self.schema: dict[str, Any] = {"name": "any", "version": "1.0.0", "tables": tables}
        self._values = {
            name: [column for column in table["columns"] if not column.startswith("to_")]
            for name, table in tables.items()
        }

    # -- schemas

    def _table(self, name: str) -> dict[str, Any]:
        columns = {f"c{number}": self._column() for number in range(self.random.randint(2, 7))}
        table: dict[str, Any] = {"columns": columns}
        if name not in LEAVES:
            table["isRoot"] = True
            columns["to_one"] = self._pointer(name, 0, 1)
            columns["to_some"] = self._pointer(name, self.random.randint(0, 1), "unlimited")
            columns["to_named"] = self._pointer(name, 0, self.random.choice((1, 4, "unlimited")))
            key = columns["to_named"]["type"].pop("key")
            columns["to_named"]["type"] |= {"key": "string", "value": key}
        elif self.random.random() < 0.6:
            columns["to_next"] = self._pointer(name, 0, 1)
        if self.random.random() < 0.5:
            kept = [column for column, json in columns.items() if not json.get("ephemeral")]
            values = [column for column in kept if not column.startswith("to_")]
            if values:
                indexed = self.random.sample(values, min(len(values), self.random.randint(1, 2)))
                table["indexes"] = [indexed]
        if self.random.random() < 0.2:
            table["maxRows"] = self.random.randint(2, 4)
        return table

    def _pointer(self, name: str, low: int, high: Any) -> dict[str, Any]:
        strength = "weak" if name in WATCHERS else "strong"
        key = {"type": "uuid", "refTable": self.random.choice(LEAVES), "refType": strength}
        return {"type": {"key": key, "min": low, "max": high}}

    def _column(self) -> dict[str, Any]:
        column: dict[str, Any] = {"type": self._type()}
        if self.random.random() < 0.1:
            column["mutable"] = False
        if self.random.random() < 0.1:
            column["ephemeral"] = True
        return column

    def _type(self) -> Any:
        kind = self.random.random()
        key = self._base()
        if kind < 0.35:
            return key if isinstance(key, str) else {"key": key}
        json: dict[str, Any] = {"key": key, "min": self.random.randint(0, 1)}
        json["max"] = self.random.choice((1, 2, 3, "unlimited"))
        if kind > 0.7:
            json["value"] = self._base()
        return json

    def _base(self) -> Any:
        kind = self.random.choice(KINDS)
        choice = self.random.random()
        if choice < 0.6:
            return kind
        if choice < 0.75 and kind != "boolean":
            atoms = {"integer": INTEGERS, "real": REALS, "string": STRINGS}[kind]
            return {"type": kind, "enum": ["set", self.random.sample(atoms, 4)]}
        limits: dict[str, dict[str, Any]] = {
            "integer": {"minInteger": -1, "maxInteger": 7},
            "real": {"minReal": -1.5, "maxReal": 1e50},
            "string": {"minLength": 1, "maxLength": 4},
            "boolean": {},
        }
        kept = {name: limit for name, limit in limits[kind].items() if self.random.random() < 0.7}
        return {"type": kind, **kept}

    # -- values

    def _atom(self, base: Any) -> Any:
        if self.random.random() < 0.02:
            return self.random.choice((None, [], {}, True, "wrong", 1.5, ["uuid", "no"]))
        kind = base if isinstance(base, str) else base["type"]
        if kind == "uuid":
            return self._reference(base)
        if isinstance(base, dict) and "enum" in base and self.random.random() < 0.9:
            return self.random.choice(base["enum"][1])
        choices: Any = {
            "integer": INTEGERS,
            "real": REALS,
            "string": STRINGS,
            "boolean": (True, False),
        }[kind]
        return self.random.choice(choices)

    def _reference(self, base: Any) -> Any:
        names = [*ROOTS, *LEAVES, *WATCHERS]
        return ref(self._number(names.index(base["refTable"])))

    def _number(self, table: int) -> int:
        return 100 * (table + 1) + self.random.randrange(N_ROWS)

    def _datum(self, json_type: Any, *, is_part: bool = False) -> Any:
        if isinstance(json_type, str) or json_type.keys() == {"key"}:
            return self._atom(json_type if isinstance(json_type, str) else json_type["key"])
        low = 0 if is_part else json_type.get("min", 1)
        high = json_type.get("max", 1)
        high = 4 if high == "unlimited" else high + (self.random.random() < 0.05)
        n_members = self.random.randint(low, max(low, high))
        members: list[Any] = []
        for _ in range(n_members):
            atom = self._atom(json_type["key"])
            if all(atom != (one[0] if "value" in json_type else one) for one in members):
                value = self._atom(json_type["value"]) if "value" in json_type else None
                members.append([atom, value] if "value" in json_type else atom)
        return ["map" if "value" in json_type else "set", members]

    # -- operations

    def transaction(self) -> list[Any]:
        """A few operations. Those that let rows go stand alone."""
        choice = self.random.random()
        if choice < 0.3:
            return [self._letting_go()]
        if choice < 0.5:
            return self._family()
        return [self._operation() for _ in range(self.random.randint(1, 4))]

    def _family(self) -> list[Any]:
        """New rows with one that points to them, so that they stay."""
        table = self.random.choice(ROOTS)
        parent = self._insert(table)
        pointers = [name for name in self._columns(table) if name.startswith("to_")]
        operations = []
        for name in pointers:
            json_type = self._columns(table)[name]["type"]
            key = json_type["value"] if "value" in json_type else json_type["key"]
            child = self._insert(key["refTable"])
            child["row"].pop("to_next", None)
            operations.append(child)
            reference = ["uuid", child["uuid"]]
            is_map = "value" in json_type
            parent["row"][name] = ["map", [["a", reference]]] if is_map else reference
        return [*operations, parent]

    def _letting_go(self) -> Any:
        table = self.random.choice((*ROOTS, *LEAVES))
        if self.random.random() < 0.4:
            return delete(table, self._number([*ROOTS, *LEAVES].index(table)))
        pointers = [name for name in self._columns(table) if name.startswith("to_")]
        if not pointers:
            return {"op": "delete", "table": table, "where": [self._clause(table)]}
        column = self.random.choice(pointers)
        return self._update(table, [column])

    def _columns(self, table: str) -> dict[str, Any]:
        columns: dict[str, Any] = self.schema["tables"][table]["columns"]
        return columns

    def _operation(self) -> Any:
        table = self.random.choice((*ROOTS, *LEAVES, *WATCHERS))
        choices = [self._insert, self._insert, self._change, self._mutate, self._select]
        if table in WATCHERS:
            choices.append(self._delete)
        return self.random.choice(choices)(table)

    def _insert(self, table: str) -> Any:
        names = list(self._columns(table))
        chosen = [name for name in names if self.random.random() < 0.8]
        row = {name: self._datum(self._columns(table)[name]["type"]) for name in chosen}
        number = self._number([*ROOTS, *LEAVES, *WATCHERS].index(table))
        return {"op": "insert", "table": table, "uuid": uuid(number), "row": row}

    def _change(self, table: str) -> Any:
        names = list(self._columns(table)) if table in WATCHERS else self._values[table]
        return self._update(table, self.random.sample(names, self.random.randint(1, len(names))))

    def _update(self, table: str, names: list[str]) -> Any:
        row = {name: self._datum(self._columns(table)[name]["type"]) for name in names}
        return {"op": "update", "table": table, "where": [self._clause(table)], "row": row}

    def _mutate(self, table: str) -> Any:
        names = list(self._columns(table)) if table in WATCHERS else self._values[table]
        mutations = [self._mutation(table, self.random.choice(names)) for _ in range(2)]
        where = [self._clause(table)]
        return {"op": "mutate", "table": table, "where": where, "mutations": mutations}

    def _mutation(self, table: str, name: str) -> Any:
        json_type = self._columns(table)[name]["type"]
        base = json_type if isinstance(json_type, str) else json_type["key"]
        kind = base if isinstance(base, str) else base["type"]
        if kind in ("integer", "real") and self.random.random() < 0.6:
            mutator = self.random.choice(("+=", "-=", "*=", "/=", "%="))
            return [name, mutator, self.random.choice((0, 1, 2, -3, 7))]
        mutator = self.random.choice(("insert", "delete"))
        return [name, mutator, self._datum(json_type, is_part=True)]

    def _delete(self, table: str) -> Any:
        return {"op": "delete", "table": table, "where": [self._clause(table)]}

    def _select(self, table: str) -> Any:
        columns = ["_uuid", *self.random.sample(list(self._columns(table)), 2)]
        where = [self._clause(table) for _ in range(self.random.randint(0, 2))]
        sort = [*columns[1:], "_uuid"]
        return {"op": "select", "table": table, "where": where, "columns": columns, "sort": sort}

    def _clause(self, table: str) -> Any:
        if self.random.random() < 0.5:
            number = self._number([*ROOTS, *LEAVES, *WATCHERS].index(table))
            return ["_uuid", "==", ref(number)]
        name = self.random.choice(list(self._columns(table)))
        function = self.random.choice(("==", "!=", "<", ">=", "includes", "excludes"))
        return [name, function, self._datum(self._columns(table)[name]["type"], is_part=True)]

    def everything(self, *, kept: bool = False) -> list[Any]:
        """Queries of all there is, or of what is kept in files."""
        return [
            {
                "op": "select",
                "table": table,
                "where": [],
                "columns": ["_uuid", *(self._kept(table) if kept else self._columns(table))],
                "sort": ["_uuid"],
            }
            for table in self.schema["tables"]
        ]

    def _kept(self, table: str) -> list[str]:
        columns = self._columns(table)
        return [name for name, column in columns.items() if not column.get("ephemeral")]
