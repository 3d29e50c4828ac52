"""A bar of virtual time, for runs that take longer than a second on a terminal.

The bar is drawn by a thread that only reads the lab's clock: a run is the same with and
without it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from vnet.base.units import NS_PER_S
from vnet.lab.lab import Lab
from vnet.topology.steps import expected_end_ns

_PATIENCE_S = 1.0


class _LabClock(ProgressColumn):
    """Virtual seconds so far, read afresh whenever the bar is drawn."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab

    def render(self, task: Task) -> Text:
        task.completed = self._lab.now_ns
        end = "" if task.total is None else f" of {task.total / NS_PER_S:g} s"
        return Text(f"{self._lab.now_ns / NS_PER_S:.3f} s{end} of virtual time")


@contextmanager
def virtual_time_bar(lab: Lab, until_ns: int | None) -> Iterator[None]:
    """Show the bar while the body runs, if it runs long and there is a terminal to show it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        _LabClock(lab),
        console=console,
        transient=True,
    )
    progress.add_task(lab.name, total=until_ns or expected_end_ns(lab.topology.scenario))
    alarm = threading.Timer(_PATIENCE_S, progress.start)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
        progress.stop()
