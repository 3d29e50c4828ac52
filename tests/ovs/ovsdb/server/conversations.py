"""Conversations of several clients with one server: who says what, one after the other."""

from __future__ import annotations

from typing import Any

SCHEMA: dict[str, Any] = {
    "name": "talk",
    "version": "1.0.0",
    "tables": {
        "thing": {
            "isRoot": True,
            "indexes": [["name"]],
            "columns": {
                "name": {"type": "string"},
                "size": {"type": "integer"},
                "weight": {"type": "real"},
                "tags": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
                "notes": {
                    "type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}
                },
                "parts": {
                    "type": {
                        "key": {"type": "uuid", "refTable": "part"},
                        "min": 0,
                        "max": "unlimited",
                    }
                },
                "maybe": {"type": {"key": "integer", "min": 0, "max": 1}},
            },
        },
        "part": {"columns": {"name": {"type": "string"}}},
    },
}


def uuid(number: int) -> str:
    return f"0000000{number}-0000-4000-8000-000000000000"


def call(method: str, *params: Any, identity: Any = 1) -> dict[str, Any]:
    return {"id": identity, "method": method, "params": list(params)}


def transact(*operations: Any, identity: Any = 1) -> dict[str, Any]:
    return call("transact", "talk", *operations, identity=identity)


def insert(number: int, /, **row: Any) -> dict[str, Any]:
    return {"op": "insert", "table": "thing", "uuid": uuid(number), "row": row}


def part(number: int, name: str) -> dict[str, Any]:
    return {"op": "insert", "table": "part", "uuid": uuid(number), "row": {"name": name}}


def update(name: str, /, **row: Any) -> dict[str, Any]:
    return {"op": "update", "table": "thing", "where": [["name", "==", name]], "row": row}


def delete(name: str) -> dict[str, Any]:
    return {"op": "delete", "table": "thing", "where": [["name", "==", name]]}


def mutate(name: str, *mutation: Any) -> dict[str, Any]:
    where = [["name", "==", name]]
    return {"op": "mutate", "table": "thing", "where": where, "mutations": [list(mutation)]}


def wait(name: str, size: int, **more: Any) -> dict[str, Any]:
    return {
        "op": "wait",
        "table": "thing",
        "where": [["name", "==", name]],
        "columns": ["size"],
        "until": "==",
        "rows": [{"size": size}],
        **more,
    }


SMALLER = {
    "thing": {"columns": {"name": {"type": "string"}, "size": {"type": "integer"}}, "isRoot": True}
}
ZEROS = "00000000-0000-0000-0000-000000000000"
ALL_COLUMNS = ["name", "size", "weight", "tags", "notes", "parts", "maybe"]

Step = tuple[str, dict[str, Any]]

CHANGES: list[Step] = [
    ("a", transact(insert(1, name="x", size=1, weight=0.5, tags=["set", ["p", "q"]]))),
    ("a", transact(insert(2, name="y", notes=["map", [["k", "v"], ["l", "w"]]], maybe=7))),
    ("a", transact(update("x", size=2, tags=["set", ["q", "r"]]))),
    ("a", transact(update("y", notes=["map", [["k", "V"], ["m", "w"]]], maybe=["set", []]))),
    ("a", transact(update("y", maybe=8, weight=1e300))),
    ("a", transact(part(5, "wheel"), update("x", parts=["uuid", uuid(5)]))),
    ("a", transact(mutate("x", "size", "+=", 40))),
    ("a", transact(update("x", size=1), update("x", size=42))),
    ("a", transact(insert(3, name="z"), delete("z"))),
    ("a", transact(delete("x"))),
    ("a", transact(delete("nobody"))),
]


def watched(method: str, requests: Any, *more: Any) -> list[Step]:
    """A monitor that is there before anything is, and one that comes later, on the same."""
    return [
        ("b", call(method, "talk", "early", requests, *more)),
        *CHANGES[:5],
        ("c", call(method, "talk", ["late", 1], requests, *more)),
        *CHANGES[5:],
        ("b", call("monitor_cancel", "early")),
        ("a", transact(insert(4, name="last"))),
    ]


