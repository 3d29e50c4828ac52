"""The captures in ``pcaps/golden`` are what a run writes, byte for byte.

What a large topology writes is not kept, and is compared with what a second run writes.

Where a change of behaviour is meant, write them anew, look at them, and say why in the commit:

    vnet run @NAME --pcap-dir pcaps/golden/NAME
"""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet import Lab
from vnet.lab.shipped import shipped

GOLDEN = Path(__file__).parent.parent / "pcaps" / "golden"


MOST_BYTES = 250_000
"""What a run writes is kept up to this size, capture and report together."""


def written(name: str, folder: Path) -> dict[str, bytes]:
    """What a run of a shipped topology writes, by file name; all its expectations held."""
    with Lab.load(f"@{name}", pcap_dir=folder) as lab:
        assert lab.run().held
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize(
    "name",
    [
        # Two runs of a large topology take a few seconds.
        name if (GOLDEN / name).is_dir() else pytest.param(name, marks=pytest.mark.slow)
        for name in sorted(shipped())
    ],
)
def test_a_run_writes_the_golden_files(name: str, tmp_path: Path) -> None:
    found = written(name, tmp_path / "run")
    large = sum(map(len, found.values())) > MOST_BYTES
    assert large != (GOLDEN / name).is_dir(), "small runs have a golden folder, large ones none"
    wanted = written(name, tmp_path / "again") if large else contents(GOLDEN / name)
    assert list(found) == list(wanted)
    for file, data in found.items():
        assert data == wanted[file], f"{file} differs"


def test_every_capture_is_explained() -> None:
    text = (GOLDEN / "README.md").read_text(encoding="utf-8")
    for name in shipped():
        assert f"## {name}\n" in text, f"say in README.md what to look at in {name}"
    for folder in GOLDEN.iterdir():
        if folder.is_dir():
            assert folder.name in shipped(), f"no shipped topology writes {folder.name}"
