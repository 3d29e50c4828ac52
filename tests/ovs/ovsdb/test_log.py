"""The file format: what is read, where it ends, and what is said of damage."""

from __future__ import annotations

import subprocess
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ovs.ovsdb.real_server import IS_INSTALLED
from vnet.ovs.ovsdb.atoms import ZERO_UUID
from vnet.ovs.ovsdb.compaction import DAY_MS, MINUTE_MS, CompactionTimer
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.log import LogReader, frame_record
from vnet.ovs.ovsdb.reading import read_database, read_schema

SCHEMA: dict[str, Any] = {
    "name": "numbers",
    "tables": {
        "t": {
            "columns": {
                "n": {"type": "integer"},
                "set": {"type": {"key": "integer", "min": 0, "max": 4}},
                "map": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
                "start": {"type": {"key": "integer", "min": 1, "max": 3}},
            }
        }
    },
}
UUID = "00000001-0000-4000-8000-000000000001"
RECORDS = [
    SCHEMA,
    {"t": {UUID: {"n": 1}}, "_date": 1700000000123, "_comment": "first"},
    {"t": {UUID: {"n": 2}}, "_date": 1700000009456, "_is_diff": True},
]
LOG = b"".join(map(frame_record, RECORDS))
NEWLINE = b"\n"
LAST = frame_record(RECORDS[2])
DAMAGED = LAST.replace(b"_diff", b"_difF")


def read_all(data: bytes) -> tuple[list[Any], LogReader]:
    reader = LogReader("conf.db", data)
    records = []
    while (record := reader.read()) is not None:
        records.append(record)
    return records, reader


def row_of(data: bytes) -> Any:
    reader = LogReader("conf.db", data)
    read = read_database(reader, lambda: ZERO_UUID)
    return read, {uuid: row.columns for uuid, row in read.database.tables["t"].rows.items()}


def test_records_are_read_as_they_were_written() -> None:
    records, reader = read_all(LOG)
    assert records == RECORDS
    assert (reader.offset, reader.fault) == (len(LOG), None)


@given(st.integers(min_value=1))
def test_whatever_is_cut_off_the_records_before_are_read(n_bytes: int) -> None:
    whole = [len(frame_record(record)) for record in RECORDS]
    cut = LOG[: whole[0] + n_bytes % sum(whole[1:])]
    records, reader = read_all(cut)
    assert records == RECORDS[: len(records)]
    assert reader.offset == sum(whole[: len(records)]) <= len(cut)
    assert (reader.fault is None) == (reader.offset == len(cut))


@pytest.mark.parametrize(
    ("tail", "fault"),
    [
        (
            LAST[:-10],
            "I/O error: conf.db: error reading 93 bytes starting at offset {begin} (End of file)",
        ),
        (
            b"OVSDB JSON",
            'syntax error: conf.db: parse error at offset {offset} in header line "OVSDB JSON"',
        ),
        (
            b"hello\nworld\n",
            'syntax error: conf.db: parse error at offset {offset} in header line "hello"',
        ),
        (
            DAMAGED,
            "syntax error: conf.db: 93 bytes starting at offset {begin} have SHA-1 hash "
            f"{sha1(DAMAGED.split(NEWLINE, 1)[1]).hexdigest()} but should have hash "
            f"{sha1(LAST.split(NEWLINE, 1)[1]).hexdigest()}",
        ),
        (
            frame_record([1]),
            "syntax error: conf.db: 4 bytes starting at offset {begin} are not a JSON object",
        ),
    ],
    ids=["cut", "cut header", "garbage", "damage", "no object"],
)
def test_damage_is_told_in_ovsdb_s_words(tail: bytes, fault: str) -> None:
    records, reader = read_all(LOG + tail)
    assert records == RECORDS
    assert reader.offset == len(LOG)
    begin = len(LOG) + tail.find(b"\n") + 1
    assert str(reader.fault) == fault.format(offset=len(LOG), begin=begin)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "conf.db: cannot identify file type"),
        (b"hello\n", "conf.db: unexpected file format"),
        (LOG.replace(b"JSON", b"OTHER"), "conf.db: cannot identify file type"),
        (
            LOG.replace(b"JSON", b"CLUSTER"),
            "conf.db: cannot apply this operation to clustered database file",
        ),
    ],
)
def test_other_files_are_refused(data: bytes, fault: str) -> None:
    with pytest.raises(OvsdbError) as caught:
        LogReader("conf.db", data)
    assert str(caught.value) == f"ovsdb error: {fault}"


