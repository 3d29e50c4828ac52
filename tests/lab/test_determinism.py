"""The same file and seed give the same bytes, whatever the process; another seed does not.

What small topologies write is kept (``tests/test_golden.py``): another process wrote that.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vnet.lab.shipped import shipped

GOLDEN = Path(__file__).parents[2] / "pcaps" / "golden"
KEPT = [name for name in shipped() if (GOLDEN / name).is_dir()]
TOO_LARGE = [name for name in shipped() if name not in KEPT]
SPLIT = "two-hosts"
"""Its files of a point each are compared as well."""

SCRIPT = """
import sys
from vnet.lab.lab import Lab

folder, seed, *names = sys.argv[1:]
for name in names:
    name, _, split = name.partition("/")
    with Lab.load(
        f"@{name}",
        pcap_dir=f"{folder}/{name}{split}",
        split=bool(split),
        seed=None if seed == "own" else int(seed),
    ) as lab:
        lab.run()
"""


def run(folder: Path, hash_seed: str, seed: str, *names: str) -> dict[str, bytes]:
    """Everything that shipped topologies write, by path; ``NAME/split`` in a file a point."""
    subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(folder), seed, *names],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[2],
        check=True,
    )
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return run(tmp_path_factory.mktemp("first"), "1", "own", *TOO_LARGE, f"{SPLIT}/split")


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(first: dict[str, bytes], tmp_path: Path) -> None:
    again = run(tmp_path, "4242", "own", *TOO_LARGE, f"{SPLIT}/split")
    assert list(again) == list(first)
    assert [name for name in first if first[name] != again[name]] == []
    assert {Path(name).parts[0] for name in first} == {*TOO_LARGE, f"{SPLIT}split"}
    assert all(first.values())


@pytest.mark.slow
def test_another_seed_writes_others(tmp_path: Path) -> None:
    other = run(tmp_path, "1", "77", *KEPT)
    own = contents(GOLDEN)
    for name in KEPT:
        captures = [path for path in other if path.startswith(f"{name}/") and "pcapng" in path]
        assert captures
        assert all(other[path] != own[path] for path in captures), name
