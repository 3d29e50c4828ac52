"""Schemas and types: what is read, what is printed, and what is refused in ovsdb's words."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.json_text import json_text
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.ovsdb.shipped import OPEN_VSWITCH_SCHEMA_FILE, open_vswitch_schema
from vnet.ovs.ovsdb.types import ColumnType


def schema_with(column: Any, **table: Any) -> Any:
    return {"name": "db", "tables": {"t": {"columns": {"c": column}, **table}}}


def test_the_shipped_schema_says_what_its_file_says() -> None:
    written = json.loads(Path(OPEN_VSWITCH_SCHEMA_FILE).read_text())
    schema = open_vswitch_schema()
    assert schema.version == written["version"]
    assert {name: set(table.columns) for name, table in schema.tables.items()} == {
        name: set(table["columns"]) for name, table in written["tables"].items()
    }


def test_a_schema_printed_and_read_again_is_the_same() -> None:
    schema = open_vswitch_schema()
    assert DatabaseSchema.from_json(schema.to_json()) == schema


def test_the_licence_of_the_shipped_schema_lies_beside_it() -> None:
    notice = (Path(OPEN_VSWITCH_SCHEMA_FILE).parent / "NOTICE").read_text()
    assert Path(OPEN_VSWITCH_SCHEMA_FILE).name in notice
    assert "Apache License, Version 2.0" in notice


def test_without_any_root_table_all_are_roots() -> None:
    schema = DatabaseSchema.from_json(schema_with({"type": "integer"}))
    assert schema.tables["t"].is_root
    assert schema.to_json()["tables"]["t"] == {"columns": {"c": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("json_schema", "refusal"),
    [
        ([], "syntax error: Parsing database schema failed: Object expected."),
        (
            schema_with({"type": "integer"}, maxRows=0),
            'syntax "{"columns":{"c":{"type":"integer"}},"maxRows":0}": syntax error: '
            "maxRows must be at least 1",
        ),
        (
            schema_with({"type": {"key": {"type": "uuid", "refTable": "u"}}}),
            "syntax error: column c key refers to undefined table u",
        ),
        (
            schema_with({"type": "integer", "ephemeral": True}, indexes=[["c"]]),
            'syntax "["c"]": syntax error: ephemeral columns (such as c) may not be indexed',
        ),
        (
            schema_with({"type": {"key": "integer", "min": 2, "max": 3}}),
            'syntax "{"key":"integer","max":3,"min":2}": syntax error: '
            "ovsdb type fails constraint checks",
        ),
        (
            schema_with({"type": "int"}),
            'syntax ""int"": syntax error: "int" is not an atomic-type',
        ),
    ],
)
def test_what_is_wrong_with_a_schema_is_said_as_ovsdb_says_it(
    json_schema: Any, refusal: str
) -> None:
    with pytest.raises(OvsdbError) as caught:
        DatabaseSchema.from_json(json_schema)
    assert str(caught.value) == refusal


def column_type(**members: Any) -> ColumnType:
    return ColumnType.from_json(members)


@pytest.mark.parametrize(
    ("column", "value", "datum"),
    [
        (column_type(key="integer"), 1.0, (1,)),
        (column_type(key="real"), 1, (1.0,)),
        (column_type(key="integer", min=0, max=9), ["set", [3, 1, 2]], (1, 2, 3)),
        (column_type(key="integer", min=0, max=9), 7, (7,)),
        (
            column_type(key="string", value="integer", min=0, max=9),
            ["map", [["b", 1], ["a", 2]]],
            (("a", 2), ("b", 1)),
        ),
        (
            column_type(key="uuid"),
            ["uuid", "ABCDEF00-0000-4000-8000-000000000001"],
            (Uuid("abcdef00-0000-4000-8000-000000000001"),),
        ),
    ],
)
def test_values_are_kept_in_one_form(column: ColumnType, value: Any, datum: Any) -> None:
    assert column.parse(value) == datum


@pytest.mark.parametrize(
    ("column", "value", "refusal"),
    [
        (column_type(key="integer"), True, 'syntax "true": syntax error: expected integer'),
        (column_type(key="integer"), 2**63, None),
        (
            column_type(key={"type": "integer", "maxInteger": 5}),
            6,
            "constraint violation: 6 is greater than maximum allowed value 5",
        ),
        (
            column_type(key={"type": "string", "enum": ["set", ["b", "true"]]}),
            "c d",
            'constraint violation: "c d" is not one of the allowed values ([b, "true"])',
        ),
        (
            column_type(key="string", min=0, max=2),
            ["set", ["a", "b", "c"]],
            'syntax "["set",["a","b","c"]]": syntax error: '
            "set must have 0 to 2 members but 3 are present",
        ),
        (
            column_type(key="string", min=0, max=3),
            ["set", ["a", "a"]],
            "ovsdb error: set contains duplicate",
        ),
        (
            column_type(key="uuid"),
            ["named-uuid", "a"],
            'syntax "["named-uuid","a"]": syntax error: expected ["uuid", <string>]',
        ),
    ],
)
def test_what_is_wrong_with_a_value_is_said_as_ovsdb_says_it(
    column: ColumnType, value: Any, refusal: str | None
) -> None:
    with pytest.raises(OvsdbError) as caught:
        column.parse(value)
    if refusal is not None:
        assert str(caught.value) == refusal


@pytest.mark.parametrize(
    ("octets", "wrong"),
    [
        (b"a\xff", "0xff"),
        (b"\xed\xa0\x80", "0xed 0xa0"),
        (b"\xc0\x80", "0xc0"),
        (b"\xf4\x90\x80\x80", "0xf4 0x90"),
        (b"\xe2\x82", "0xe2 0x82 0x00"),
        (b"\xe2\x82z", "0xe2 0x82 0x7a"),
        (b"\xf1\x80\xffz", "0xf1 0x80 0xff"),
    ],
)
def test_bytes_that_are_no_text_are_shown(octets: bytes, wrong: str) -> None:
    """The bytes are those that ovsdb-server shows."""
    with pytest.raises(OvsdbError) as caught:
        column_type(key="string").parse(octets.decode("utf-8", "surrogateescape"))
    assert caught.value.details == (f"not a valid UTF-8 string: invalid UTF-8 sequence {wrong}")


def test_the_greatest_number_is_printed_as_a_number() -> None:
    column = column_type(key="real")
    greatest = sys.float_info.max
    assert column.to_json(column.parse(greatest)) == greatest
    assert column.to_json(column.parse(0.1 + 0.2)) == 0.3


@pytest.mark.parametrize("wrap", [lambda json: [json], lambda json: {"a": json}])
def test_values_as_deep_as_messages_may_be_are_quoted(wrap: Callable[[Any], Any]) -> None:
    json = 1
    for _ in range(500):
        json = wrap(json)
    with pytest.raises(OvsdbError) as caught:
        column_type(key="integer").parse(json)
    assert caught.value.syntax == json_text(json)
    assert json_text({"b": [], "a": {}, "c": [1, None, {"x": True}]}) == (
        '{"a":{},"b":[],"c":[1,null,{"x":true}]}'
    )


def test_names_in_great_numbers_are_told_from_the_first() -> None:
    names = [f"n{number}" for number in range(200_000)]
    with pytest.raises(OvsdbError) as caught:
        ColumnType.from_json(dict.fromkeys(["key", *names], "integer"))
    assert "Member 'n0' and 199999 other members are present" in caught.value.details
