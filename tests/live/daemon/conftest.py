"""Daemons in a folder of their own, ours and the real ones, that are gone when a test ends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.daemon.daemons import Daemons


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Daemons]:
    folder = tmp_path / "ours"
    folder.mkdir()
    made = Daemons(folder, ours=True)
    yield made
    made.end_all()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Daemons]:
    if shutil.which("ovs-vswitchd") is None:
        pytest.skip("Open vSwitch is not installed")
    folder = tmp_path / "real"
    folder.mkdir()
    made = Daemons(folder, ours=False)
    yield made
    made.end_all()
