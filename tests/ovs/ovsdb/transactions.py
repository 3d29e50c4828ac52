"""A schema with some of everything, and transactions on it that go well or go wrong."""

from __future__ import annotations

from typing import Any


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def ref(number: int) -> list[str]:
    return ["uuid", uuid(number)]


def insert(table: str, number: int, /, **row: Any) -> dict[str, Any]:
    return {"op": "insert", "table": table, "uuid": uuid(number), "row": row}


def where(table: str, op: str, *clauses: Any, **members: Any) -> dict[str, Any]:
    return {"op": op, "table": table, "where": list(clauses), **members}


def update(table: str, number: int, /, **row: Any) -> dict[str, Any]:
    return where(table, "update", ["_uuid", "==", ref(number)], row=row)


def mutate(table: str, number: int, *mutations: Any) -> dict[str, Any]:
    return where(table, "mutate", ["_uuid", "==", ref(number)], mutations=list(mutations))


def delete(table: str, number: int) -> dict[str, Any]:
    return where(table, "delete", ["_uuid", "==", ref(number)])


def members_of(key: Any, low: int = 0, high: Any = "unlimited", **more: Any) -> dict[str, Any]:
    return {"type": {"key": key, "min": low, "max": high, **more}}


def points_to(table: str, strength: str = "strong") -> dict[str, str]:
    return {"type": "uuid", "refTable": table, "refType": strength}


SCHEMA: dict[str, Any] = {
    "name": "sample",
    "version": "1.2.3",
    "cksum": "1 2",
    "tables": {
        "root": {
            "isRoot": True,
            "maxRows": 6,
            "indexes": [["name"], ["number", "real"]],
            "columns": {
                "name": {"type": "string"},
                "number": {"type": "integer"},
                "real": {"type": "real"},
                "truth": {"type": "boolean"},
                "id": {"type": "uuid"},
                "fixed": {"type": "integer", "mutable": False},
                "fleeting": {"type": "integer", "ephemeral": True},
                "range": {"type": {"key": {"type": "integer", "minInteger": 0, "maxInteger": 9}}},
                "ratio": {"type": {"key": {"type": "real", "minReal": -1.5, "maxReal": 1e20}}},
                "word": members_of({"type": "string", "enum": ["set", ["a", "b c"]]}, 0, 1),
                "short": members_of({"type": "string", "minLength": 2, "maxLength": 4}, 0, 3),
                "optional": members_of("integer", 0, 1),
                "numbers": members_of("integer"),
                "few": members_of("integer", 1, 3),
                "reals": members_of("real", 0, 5),
                "words": members_of("string", value="string"),
                "counts": members_of("string", 0, 3, value="integer"),
                "leaves": members_of(points_to("leaf")),
                "leaf": members_of(points_to("leaf"), 0, 1),
                "weak": members_of(points_to("leaf", "weak")),
                "named": members_of("string", value=points_to("leaf")),
                "named_weakly": members_of("string", value=points_to("leaf", "weak")),
            },
        },
        "leaf": {
            "indexes": [["name"]],
            "columns": {
                "name": {"type": "string"},
                "next": members_of(points_to("leaf"), 0, 1),
                "peer": members_of(points_to("leaf", "weak"), 0, 1),
            },
        },
        "clinging": {
            "isRoot": True,
            "columns": {"to": {"type": {"key": points_to("leaf", "weak")}}},
        },
        "strict": {
            "isRoot": True,
            "columns": {"word": {"type": {"key": {"type": "string", "minLength": 1}}}},
        },
    },
}

