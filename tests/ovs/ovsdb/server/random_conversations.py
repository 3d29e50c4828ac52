"""Conversations by chance: rows that come, change and go, and clients that watch some of them."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

from tests.ovs.ovsdb.server.conversations import (
    ALL_COLUMNS,
    Step,
    call,
    delete,
    mutate,
    transact,
    update,
    wait,
)

NAMES = ("p", "q", "r", "s")
WATCHERS = ("b", "c")


class Talk:
    """Makes steps; ``uuid`` numbers never come twice."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._serial = itertools.count(1)
        self._monitors: dict[str, list[str]] = {name: [] for name in WATCHERS}

    def steps(self, count: int) -> list[Step]:
        return [self._step() for _ in range(count)]

    def _step(self) -> Step:
        if self._chance.random() < 0.7:
            return "a", transact(
                *(self._operation() for _ in range(self._chance.choice((1, 1, 3))))
            )
        name = self._chance.choice(WATCHERS)
        known = self._monitors[name]
        kind = self._chance.random()
        if not known or kind < 0.3:
            return name, self._begin(known)
        if kind < 0.8:
            return name, self._change(known)
        gone = known.pop(self._chance.randrange(len(known)))
        return name, call("monitor_cancel", gone)

    def _begin(self, known: list[str]) -> dict[str, Any]:
        identity = f"m{next(self._serial)}"
        method = self._chance.choice(("monitor_cond", "monitor_cond_since"))
        # Of conditions on other columns the real server reads memory that is none, now and then.
        request: dict[str, Any] = {"columns": ALL_COLUMNS, "where": self._where()}
        known.append(identity)
        if self._chance.random() < 0.3:
            kinds = ("initial", "insert", "delete", "modify")
            request["select"] = {kind: self._chance.random() < 0.6 for kind in kinds}
        since = ["00000000-0000-0000-0000-00000000000a"] if method.endswith("since") else []
        return call(method, "talk", identity, {"thing": [request]}, *since)

    def _change(self, known: list[str]) -> dict[str, Any]:
        identity = self._chance.choice(known)
        return call(
            "monitor_cond_change", identity, identity, {"thing": [{"where": self._where()}]}
        )

    def _where(self) -> list[Any]:
        clauses: list[Any] = [
            True,
            False,
            ["name", "==", self._chance.choice(NAMES)],
            ["name", "!=", self._chance.choice(NAMES)],
            ["size", self._chance.choice(("<", "<=", ">", ">=")), self._chance.randrange(4)],
            ["weight", "<", 1.5],
            ["maybe", ">", 0],
            ["maybe", "==", ["set", []]],
            ["tags", "includes", self._chance.choice("tu")],
            ["tags", "excludes", ["set", ["t", "u"]]],
            ["notes", "includes", ["map", [["k", "1"]]]],
        ]
        return self._chance.sample(clauses, self._chance.randrange(4))

    def _operation(self) -> dict[str, Any]:
        name = self._chance.choice(NAMES)
        kind = self._chance.randrange(8)
        if kind < 2:
            row = {"name": name, **self._columns()}
            return {"op": "insert", "table": "thing", "uuid": self._uuid(), "row": row}
        if kind < 5:
            return update(name, **self._columns())
        if kind == 5:
            return mutate(name, "size", "+=", 1)
        if kind == 6:
            return delete(name)
        return wait(name, self._chance.randrange(3), timeout=0)

    def _uuid(self) -> str:
        return f"{next(self._serial):08x}-0000-4000-8000-000000000000"

    def _columns(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            "size": self._chance.randrange(4),
            "weight": self._chance.choice((0, 0.5, 2)),
            "tags": ["set", self._chance.sample("tuv", self._chance.randrange(4))],
            "notes": ["map", [[key, self._chance.choice("12")] for key in self._sample("kl")]],
            "maybe": self._chance.choice((1, ["set", []])),
        }
        names = self._chance.sample(sorted(values), self._chance.randrange(1, 4))
        return {name: values[name] for name in names}

    def _sample(self, letters: str) -> list[str]:
        return self._chance.sample(letters, self._chance.randrange(len(letters) + 1))