WHERE = {"thing": [{"columns": ["name", "size"], "where": [["size", ">", 1], ["name", "==", "y"]]}]}

CONVERSATIONS: dict[str, list[Step]] = {
    "monitor": watched("monitor", {"thing": {"columns": ALL_COLUMNS}, "part": {}}),
    "monitor in parts": watched(
        "monitor",
        {
            "thing": [
                {"columns": ["name"], "select": {"initial": False}},
                {"columns": ["size"], "select": {"modify": False}},
                {"columns": ["tags"], "select": {"insert": False, "delete": False}},
            ]
        },
    ),
    "monitor_cond": watched("monitor_cond", {"thing": [{"columns": ALL_COLUMNS}], "part": [{}]}),
    "monitor_cond of some rows": watched("monitor_cond", WHERE),
    "monitor_cond of no rows": watched("monitor_cond", {"thing": [{"where": [False]}]}),
    "monitor_cond of all after all": watched(
        "monitor_cond", {"thing": [{"columns": ["name"], "where": [False, True]}]}
    ),
    "monitor_cond_since": watched(
        "monitor_cond_since", {"thing": [{"columns": ALL_COLUMNS}]}, uuid(9)
    ),
    "monitor_cond_since the beginning": watched("monitor_cond_since", WHERE, ZEROS),
    "monitor_cond_change": [
        ("b", call("monitor_cond", "talk", "m", WHERE)),
        *CHANGES[:4],
        ("b", call("monitor_cond_change", "m", "n", {"thing": [{"where": [True]}]})),
        ("b", call("monitor_cond_change", "m", "n", {"thing": [{"where": [True]}]})),
        ("b", call("monitor_cond_change", "n", "n", {"thing": [{"where": [["size", "<", 2]]}]})),
        *CHANGES[4:7],
        ("b", call("monitor_cond_change", "n", "n", {"thing": [{"where": [False]}]})),
        ("b", call("monitor_cond_change", "n", "n", {"thing": [{"where": []}]})),
        ("b", call("monitor_cond_change", "n", "n", {"part": [{}]})),
        ("b", call("monitor_cond_change", "n", "n", {"nothing": [{}]})),
        ("b", call("monitor_cond_change", "n", "n", {"thing": {}})),
        ("b", call("monitor_cond_change", "n", "n", {"thing": [{"columns": ["name"]}]})),
        ("b", call("monitor_cond_change", "n", "n", {"thing": [{"where": [["size", "<", "x"]]}]})),
        ("b", call("monitor_cond_change", "n", "n", {"thing": [{"odd": 1}]})),
        ("b", call("monitor_cond_change", "n", "n", [])),
        ("b", call("monitor_cond_change", "n")),
    ],
    "monitors that are refused": [
        ("a", call("monitor", "talk", "m", {"nothing": {}})),
        ("a", call("monitor", "talk", "m", {"thing": {"columns": ["nothing"]}})),
        ("a", call("monitor", "talk", "m", {"thing": {"columns": ["name", "name"]}})),
        ("a", call("monitor", "talk", "m", {"thing": {"columns": [1]}})),
        ("a", call("monitor", "talk", "m", {"thing": {"columns": "name"}})),
        ("a", call("monitor", "talk", "m", {"thing": {"where": [True]}})),
        ("a", call("monitor", "talk", "m", {"thing": {"select": {"odd": True}}})),
        ("a", call("monitor", "talk", "m", {"thing": {"select": {"insert": 1}}})),
        ("a", call("monitor", "talk", "m", {"thing": 1})),
        ("a", call("monitor", "talk", "m", [])),
        ("a", call("monitor", "nothing", "m", {})),
        ("a", call("monitor", 1, "m", {})),
        ("a", call("monitor_cond", "talk", "m")),
        ("a", call("monitor_cond", "talk", "m", {}, 1)),
        ("a", call("monitor_cond", "talk", "m", {"thing": [{"where": [["odd", "==", 1]]}]})),
        ("a", call("monitor_cond", "talk", "m", {"thing": [{"where": [["size", "~", 1]]}]})),
        ("a", call("monitor_cond_since", "talk", "m", {})),
        ("a", call("monitor_cond_since", "talk", "m", {}, 1)),
        ("a", call("monitor_cond_since", "talk", "m", {}, "odd")),
        ("a", call("monitor", "talk", None, {})),
        ("a", call("monitor", "talk", None, {})),
        ("a", call("monitor_cancel", "m")),
        ("a", call("monitor_cancel")),
        ("a", call("monitor_cancel", None)),
    ],
    "locks": [
        ("a", call("lock", "one")),
        ("a", transact({"op": "assert", "lock": "one"})),
        ("b", transact({"op": "assert", "lock": "one"})),
        ("b", call("lock", "one")),
        ("c", call("lock", "one")),
        ("a", call("lock", "one")),
        ("a", call("unlock", "one")),
        ("c", call("unlock", "one")),
        ("c", call("steal", "one")),
        ("a", call("steal", "one")),
        ("b", call("unlock", "one")),
        ("c", call("unlock", "one")),
        ("a", call("unlock", "one")),
        ("a", call("unlock", "one")),
        ("a", call("lock", "not a name")),
        ("a", call("lock")),
        ("a", call("steal", "free")),
        ("b", call("lock", "free")),
        ("a", call("unlock", "free")),
    ],
    "waits": [
        ("a", transact(insert(1, name="x", size=1))),
        ("b", transact(wait("x", 2), update("x", tags="found"), identity="w")),
        ("b", transact(wait("x", 2), identity="w")),
        ("c", transact(wait("x", 3, timeout=0))),
        ("c", transact(wait("x", 9), identity={"any": ["id"]})),
        ("c", {"id": None, "method": "cancel", "params": [{"any": ["id"]}]}),
        ("c", call("set_db_change_aware", True)),
        ("c", transact(wait("x", 9), identity={"b": 1, "a": 2})),
        ("c", {"id": None, "method": "cancel", "params": [{"a": 2, "b": 1}]}),
        ("c", {"id": None, "method": "cancel", "params": ["nobody"]}),
        ("a", transact(update("x", size=2))),
        ("a", transact({"op": "select", "table": "thing", "where": [], "columns": ["tags"]})),
    ],
    "conversion": [
        ("a", call("set_db_change_aware", True)),
        ("b", call("set_db_change_aware", True)),
        ("c", call("set_db_change_aware", True)),
        ("a", transact(insert(1, name="x", size=1))),
        ("b", call("monitor_cond", "talk", "m", {"thing": [{"columns": ["name", "size"]}]})),
        ("c", transact(wait("x", 9), identity="w")),
        ("a", call("convert", "talk")),
        ("a", call("convert", "talk", 1)),
        ("a", call("convert", "talk", SCHEMA | {"name": "other"})),
        ("a", call("convert", "talk", {"name": "talk", "version": "2.0.0", "tables": SMALLER})),
        ("a", call("get_schema", "talk")),
        ("a", transact({"op": "select", "table": "thing", "where": []})),
        ("b", call("monitor_cond", "talk", "m", {"thing": [{}]})),
        ("a", transact(update("x", size=3))),
    ],
    "what is asked at once": [
        ("a", call("get_schema", "talk")),
        ("a", call("get_schema", "_Server")),
        ("a", call("get_schema")),
        ("a", call("echo", 1, 1.5, "x", None, {"a": [True]}, identity=["any", "id"])),
        ("a", call("echo", identity="echo")),
        ("a", call("odd", 1)),
        ("a", {"id": None, "method": "odd", "params": []}),
        ("a", call("set_db_change_aware", 1)),
        ("a", call("set_db_change_aware")),
        ("a", call("transact")),
        ("a", call("transact", "odd")),
        ("a", call("transact", "talk")),
        ("a", call("transact", "talk", 1, [])),
        (
            "a",
            call(
                "transact",
                "_Server",
                {"op": "select", "table": "Database", "where": [["name", "==", "talk"]]}
                | {"columns": ["name", "model", "connected", "leader", "cid", "sid", "index"]},
            ),
        ),
        ("a", call("transact", "_Server", {"op": "delete", "table": "Database", "where": []})),
    ],
}