FILLED = [
    insert("leaf", 11, name="l1"),
    insert("leaf", 12, name="l2", next=ref(11)),
    insert("leaf", 13, name="l3", peer=ref(12)),
    insert(
        "root",
        1,
        name="one",
        number=1,
        optional=5,
        numbers=["set", [3, 1, 2]],
        few=["set", [1, 2]],
        words=["map", [["k", "v"], ["a", "b"]]],
        leaves=["set", [ref(13), ref(12)]],
        weak=["set", [ref(11), ref(12)]],
        named=["map", [["x", ref(12)]]],
        named_weakly=["map", [["x", ref(12)], ["y", ref(12)]]],
    ),
    insert("root", 2, name="two", number=2, real=0.5, counts=["map", [["a", 1]]]),
    insert("root", 3, name="three", number=3, truth=True, reals=["set", [0.1, 1e300, -2]]),
]
"""What every sequence below begins with, in a database of its own."""


def select_all(table: str) -> dict[str, Any]:
    columns = sorted(SCHEMA["tables"][table]["columns"])
    return where(table, "select", columns=["_uuid", *columns], sort=["_uuid"])


EVERYTHING = [select_all(table) for table in SCHEMA["tables"]]
"""What is looked at after each transaction."""


def wait(until: str, rows: list[Any], *clauses: Any, **members: Any) -> dict[str, Any]:
    members = {"columns": ["name"], "timeout": 0, **members}
    return where("root", "wait", *clauses, until=until, rows=rows, **members)


INSERTS: list[list[Any]] = [
    [insert("root", 4)],
    [insert("root", 4, name="four", number=4), insert("root", 4, name="five", number=5)],
    [insert("root", 1, name="again", number=9)],
    [delete("root", 1), insert("root", 1, name="again", number=9)],
    [insert("root", 4, name="four", number=4), delete("root", 4), insert("root", 4, number=44)],
    [{"op": "insert", "table": "root", "uuid": "no uuid", "row": {}}],
    [{"op": "insert", "table": "root", "uuid": uuid(4).upper(), "row": {"number": 4}}],
    [{"op": "insert", "table": "root", "row": {}, "uuid-name": "not-an-id"}],
    [
        {**insert("root", 4, number=4), "uuid-name": "a"},
        {**insert("root", 5, number=5, name="5"), "uuid-name": "a"},
    ],
    [
        {**insert("leaf", 14, name="l4"), "uuid-name": "late"},
        insert("root", 4, number=4, leaves=["named-uuid", "late"]),
    ],
    [
        {**insert("leaf", 14, name="l4"), "uuid-name": "a"},
        insert("root", 4, number=4, leaves=["named-uuid", "not-an-id"]),
    ],
    [insert("root", 4, number=4, nothing=1)],
    [insert("root", 4, number="4")],
    [insert("root", 4, _uuid=ref(9), _version=ref(9), number=4)],
    [insert("root", 4, number=4, range=-1)],
    [insert("root", 4, number=4, range=10)],
    [insert("root", 4, number=4, ratio=-1.75)],
    [insert("root", 4, number=4, ratio=1.25e25)],
    [insert("root", 4, number=4, word="b c")],
    [insert("root", 4, number=4, word="c")],
    [insert("root", 4, number=4, word="")],
    [insert("root", 4, number=4, short=["set", ["ab", "abcd"]])],
    [insert("root", 4, number=4, short="a")],
    [insert("root", 4, number=4, short="äöüßé")],
    [insert("root", 4, number=4, few=["set", []])],
    [insert("root", 4, number=4, few=["set", [1, 2, 3, 4]])],
    [insert("root", 4, number=4, numbers=["set", [1, 1]])],
    [insert("root", 4, number=["set", [4]])],
    [insert("root", 4, number=["set", [4, 5]])],
    [insert("root", 4, number=4, words=["map", [["k", "v"], ["k", "w"]]])],
    [insert("root", 4, number=4, words=["map", [["k"]]])],
    [insert("root", 4, number=4, words=["set", []])],
    [insert("root", 4, number=4, words={"k": "v"})],
    [insert("root", 4, number=4, id="text")],
    [insert("root", 4, number=4, id=["uuid", "text"])],
    [insert("root", 4, number=4, id=["uuid", 5])],
    [insert("root", 4, number=4.0, real=7)],
    [insert("root", 4, number=4.5)],
    [insert("root", 4, number=1e300)],
    [insert("root", 4, number=4, truth=1)],
    [insert("root", 4, number=4, name=None)],
    [insert("root", 4, number=4, numbers=["set", 5])],
    [insert("strict", 4)],
    [insert("strict", 4, word="w")],
    [insert("leaf", 14, name="nobody points here")],
    [insert("root", 4, number=4, leaves=ref(99))],
    [insert("root", 4, number=4, weak=["set", [ref(99), ref(11)]])],
    [insert("root", 4, number=4, named_weakly=["map", [["x", ref(99)], ["y", ref(11)]]])],
    [insert("clinging", 4)],
    [insert("clinging", 4, to=ref(99))],
    [insert("clinging", 4, to=ref(11))],
    [insert("root", 4, name="one", number=4)],
    [insert("root", 4, name="four", number=2, real=0.5)],
    [insert("root", number, number=number, name=str(number)) for number in (4, 5, 6)],
    [insert("root", number, number=number, name=str(number)) for number in (4, 5, 6, 7)],
    [insert("root", 4, number=4, leaves=ref(14)), insert("leaf", 14, name="l4", next=ref(14))],
    [insert("leaf", 14, name="l4", next=ref(15)), insert("leaf", 15, name="l5", next=ref(14))],
]

