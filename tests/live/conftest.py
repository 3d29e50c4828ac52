"""A clock for what talks by real sockets, and ports. And labs on the kernel: each test has records
and names of its own, and leaves nothing behind."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, redirect_stderr, redirect_stdout
from io import StringIO
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.kernel.real import reason_to_skip
from tests.live.ports import Reserve, ReservedPort
from tests.live.processes import PATIENCE_S
from vnet.base.units import NS_PER_S
from vnet.cli.main import _run as run_command_line
from vnet.live.clock import WallClock
from vnet.live.kernel import namespaces, record
from vnet.live.kernel.lab import bring_down
from vnet.live.kernel.record import labs_up

_SERIAL = count(1)
_TURNS_AT_ONCE = 8


class Ended(NamedTuple):
    """A command that was run."""

    returncode: int
    stdout: str
    stderr: str


Vnet = Callable[..., Ended]


RunUntil = Callable[[Callable[[], object]], None]
Later = Callable[[float], None]


@pytest.fixture
def clock() -> Iterator[WallClock]:
    """It stands still, so that nobody comes too late on a busy machine; sockets are looked after
    by ``run_until``, and time passes by ``later``."""
    made = WallClock()
    made.begin()
    made.freeze()
    yield made
    made.close()


@pytest.fixture
def later(clock: WallClock) -> Later:
    """So many seconds later, all has happened that is due by then; what has come is read before."""

    def pass_time(seconds: float) -> None:
        clock.warp(int(seconds * NS_PER_S), clock.stop)
        clock.run_live()

    return pass_time


@pytest.fixture
def run_until(later: Later) -> RunUntil:
    """Let sockets be served until something is so; fails where it never is."""

    def run(holds: Callable[[], object]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end_s, "it never came to that"
            for _ in range(_TURNS_AT_ONCE):
                later(0)
                if holds():
                    return
            time.sleep(0.001)

    return run


@pytest.fixture
def reserve_port() -> Iterator[Reserve]:
    """Ports that stay the test's own."""
    with ExitStack() as reserved:

        def reserve() -> int:
            return reserved.enter_context(closing(ReservedPort())).number

        yield reserve


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
    return run_here


def run_here(*arguments: str) -> Ended:
    """Run ``vnet`` in this process."""
    said, complained = StringIO(), StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        code = run_command_line(list(arguments))
    return Ended(code, said.getvalue(), complained.getvalue())


def names_of(lab: str) -> list[str]:
    """The namespaces of a lab."""
    prefix = namespaces.name_of(lab, "")
    return sorted(p.name for p in namespaces.FOLDER.glob("*") if p.name.startswith(prefix))