def test_a_database_without_its_schema_is_refused() -> None:
    with pytest.raises(OvsdbError, match="I/O error"):
        read_schema(LogReader("conf.db", LOG[:100]))


def test_differences_are_told_from_whole_values() -> None:
    """As Open vSwitch 3.1 writes them: what a column had by default is replaced, not changed."""
    records = [
        SCHEMA,
        {"t": {UUID: {"set": ["set", [1, 2]], "map": ["map", [["a", "1"], ["b", "2"]]]}}},
        {
            "_is_diff": True,
            "t": {
                UUID: {
                    "set": ["set", [2, 3]],
                    "map": ["map", [["a", "1"], ["b", "3"], ["c", "4"]]],
                    "n": 5,
                    "start": ["set", [0, 1]],
                }
            },
        },
        {"t": {UUID: {"start": 7}}},
    ]
    read, rows = row_of(b"".join(map(frame_record, records)))
    assert read.fault is None
    assert rows == {
        UUID: {"set": (1, 3), "map": (("b", "3"), ("c", "4")), "n": (5,), "start": (7,)}
    }


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({"u": {}}, 'syntax "{"u":{}}": unknown table: No table named u.'),
        (
            {"t": {"00000002-0000-4000-8000-000000000002": None}},
            "syntax error: transaction deletes row 00000002-0000-4000-8000-000000000002 "
            "that does not exist",
        ),
        ({"t": {"x": {}}}, 'syntax "{"x":{}}": syntax error: "x" is not a valid UUID'),
        ({"t": {UUID: {"m": 1}}}, 'syntax "{"m":1}": unknown column: No column m in table t.'),
        ({"t": {UUID: 5}}, 'syntax "5": syntax error: row must be JSON object'),
    ],
)
def test_a_record_that_makes_no_sense_ends_the_log(record: Any, fault: str) -> None:
    data = LOG + frame_record(record)
    reader = LogReader("conf.db", data + frame_record(RECORDS[2]))
    read = read_database(reader, lambda: ZERO_UUID)
    assert str(read.fault) == fault
    assert (read.n_records, reader.offset) == (len(RECORDS), len(LOG))


def test_compaction_waits_until_it_is_worth_it() -> None:
    timer = CompactionTimer(0, lambda below: below // 2)
    large = {"n_records": 100, "size_bytes": 11 << 20, "base_bytes": 5 << 20}
    small = {"n_records": 5000, "size_bytes": 9 << 20, "base_bytes": 1}
    assert not timer.is_due(15 * MINUTE_MS - 1, **large)
    assert timer.is_due(15 * MINUTE_MS, **large)
    assert not timer.is_due(15 * MINUTE_MS, **small)
    assert not timer.is_due(16 * MINUTE_MS, **large), "it is looked at again a little later"
    assert timer.is_due(17 * MINUTE_MS, **large)
    timer.restart(17 * MINUTE_MS)
    assert not timer.is_due(DAY_MS, **small)
    assert timer.is_due(DAY_MS + 18 * MINUTE_MS, **small)
    assert not timer.is_due(DAY_MS + 30 * MINUTE_MS, n_records=0, size_bytes=0, base_bytes=0)


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="needs ovsdb-tool")
def test_ovsdb_tool_shows_a_log_written_here(tmp_path: Path) -> None:
    (tmp_path / "conf.db").write_bytes(LOG)
    command = ["ovsdb-tool", "-m", "show-log", "conf.db"]
    shown = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert shown.splitlines() == [
        'record 0: "numbers" schema, version="", cksum=""',
        "",
        'record 1: 2023-11-14 22:13:20.123 "first"',
        "  table t insert row 00000001:",
        "",
        "record 2: 2023-11-14 22:13:29.456",
        "  table t row 00000001 (00000001) diff:",
        "",
    ]