UPDATES: list[list[Any]] = [
    [update("root", 1, number=9)],
    [update("root", 1, number=1)],
    [update("root", 9, number=1)],
    [update("root", 1, fixed=2)],
    [update("root", 1, _uuid=ref(9))],
    [update("root", 1, nothing=2)],
    [update("root", 1, fleeting=7)],
    [update("root", 1, name="two")],
    [update("root", 1, name="two"), update("root", 2, name="one")],
    [update("root", 1, name="two"), update("root", 2, number=7)],
    [update("root", 1, name="x"), insert("root", 4, name="one", number=4)],
    [update("root", 1, name="x"), insert("root", 4, name="x", number=4)],
    [where("root", "update", row={"number": 5})],
    [where("root", "update", ["number", ">=", 2], row={"number": 5})],
    [where("root", "update", row={"range": 3})],
    [update("root", 1, leaves=["set", []])],
    [update("root", 1, leaves=["named-uuid", "unknown"])],
    [update("root", 1, weak=["set", []])],
    [update("leaf", 12, next=["set", []])],
    [update("leaf", 12, next=ref(13)), update("root", 1, leaves=ref(12))],
    [delete("root", 1)],
    [delete("leaf", 12)],
    [delete("leaf", 12), update("root", 1, leaves=["set", []])],
    [insert("clinging", 4, to=ref(11)), delete("root", 1)],
    [insert("clinging", 4, to=ref(11)), insert("clinging", 5, to=ref(13))],
    [where("root", "delete")],
    [where("root", "delete", ["number", "<", 3], ["truth", "==", False])],
]

