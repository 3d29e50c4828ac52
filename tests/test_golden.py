"""The captures in ``pcaps/golden`` are what a run writes, byte for byte.

Where a change of behaviour is meant, write them anew, look at them, and say why in the commit:

    vnet run @NAME --pcap-dir pcaps/golden/NAME
"""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet import Lab
from vnet.lab.shipped import shipped

GOLDEN = Path(__file__).parent.parent / "pcaps" / "golden"


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_run_writes_the_golden_files(name: str, tmp_path: Path) -> None:
    with Lab.load(f"@{name}", pcap_dir=tmp_path) as lab:
        assert lab.run().held
    folder = GOLDEN / name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in folder.iterdir()
    )
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes(), f"{path.name} differs"


def test_every_golden_folder_is_explained() -> None:
    text = (GOLDEN / "README.md").read_text(encoding="utf-8")
    for folder in GOLDEN.iterdir():
        if folder.is_dir():
            assert f"## {folder.name}" in text, f"say in README.md what to look at in {folder.name}"
            assert folder.name in shipped(), f"no shipped topology writes {folder.name}"
