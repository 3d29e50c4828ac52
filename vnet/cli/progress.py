"""A bar for what takes longer than a second on a terminal: virtual time, or a count.

The bar is drawn by a thread that only reads: a run is the same with and without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from vnet.base.units import NS_PER_S
from vnet.lab.lab import Lab
from vnet.lab.pingall import PingAll
from vnet.topology.steps import expected_end_ns

_PATIENCE_S = 1.0


class _Reading(ProgressColumn):
    """How far it is, read afresh whenever the bar is drawn."""

    def __init__(self, read: Callable[[], int], show: Callable[[int], str]) -> None:
        super().__init__()
        self._read = read
        self._show = show

    def render(self, task: Task) -> Text:
        task.completed = done = self._read()
        return Text(self._show(done))


@contextmanager
def bar(
    label: str, total: int | None, read: Callable[[], int], show: Callable[[int], str]
) -> Iterator[None]:
    """Show a bar while the body runs, if it runs long and there is a terminal to show it.

    ``read`` gives how much of ``total`` is done and ``show`` puts that in words; both are
    called in another thread.
    """
    console = Console(stderr=True, emoji=False)
    if not console.is_terminal:
        yield
        return
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        _Reading(read, show),
        console=console,
        transient=True,
    )
    progress.add_task(label, total=total)
    alarm = threading.Timer(_PATIENCE_S, progress.start)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
        progress.stop()


@contextmanager
def virtual_time_bar(lab: Lab, until_ns: int | None) -> Iterator[None]:
    """How far a run is, in virtual time."""
    total_ns = until_ns or expected_end_ns(lab.topology.scenario)

    def show(now_ns: int) -> str:
        end = f" of {total_ns / NS_PER_S:g} s" if total_ns else ""
        return f"{now_ns / NS_PER_S:.3f} s{end} of virtual time"

    with bar(lab.name, total_ns, lambda: lab.now_ns, show):
        yield


@contextmanager
def pings_bar(app: PingAll) -> Iterator[None]:
    """How many pings of a round have ended."""

    def show(ended: int) -> str:
        return f"{ended} of {app.total} pings"

    with bar("pingall", app.total, lambda: len(app.outcomes), show):
        yield
