"""Servers in folders of their own: ours, the real one, and a second of ours."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.ovsdb.servers import Servers


def _servers(folder: Path, *, ours: bool) -> Iterator[Servers]:
    if shutil.which("ovsdb-tool") is None:
        pytest.skip("needs Open vSwitch's programs")
    folder.mkdir()
    servers = Servers(folder, ours=ours)
    yield servers
    servers.end_all()


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Servers]:
    yield from _servers(tmp_path / "ours", ours=True)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Servers]:
    yield from _servers(tmp_path / "other", ours=True)


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Servers]:
    yield from _servers(tmp_path / "real", ours=False)