MUTATIONS: list[list[Any]] = [
    [mutate("root", 1, ["number", operator, number])]
    for operator in ("+=", "-=", "*=", "/=", "%=")
    for number in (0, 1, -1, 3, 2**63 - 1, -(2**63))
]
MUTATIONS += [
    [update("root", 1, number=-7), mutate("root", 1, ["number", operator, number])]
    for operator in ("/=", "%=", "*=")
    for number in (2, -2, -1)
]
MUTATIONS += [
    [mutate("root", 2, ["real", "+=", 1.5])],
    [mutate("root", 2, ["real", "/=", 0])],
    [mutate("root", 2, ["real", "*=", 1e308], ["real", "*=", 1e308])],
    [mutate("root", 2, ["real", "%=", 1])],
    [mutate("root", 1, ["numbers", "*=", 2])],
    [mutate("root", 1, ["numbers", "*=", 0])],
    [mutate("root", 1, ["numbers", "+=", ["set", [1, 2]]])],
    [mutate("root", 1, ["numbers", "insert", ["set", [3, 9]]])],
    [mutate("root", 1, ["numbers", "insert", 9], ["numbers", "delete", ["set", [1, 5]]])],
    [mutate("root", 1, ["few", "insert", 3])],
    [mutate("root", 1, ["few", "insert", ["set", [3, 4]]])],
    [mutate("root", 1, ["few", "insert", ["set", [3, 4, 5, 6]]])],
    [mutate("root", 1, ["few", "delete", ["set", [1, 2, 3, 4, 5]]])],
    [mutate("root", 1, ["optional", "insert", 6])],
    [mutate("root", 1, ["optional", "delete", 5], ["optional", "insert", 6])],
    [mutate("root", 1, ["optional", "+=", 6])],
    [mutate("root", 2, ["optional", "+=", 6])],
    [mutate("root", 1, ["words", "insert", ["map", [["k", "other"], ["new", "n"]]]])],
    [mutate("root", 1, ["words", "delete", ["map", [["k", "other"], ["a", "b"]]]])],
    [mutate("root", 1, ["words", "delete", ["set", ["k", "none"]]])],
    [mutate("root", 1, ["words", "delete", "k"])],
    [mutate("root", 1, ["words", "delete", 5])],
    [mutate("root", 1, ["words", "insert", "k"])],
    [mutate("root", 1, ["words", "+=", 1])],
    [mutate("root", 2, ["counts", "insert", ["map", [["b", 1], ["c", 1], ["d", 1]]]])],
    [mutate("root", 1, ["name", "+=", 1])],
    [mutate("root", 1, ["name", "insert", "x"])],
    [mutate("root", 1, ["fixed", "+=", 1])],
    [mutate("root", 1, ["_uuid", "insert", ref(9)])],
    [mutate("root", 1, ["range", "+=", 10])],
    [mutate("root", 1, ["short", "insert", "abcde"])],
    [mutate("root", 1, ["nothing", "+=", 1])],
    [mutate("root", 1, ["number", "^=", 1])],
    [mutate("root", 1, ["number", "+="])],
    [mutate("root", 1, "number")],
    [mutate("root", 1, [1, "+=", 1])],
    [mutate("root", 1, ["leaves", "insert", ref(11)], ["weak", "insert", ref(98)])],
    [mutate("root", 1, ["weak", "delete", ref(11)], ["named_weakly", "delete", "x"])],
    [
        mutate("root", 1, ["leaves", "insert", ["named-uuid", "n"]]),
        {"op": "insert", "table": "leaf", "uuid-name": "n", "uuid": uuid(14), "row": {}},
    ],
]

CONDITIONS: list[Any] = [
    *(["number", function, 2] for function in ("==", "!=", "<", "<=", ">", ">=", "includes")),
    *(["optional", function, 5] for function in ("==", "!=", "<", "<=", ">", ">=", "excludes")),
    ["optional", "==", ["set", []]],
    ["optional", "<", ["set", []]],
    ["optional", "includes", ["set", []]],
    ["real", "<", 1],
    ["numbers", "includes", ["set", [1, 3]]],
    ["numbers", "includes", ["set", []]],
    ["numbers", "includes", ["set", [1, 7]]],
    ["numbers", "excludes", ["set", [7, 8]]],
    ["numbers", "excludes", ["set", [7, 1]]],
    ["numbers", "==", ["set", [3, 2, 1]]],
    ["numbers", "!=", ["set", [3, 2, 1]]],
    ["numbers", "<", 3],
    ["few", "excludes", ["set", [1, 2, 3, 4, 5]]],
    ["few", "includes", ["set", [1, 2, 3, 4, 5]]],
    ["few", "==", ["set", []]],
    ["words", "includes", ["map", [["k", "v"]]]],
    ["words", "includes", ["map", [["k", "w"]]]],
    ["words", "excludes", ["map", [["k", "w"]]]],
    ["words", "==", ["map", []]],
    ["words", "includes", "k"],
    ["name", "<", "x"],
    ["name", "==", "one"],
    ["name", "excludes", "one"],
    ["truth", ">", False],
    ["id", "==", ["named-uuid", "n"]],
    ["_uuid", "==", ref(1)],
    ["_uuid", "!=", ref(1)],
    ["_uuid", "includes", ref(1)],
    ["_version", "==", ref(1)],
    ["leaves", "includes", ref(12)],
    ["nothing", "==", 1],
    ["number", "~", 1],
    ["number", "=="],
    ["range", "==", 99],
    [1, "==", 1],
    "number",
    True,
    False,
]

