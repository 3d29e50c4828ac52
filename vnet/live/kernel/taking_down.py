"""Removing what a record says was made, and nothing else."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from vnet.live.kernel import namespaces
from vnet.live.kernel.record import Made, Record
from vnet.live.kernel.services import marked

_PATIENCE_S = 3.0
_LOOK_EVERY_S = 0.02


def take_down(record: Record) -> list[str]:
    """Remove all of it, and the record; returns notes on what of others stays, in sentences.

    It may be called again, whatever became of the first time.
    """
    notes = []
    ours = []
    for made in record.namespaces:
        inode = namespaces.inode_of(made.name)
        if inode is None:
            continue
        if made.inode not in (None, inode):
            notes.append(f"{made.name} is somebody else's by now, and stays")
        else:
            ours.append(Made(made.name, inode))
    _end_programs(record.lab, {made.inode for made in ours})
    for made in ours:
        assert made.inode is not None
        left = namespaces.processes_in(made.inode)
        namespaces.remove(made.name)
        if left:
            told = ", ".join(f"{pid} ({_name_of(pid)})" for pid in left)
            notes.append(f"{made.name} lives on in processes that vnet did not start: {told}")
    for file in record.files:
        Path(file).unlink(missing_ok=True)
    record.forget()
    return notes


def _end_programs(lab: str, inodes: set[int | None]) -> None:
    """End the programs of the lab: kindly, and after a while by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _PATIENCE_S
        running = _programs(lab, inodes)
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        while running and time.monotonic() < deadline:
            for pid in running:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(_LOOK_EVERY_S)
            running = _programs(lab, inodes)


def _programs(lab: str, inodes: set[int | None]) -> list[int]:
    """What runs in the namespaces and was started for the lab."""
    found = namespaces.processes_by_namespace()
    return marked(lab, [pid for pid, inode in found.items() if inode in inodes])


def _name_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    return "gone"
