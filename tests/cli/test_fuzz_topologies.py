"""Whatever the bytes of a file: a run, or a message; never a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.fuzz_topologies import Mutator, main, outcomes

FILES = 60
PLACED = re.compile(r".*mutated\.yaml:[1-9][0-9]*:[1-9][0-9]*: .+")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_mutated_files_are_run_or_refused(part: int, tmp_path: Path) -> None:
    codes = set()
    for outcome in outcomes(range(part * FILES, (part + 1) * FILES), tmp_path):
        assert not outcome.complaint(), f"file {outcome.number}: {outcome.complaint()}"
        codes.add(outcome.code)
        if outcome.code == 2:
            assert all(PLACED.fullmatch(line) for line in outcome.err.splitlines())
    assert codes >= {1, 2}  # some are sound enough to be run


@pytest.mark.slow
def test_a_file_is_the_same_every_time() -> None:
    files = [Mutator().file(number) for number in range(4)]
    assert files == [Mutator().file(number) for number in range(4)]
    assert len(set(files)) == 4


@pytest.mark.slow
def test_the_driver_counts_and_says_what_went_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["4", "--processes", "1"]) == 0
    assert re.match(r"4 files in \d+ s; exit code .*; 0 wrong\n", capsys.readouterr().out)
    monkeypatch.setattr("vnet.topology.load.MAX_FILE_BYTES", "not a number")
    assert main(["2", "--processes", "1", "--keep", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert re.search(r"file 0: [0-9.]+ s: exit code 3: internal failure: TypeError", out)
    assert "exit code 3: 2; 2 wrong" in out
    assert (tmp_path / "0.yaml").read_bytes() == Mutator().file(0)
