"""A shell on a shipped topology, with what it printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from vnet.lab.lab import Lab
from vnet.shell.app import run_shell


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Shell = Callable[..., Ran]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """``shell("two-hosts", "nodes", "links")`` runs commands and says what came of them."""

    def run(topology: str | Lab, *commands: str) -> Ran:
        lab = Lab.load(f"@{topology}") if isinstance(topology, str) else topology
        code = run_shell(lab, commands)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run
