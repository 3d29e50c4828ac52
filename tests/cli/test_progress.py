"""The bar: where there is a terminal it shows what it reads, elsewhere nothing."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console

from vnet.cli import progress
from vnet.lab.lab import Lab
from vnet.lab.pingall import PingAll


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is drawn on a terminal, without the second of patience."""
    screen = io.StringIO()

    def console(**_options: object) -> Console:
        return Console(file=screen, force_terminal=True, width=100)

    monkeypatch.setattr(progress, "Console", console)
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    return screen


def test_a_bar_shows_what_it_reads(terminal: io.StringIO) -> None:
    drawn = threading.Event()

    def show(done: int) -> str:
        drawn.set()
        return f"{done} of 10 things"

    with progress.bar("counting", 10, lambda: 3, show):
        assert drawn.wait(30), "the thread draws"
    assert "counting" in terminal.getvalue()
    assert "3 of 10 things" in terminal.getvalue()


def test_there_is_no_bar_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    def never() -> int:
        raise AssertionError("nobody may read")

    with progress.bar("counting", 10, never, str):
        pass
    assert capfd.readouterr() == ("", "")


def test_bars_of_time_and_of_pings_read_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []

    @contextmanager
    def before_and_after(
        label: str, total: int, read: Callable[[], int], show: Callable[[int], str]
    ) -> Iterator[None]:
        shown.append(f"{label}: {show(read())} ({total})")
        yield
        shown.append(f"{label}: {show(read())} ({total})")

    monkeypatch.setattr(progress, "bar", before_and_after)
    with Lab.load("@two-vms") as lab:
        app = PingAll(lab.network, [("vm1", "vm2"), ("vm2", "vm1")])
        with progress.pings_bar(app):
            lab.wait_for(app)
        with progress.virtual_time_bar(lab, 2_000_000_000):
            lab.advance("1500ms")
    assert shown == [
        "pingall: 0 of 2 pings (2)",
        "pingall: 2 of 2 pings (2)",
        "two-vms: 0.000 s of 2 s of virtual time (2000000000)",
        "two-vms: 1.500 s of 2 s of virtual time (2000000000)",
    ]
