"""A shell on a shipped topology, with what it printed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pytest

from vnet.lab.lab import Lab
from vnet.lab.shipped import resolve
from vnet.shell.app import run_shell
from vnet.topology.load import load_topology
from vnet.topology.model import Topology


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Shell = Callable[..., Ran]


@cache
def shipped_topology(name: str) -> Topology:
    """It is what labs are built of, and no lab changes it, so it is read once."""
    return load_topology(resolve(f"@{name}"))


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """``shell("two-hosts", "nodes", "links")`` runs commands and says what came of them."""

    def run(topology: str | Lab, *commands: str) -> Ran:
        lab = Lab(shipped_topology(topology)) if isinstance(topology, str) else topology
        code = run_shell(lab, commands)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run
