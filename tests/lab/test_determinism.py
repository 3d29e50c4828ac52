"""The same file and seed give the same bytes, whatever the process; another seed does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vnet.lab.shipped import shipped

SCRIPT = """
import sys
from vnet.lab.lab import Lab
from vnet.lab.shipped import shipped

folder, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None
for name in shipped():
    for split in (False, True) if seed is None and name == "two-hosts" else (False,):
        where = f"{folder}/{name}/{'split' if split else 'one'}"
        with Lab.load(f"@{name}", pcap_dir=where, split=split, seed=seed) as lab:
            lab.run()
"""


def run(folder: Path, hash_seed: str, *arguments: str) -> dict[str, bytes]:
    """Everything that all shipped topologies write, by path; one of them in a file a point, too."""
    subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(folder), *arguments],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[2],
        check=True,
    )
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return run(tmp_path_factory.mktemp("first"), "1")


def test_two_processes_write_the_same_bytes(first: dict[str, bytes], tmp_path: Path) -> None:
    again = run(tmp_path, "4242")
    assert list(again) == list(first)
    assert [name for name in first if first[name] != again[name]] == []
    assert {Path(name).parts[0] for name in first} == set(shipped())
    assert all(first.values())


def test_another_seed_writes_others(first: dict[str, bytes], tmp_path: Path) -> None:
    other = run(tmp_path, "1", "77")
    assert list(other) == [path for path in first if Path(path).parts[1] == "one"]
    for name in shipped():
        captures = [path for path in first if path.startswith(f"{name}/one") and "pcapng" in path]
        assert all(first[path] != other[path] for path in captures), name
