"""Labs on the kernel: each test has records and names of its own, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.kernel.real import reason_to_skip
from vnet.live.kernel import namespaces
from vnet.live.kernel.lab import bring_down
from vnet.live.kernel.record import labs_up

_SERIAL = count(1)

Vnet = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where records of labs go, in this process and those that it starts."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "run" / "vnet"


@pytest.fixture
def lab_name(records: Path) -> Iterator[str]:
    """The name of a lab that no other test has; whatever is left of it goes with the test."""
    reason = reason_to_skip()
    if reason is not None:
        pytest.skip(reason)
    name = f"t{os.getpid()}-{next(_SERIAL)}"
    yield name
    for lab in labs_up():
        if lab.startswith(name):
            bring_down(lab)


@pytest.fixture
def vnet(tmp_path: Path) -> Vnet:
    """Run ``vnet`` with arguments, as a program of its own."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vnet", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def names_of(lab: str) -> list[str]:
    """The namespaces of a lab."""
    prefix = namespaces.name_of(lab, "")
    return sorted(p.name for p in namespaces.FOLDER.glob("*") if p.name.startswith(prefix))