QUERIES: list[list[Any]] = [
    [where("root", "select", clause, columns=["number"], sort=["number"])] for clause in CONDITIONS
]
QUERIES += [
    [where("root", "select", ["number", ">", 1], ["real", ">", 0], columns=["name"])],
    [where("root", "select", columns=["truth"])],
    [where("root", "select", columns=["range", "truth"], sort=["truth"])],
    [where("root", "select", columns=["name"], sort=["numbers", "name"])],
    [where("root", "select", columns=["name"], sort=["words", "name"])],
    [where("root", "select", columns=["name"])],
    [where("leaf", "select", columns=["_uuid", "name", "next"])],
    [where("root", "select", columns=[])],
    [where("root", "select", columns=["name", "name"])],
    [where("root", "select", columns=["none"])],
    [where("root", "select", columns=[1])],
    [where("root", "select", columns=["name"], sort=["none"])],
    [where("root", "select", columns=["name"], sort=1)],
    [where("nowhere", "select")],
    [{"op": "select", "table": "root"}],
    [{"op": "select", "where": [], "table": "not an id"}],
    [{"op": "select", "where": {}, "table": "root", "more": 1}],
    [{"op": "select", "where": [], "table": "root", "more": 1, "much": 2, "zz": 3}],
    [{"op": "select", "where": [], "table": "root", "more": 1, "much": 2}],
]

OTHERS: list[list[Any]] = [
    [],
    [1],
    [{}],
    [{"op": "nothing"}],
    [{"op": 1}],
    [{"op": "abort"}],
    [insert("root", 4, number=4), {"op": "abort"}, insert("root", 5, number=5)],
    [{"op": "abort", "why": 1}],
    [{"op": "commit"}],
    [{"op": "commit", "durable": 1}],
    [insert("root", 4, number=4), {"op": "commit", "durable": True}],
    [insert("root", 4, number=4), {"op": "comment", "comment": "a comment"}],
    [{"op": "comment"}],
    [{"op": "comment", "comment": 5}],
    [{"op": "assert", "lock": "l"}],
    [{"op": "assert"}],
    [wait("==", [{"name": "one"}], ["number", "==", 1]), update("root", 1, number=8)],
    [wait("!=", [{"name": "one"}], ["number", "==", 1]), update("root", 1, number=8)],
    [wait("==", [{"name": "two"}], ["number", "==", 1])],
    [wait("==", [{"name": "one"}, {"name": "one"}], ["number", "==", 1])],
    [wait("!=", [])],
    [wait("==", [], ["number", "==", 77])],
    [wait("==", [], timeout=-1)],
    [wait("==", [], timeout=1.5)],
    [wait("=", [])],
    [wait("==", [1])],
    [wait("==", [{"none": 1}])],
    [wait("==", [{"name": 1}])],
    [wait("==", [{}], ["number", "==", 1], columns=["optional"])],
    [wait("==", [{}], ["number", "==", 2], columns=["optional"])],
    [wait("==", [], timeout=0, columns=["none"])],
    [update("root", 1, name="w"), wait("==", [{"name": "w"}], ["number", "==", 1])],
    [update("root", 1, name="w"), delete("root", 2), insert("root", 4, number=4), *EVERYTHING],
    [insert("root", 4, number=4, nothing=1), insert("root", 5, number=5)],
]

SEQUENCES = INSERTS + UPDATES + MUTATIONS + QUERIES + OTHERS
