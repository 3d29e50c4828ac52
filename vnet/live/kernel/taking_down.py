"""Removing what a record says was made, and nothing else."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from vnet.live.kernel import namespaces
from vnet.live.kernel.record import Record, Started, start_ticks

_PATIENCE_S = 2.0
_LOOK_EVERY_S = 0.02


def take_down(record: Record) -> list[str]:
    """Remove all of it, and the record; returns notes on what of others stays, in sentences.

    It may be called again, whatever became of the first time.
    """
    _end(record.processes)
    notes = []
    for made in record.namespaces:
        inode = namespaces.inode_of(made.name)
        if inode is None:
            continue
        if made.inode not in (None, inode):
            notes.append(f"{made.name} is somebody else's by now, and stays")
            continue
        left = namespaces.processes_in(inode)
        namespaces.remove(made.name)
        if left:
            told = ", ".join(f"{pid} ({_name_of(pid)})" for pid in left)
            notes.append(f"{made.name} lives on in processes that vnet did not start: {told}")
    for file in record.files:
        Path(file).unlink(missing_ok=True)
    record.forget()
    return notes


def _end(processes: list[Started]) -> None:
    """End those that still run: kindly, and after a while by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for started in processes:
            if _runs(started):
                with suppress(ProcessLookupError):
                    os.kill(started.pid, number)
        deadline = time.monotonic() + _PATIENCE_S
        while any(map(_runs, processes)) and time.monotonic() < deadline:
            _reap(processes)
            time.sleep(_LOOK_EVERY_S)


def _runs(started: Started) -> bool:
    return start_ticks(started.pid) == started.start_ticks


def _reap(processes: list[Started]) -> None:
    for started in processes:
        with suppress(ChildProcessError):
            os.waitpid(started.pid, os.WNOHANG)


def _name_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    return "gone"
