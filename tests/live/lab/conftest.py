"""Labs that are up: whatever is left of one goes with its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Vnet, run_here
from tests.live.processes import VnetProcess
from vnet.live.lab.taking_down import take_down


@pytest.fixture
def vnet(tmp_path: Path) -> Iterator[VnetProcess]:
    made = VnetProcess(tmp_path)
    yield made
    for pidfile in list(tmp_path.rglob("vnet.pid")):
        take_down(pidfile.parent)


@pytest.fixture
def here(vnet: VnetProcess, monkeypatch: pytest.MonkeyPatch) -> Vnet:
    """Run what comes to an end by itself where ``vnet`` would, and without a new Python."""
    monkeypatch.chdir(vnet.folder)
    for name in ("XDG_RUNTIME_DIR", "COLUMNS"):
        monkeypatch.setenv(name, vnet.environment[name])
    return run_here
