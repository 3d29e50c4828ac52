"""A clock for what runs in real time. And labs on the kernel: each test has records and names of
its own, and leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.kernel.real import reason_to_skip
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.cli.main import _run as run_command_line
from vnet.live.clock import WallClock
from vnet.live.kernel import namespaces, record
from vnet.live.kernel.lab import bring_down
from vnet.live.kernel.record import labs_up

_SERIAL = count(1)


class Ended(NamedTuple):
    """A command that was run."""

    returncode: int
    stdout: str
    stderr: str


Vnet = Callable[..., Ended]


PATIENCE_NS = 10 * NS_PER_S

RunUntil = Callable[[Callable[[], object]], None]


@pytest.fixture
def clock() -> Iterator[WallClock]:
    made = WallClock()
    made.begin()
    yield made
    made.close()


@pytest.fixture
def run_until(clock: WallClock) -> RunUntil:
    """Let the clock run until something is so; fails where it never is."""

    def run(holds: Callable[[], object]) -> None:
        end_ns = clock.real_now_ns + PATIENCE_NS
        while not holds():
            assert clock.real_now_ns < end_ns, "it never came to that"
            clock.run_live(clock.real_now_ns + 2 * NS_PER_MS)

    return run


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where records of labs go, in this process and those that it starts."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    # Labs of others on this machine are none of the tests'.
    monkeypatch.setattr(record, "_SYSTEM_FOLDER", tmp_path / "system")
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
def vnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vnet:
    """Run ``vnet`` with arguments, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        said, complained = StringIO(), StringIO()
        with redirect_stdout(said), redirect_stderr(complained):
            code = run_command_line(list(arguments))
        return Ended(code, said.getvalue(), complained.getvalue())

    return run


def names_of(lab: str) -> list[str]:
    """The namespaces of a lab."""
    prefix = namespaces.name_of(lab, "")
    return sorted(p.name for p in namespaces.FOLDER.glob("*") if p.name.startswith(prefix))
