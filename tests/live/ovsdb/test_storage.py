"""Databases' files: what is acknowledged is there, whatever happens to the disk or the file."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ovs.ovsdb.kit import transact
from tests.ovs.ovsdb.real_server import IS_INSTALLED, create, serving
from tests.ovs.ovsdb.transactions import EVERYTHING, FILLED, SCHEMA, insert, update
from vnet.live.ovsdb.files import OpenDatabase, create_database, open_database
from vnet.live.ovsdb.lockfile import LockedError, lock
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.schema import DatabaseSchema

needs_ovs = pytest.mark.skipif(not IS_INSTALLED, reason="needs ovsdb-server and ovsdb-tool")
TIMEOUT_S = 30


def number(value: int) -> list[Any]:
    return [update("root", 1, number=value)]


@contextmanager
def opened(path: Path) -> Iterator[OpenDatabase]:
    found = open_database(str(path))
    try:
        yield found
    finally:
        found.close()


def contents(path: Path) -> list[Any]:
    with opened(path) as found:
        assert found.fault is None
        return transact(found.database, EVERYTHING)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "conf.db"
    create_database(str(path), DatabaseSchema.from_json(SCHEMA))
    with opened(path) as found:
        transact(found.database, FILLED)
        transact(found.database, [{"op": "comment", "comment": "c"}, update("root", 2, number=20)])
    return path


def test_what_was_committed_is_there_when_the_file_is_opened_again(file: Path) -> None:
    root, *_others = contents(file)
    numbers = [row["number"] for row in root["rows"]]
    assert numbers == [1, 20, 3]


def test_only_who_owns_it_may_read_it(file: Path) -> None:
    assert file.stat().st_mode & 0o007 == 0


def test_a_new_database_takes_nobody_s_place(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(OvsdbError) as caught:
        create_database(str(file), DatabaseSchema.from_json(SCHEMA))
    assert str(caught.value) == f"I/O error: {file}: create failed (File exists)"
    assert file.read_bytes() == before


def test_a_database_that_cannot_be_written_is_not_left_there_half(tmp_path: Path) -> None:
    path = tmp_path / "conf.db"
    with no_file_above(100), pytest.raises(OvsdbError, match="I/O error"):
        create_database(str(path), DatabaseSchema.from_json(SCHEMA))
    assert not path.exists()
    create_database(str(path), DatabaseSchema.from_json(SCHEMA))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(OvsdbError) as caught:
        open_database(str(path))
    assert str(caught.value) == f"I/O error: {path}: open failed (No such file or directory)"
    lock(str(path)).release()


def test_a_torn_tail_is_told_and_cut_off_by_the_next_commit(file: Path) -> None:
    whole = file.stat().st_size
    with opened(file) as found:
        transact(found.database, number(5))
    os.truncate(file, file.stat().st_size - 3)
    with opened(file) as found:
        assert str(found.fault).endswith("(End of file)")
        transact(found.database, number(6))
    assert contents(file)[0]["rows"][0]["number"] == 6
    assert file.read_bytes()[whole:].count(b"OVSDB JSON") == 1


@contextmanager
def no_file_above(limit_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_the_transaction_and_nothing_else(file: Path) -> None:
    with opened(file) as found:
        good = file.read_bytes()
        with no_file_above(len(good) + 40):
            refused = transact(found.database, number(5))
        assert refused == [
            {"count": 1},
            {
                "error": "I/O error",
                "details": f"{file}: write failed",
                "io-error": "File too large",
            },
        ]
        assert file.read_bytes() == good, "what was half written is gone"
        assert transact(found.database, EVERYTHING)[0]["rows"][0]["number"] == 1
        assert transact(found.database, number(6)) == [{"count": 1}]
    assert contents(file)[0]["rows"][0]["number"] == 6


def test_a_record_that_cannot_be_made_safe_is_taken_back(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, "x")

    with opened(file) as found:
        good = file.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", broken)
            refused = transact(found.database, number(5))
        assert refused[1]["details"] == f"{file}: fsync failed"
        assert refused[1]["io-error"] == "Input/output error"
        assert file.read_bytes() == good
        assert transact(found.database, number(6)) == [{"count": 1}]
    assert contents(file)[0]["rows"][0]["number"] == 6


def test_what_could_not_be_cut_off_is_cut_off_later(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_descriptor: int, _length: int = 0) -> None:
        raise OSError(errno.EIO, "x")

    with opened(file) as found:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", broken)
            patch.setattr(os, "ftruncate", broken)
            transact(found.database, number(5))
            refused = transact(found.database, number(5))
        assert "cannot truncate to length" in refused[1]["details"]
        assert transact(found.database, number(6)) == [{"count": 1}]
    assert contents(file)[0]["rows"][0]["number"] == 6


def test_compaction_keeps_everything_in_two_records(file: Path) -> None:
    before = contents(file)
    with opened(file) as found:
        found.database.compact()
        assert file.read_bytes().count(b"OVSDB JSON") == 2
        assert found.storage.base_bytes == found.storage.size_bytes == file.stat().st_size
        assert transact(found.database, [insert("root", 9, number=9)])
    after = contents(file)
    assert after[0]["rows"][:-1] == before[0]["rows"]
    assert after[1:] == before[1:]


def test_where_there_is_no_room_to_compact_the_file_stays_and_is_used(file: Path) -> None:
    with opened(file) as found:
        good = file.read_bytes()
        with no_file_above(1000), pytest.raises(OvsdbError) as caught:
            found.database.compact()
        assert str(caught.value) == f"I/O error: {file}.tmp: write failed (File too large)"
        assert file.read_bytes() == good
        assert not (file.parent / "conf.db.tmp").exists()
        assert transact(found.database, number(6)) == [{"count": 1}]
    assert contents(file)[0]["rows"][0]["number"] == 6


def test_after_a_compaction_that_the_folder_does_not_confirm_nothing_more_is_lost(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, "x")

    with opened(file) as found:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", broken)
            with pytest.raises(OvsdbError, match="fsync failed"):
                found.database.compact()
        assert transact(found.database, number(6)) == [{"count": 1}]
    assert contents(file)[0]["rows"][0]["number"] == 6


def test_a_database_whose_folder_has_gone_refuses_to_be_compacted(file: Path) -> None:
    with opened(file) as found:
        file.parent.rename(file.parent.parent / "elsewhere")
        with pytest.raises(OvsdbError):
            found.database.compact()


def test_links_that_lead_in_a_circle_are_no_database(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OvsdbError, match="Too many levels of symbolic links"):
        open_database(str(tmp_path / "a"))


def test_a_link_to_a_database_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to("../conf.db")
    with opened(link) as found:
        assert (tmp_path / ".conf.db.~lock~").exists()
        transact(found.database, number(6))
        found.database.compact()
        transact(found.database, number(7))
    assert link.is_symlink()
    assert contents(file)[0]["rows"][0]["number"] == 7


def test_two_processes_do_not_share_a_file(file: Path) -> None:
    script = (
        "import sys; from vnet.live.ovsdb.lockfile import lock; held = lock(sys.argv[1]);"
        "print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(OvsdbError) as caught:
            open_database(str(file))
        other.communicate(b"", timeout=TIMEOUT_S)
    assert str(caught.value) == (
        f"I/O error: {file}: failed to lock lockfile (Resource temporarily unavailable)"
    )
    fault = caught.value.__cause__
    assert isinstance(fault, LockedError)
    assert str(fault) == (
        f"{file.parent}/.conf.db.~lock~: cannot lock file because it is already locked by "
        f"pid {other.pid}"
    )
    assert contents(file)


def test_one_process_opens_a_file_once(file: Path) -> None:
    with opened(file), pytest.raises(OvsdbError) as caught:
        open_database(str(file))
    assert str(caught.value).endswith("failed to lock lockfile (Resource deadlock avoided)")
    assert "this process has already locked it" in str(caught.value.__cause__)


NARROWER: Any = json.loads(json.dumps(SCHEMA))
del NARROWER["tables"]["root"]["columns"]["words"], NARROWER["tables"]["strict"]
NARROWER["tables"]["root"]["columns"]["number"] = {"type": {"key": "integer", "min": 0, "max": 5}}
NARROWER["tables"]["more"] = {"columns": {"x": {"type": "integer"}}}


def test_a_database_is_converted_to_another_schema(file: Path) -> None:
    with opened(file) as found:
        before = transact(found.database, EVERYTHING)
        found.database.convert(DatabaseSchema.from_json(NARROWER))
        assert transact(found.database, [{"op": "insert", "table": "more", "row": {}}])
    with opened(file) as found:
        assert found.database.schema == DatabaseSchema.from_json(NARROWER)
        select = {"op": "select", "table": "root", "where": [], "sort": ["_uuid"]}
        ((after),) = transact(found.database, [select])
    for old, new in zip(before[0]["rows"], after["rows"], strict=True):
        assert "words" not in new
        assert {name: value for name, value in new.items() if name in old} == {
            name: value for name, value in old.items() if name in new
        }
        assert set(old) - set(new) == {"words"}


def test_what_does_not_fit_the_new_schema_leaves_everything_as_it_is(file: Path) -> None:
    schema = json.loads(json.dumps(SCHEMA))
    schema["tables"]["root"]["columns"]["number"] = {
        "type": {"key": {"type": "integer", "maxInteger": 10}}
    }
    before, good = contents(file), file.read_bytes()
    with opened(file) as found:
        with pytest.raises(OvsdbError) as caught:
            found.database.convert(DatabaseSchema.from_json(schema))
        assert str(caught.value) == (
            "constraint violation: 20 is greater than maximum allowed value 10"
        )
        assert transact(found.database, EVERYTHING) == before
    assert file.read_bytes() == good


@needs_ovs
@pytest.mark.ovs
@pytest.mark.parametrize("is_compacted", [False, True])
def test_the_real_server_opens_a_database_written_here(file: Path, is_compacted: bool) -> None:
    with opened(file) as found:
        transact(found.database, [update("root", 1, numbers=["set", [9, 1]], few=5)])
        transact(found.database, [update("root", 1, few=["set", [0, 5]], counts=["map", []])])
        expected = transact(found.database, EVERYTHING)
        if is_compacted:
            found.database.compact()
    with serving(file.parent, file, "sample") as server:
        assert server.transact(EVERYTHING) == expected
        assert server.transact([insert("root", 9, number=9)])
        grown = server.transact(EVERYTHING)
    assert contents(file) == grown


@needs_ovs
@pytest.mark.ovs
@pytest.mark.parametrize("is_compacted", [False, True])
def test_a_database_of_the_real_server_is_opened_here(tmp_path: Path, is_compacted: bool) -> None:
    path = create(tmp_path, SCHEMA)
    with serving(tmp_path, path, "sample") as server:
        server.transact([*FILLED, {"op": "comment", "comment": "a\nb"}])
        server.transact([update("root", 1, numbers=["set", [1, 9]], words=["map", [["k", "w"]]])])
        server.transact([update("root", 1, few=["set", [2, 3, 4]]), update("root", 2, leaf=[])])
        expected = server.transact(EVERYTHING)
    if is_compacted:
        subprocess.run(["ovsdb-tool", "compact", str(path)], check=True, timeout=TIMEOUT_S)
    assert contents(path) == expected


@needs_ovs
@pytest.mark.ovs
def test_a_new_database_says_what_that_of_ovsdb_tool_says(tmp_path: Path) -> None:
    theirs = create(tmp_path, SCHEMA)
    ours = tmp_path / "ours.db"
    create_database(str(ours), DatabaseSchema.from_json(SCHEMA))
    header, body = theirs.read_bytes().split(b"\n", 1)
    own_header, own_body = ours.read_bytes().split(b"\n", 1)
    assert json.loads(own_body) == json.loads(body)
    assert own_header.split()[:3] == header.split()[:3]


def test_differences_are_left_out_of_the_file_where_they_are_not_wanted(file: Path) -> None:
    with opened(file) as found:
        before = file.stat().st_size
        found.database.writes_differences = False
        transact(found.database, [update("root", 1, numbers=["set", [1, 2, 3, 4]])])
    added = file.read_bytes()[before:]
    assert b'"numbers":["set",[1,2,3,4]]' in added
    assert b"_is_diff" not in added
    assert contents(file)[0]["rows"][0]["numbers"] == ["set", [1, 2, 3, 4]]
