"""JSON values from a stream, however it is cut, and what ends it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.ovs.jsonrpc.encode import encode
from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.jsonrpc.limits import Limits
from vnet.ovs.jsonrpc.reader import MessageReader

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text('ab\\"{['), parts),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text("xyz", max_size=2), JSON, max_size=3), max_size=4)


def read_all(*pieces: bytes, limits: Limits | None = None) -> list[Any]:
    reader = MessageReader(limits or Limits())
    return [value for piece in pieces for value in reader.read(piece)]


def outcome(*pieces: bytes) -> list[Any]:
    """What was read, and "refused" where the stream ended in an error."""
    reader = MessageReader()
    values: list[Any] = []
    try:
        for piece in pieces:
            values.extend(reader.read(piece))
    except JsonRpcError:
        values.append("refused")
    return values


@pytest.mark.slow
@given(OBJECTS, st.sampled_from([b"", b" ", b"\r\n\t"]), st.integers(1, 9), st.booleans())
def test_values_are_found_however_the_stream_is_cut(
    values: list[Any], space: bytes, piece: int, is_ascii: bool
) -> None:
    written = [json.dumps(v).encode() if is_ascii else encode(v) for v in values]
    stream = space.join(written)
    assert read_all(stream) == values
    assert read_all(*(stream[i : i + piece] for i in range(0, len(stream), piece))) == values


@given(st.binary(max_size=40), st.integers(1, 7))
def test_whatever_comes_is_read_or_refused_alike_in_one_piece_and_in_many(
    data: bytes, piece: int
) -> None:
    all_closed = (b'"' + b"]" * 60) * 2
    stream = b'{"a":[' + data + b"]}" + all_closed
    in_pieces = [stream[i : i + piece] for i in range(0, len(stream), piece)]
    assert outcome(stream) == outcome(*in_pieces)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000),
        ("5.0", 5),
        ("-0.0", 0),
        ("12345678901234567890", 12345678901234567890.0),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775807.0", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9007199254740993e0", 9007199254740993),
        ("1.0000000000000000000001", 1.0),
        ("0.25", 0.25),
    ],
)
def test_numbers_are_integers_where_they_are_whole_and_fit(text: str, value: float) -> None:
    [[read]] = read_all(f"[{text}]".encode())
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("x", "5", '"text"', "]", "{]", "{'a':1}", '{"a" "b"}', "[1,]", "[01]", "[1.]", "[-]"),
        *("[NaN]", "[Infinity]", "[1e999]", "[tru]", '["\\u0000"]', '["\\ud800"]', '["\\udc00"]'),
        *('["\\ud800\\u0041"]', '["\\q"]', '["\n"]', "[" + "9" * 5000 + "]"),
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    assert outcome(text.encode(), b" " * 20) == ["refused"]


def test_what_cannot_become_json_is_refused_before_it_ends() -> None:
    assert outcome(b'{"method" "echo", "params": [') == ["refused"]


def test_good_messages_before_a_bad_one_are_read() -> None:
    assert outcome(b'{"a":1}{"b":2}xyz') == [{"a": 1}, {"b": 2}, "refused"]


def test_surrogate_pairs_and_escaped_backslashes_are_text() -> None:
    assert read_all(rb'["\ud83d\ude00", "\\u0000", "\\\\ud800"]') == [
        ["\N{GRINNING FACE}", "\\u0000", "\\\\ud800"]
    ]


def test_bytes_that_are_no_utf8_come_back_as_they_came() -> None:
    [value] = read_all(b'["\xff\xc3"]')
    assert encode(value) == b'["\xff\xc3"]'


LIMITS = Limits(message_bytes=1000, depth=5, parts=50)


@pytest.mark.parametrize(
    "stream",
    [
        b"[" * 6,
        b"[" * 6 + b"]" * 6,
        b'{"a":' * 6 + b"1" + b"}" * 6,
        b'{"a":"' + b"x" * 1000,
        b'["' + b"x" * 1000 + b'"]',
        b"[" + b"0," * 60 + b"0]",
    ],
)
def test_what_is_too_much_is_refused(stream: bytes) -> None:
    with pytest.raises(JsonRpcError):
        read_all(stream, limits=LIMITS)
    with pytest.raises(JsonRpcError):
        read_all(*(stream[i : i + 7] for i in range(0, len(stream), 7)), limits=LIMITS)


def test_brackets_and_commas_in_strings_are_no_depth_and_no_parts() -> None:
    text = '[{,\\"' * 60
    assert read_all(json.dumps([text]).encode(), limits=LIMITS) == [[text]]
    stream = json.dumps({"a": text}).encode()
    assert read_all(stream[:300], stream[300:], limits=LIMITS) == [{"a": text}]


def test_reading_takes_linear_time_in_small_pieces() -> None:
    stream = json.dumps({"a": ["}" * 50] * 20_000}).encode()
    began = time.process_time()
    [value] = read_all(*(stream[i : i + 1000] for i in range(0, len(stream), 1000)))
    assert len(value["a"]) == 20_000
    assert time.process_time() - began < 2


@pytest.mark.slow
@given(st.lists(st.integers(1, 40_000), max_size=6), st.integers(0, 70))
def test_long_messages_end_where_they_end_however_they_are_cut(
    cuts: list[int], offset: int
) -> None:
    """What looks like brackets and quotes is in strings, across every border there is."""
    first = {"a": "x" * offset, "b": ['}]"\\' * 9, {"[{": [[]]}] * 700}
    second = [first, "]" * 20_000]
    data = json.dumps(first).encode() + b"\n" + json.dumps(second).encode()
    reader, begin = MessageReader(), 0
    found: list[Any] = []
    for cut in (*sorted(cuts), len(data)):
        found += reader.read(data[begin:cut])
        begin = cut
    assert found == [first, second]
    assert reader.buffered_bytes == 0
