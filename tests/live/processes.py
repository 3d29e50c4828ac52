"""``vnet`` as a process of its own, with folders of the test's own, and waiting for what processes
are about to do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 60
"""How long a busy machine may take for anything."""

ROOT = Path(__file__).parents[2]


class VnetProcess:
    """Runs command lines in ``folder``; the run directories of labs are in ``folder/run``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.labs = folder / "run" / "vnet"
        (folder / "run").mkdir(mode=0o700, exist_ok=True)
        search = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "PYTHONPATH": os.pathsep.join(search),
            "COLUMNS": "200",
        }

    def do(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end, whatever comes of it. What it starts holds none of our pipes."""
        return subprocess.run(
            [sys.executable, "-m", "vnet", *words],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start it in the foreground, and go on."""
        return subprocess.Popen(
            [sys.executable, "-m", "vnet", *words],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def lab(self, text: str, name: str = "lab.yaml") -> str:
        """A topology file."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name


def wait_until(holds: Callable[[], object]) -> None:
    """Wait until something is so; fails where it never is."""
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, "it never came to that"
        time.sleep(0.02)


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended. Only then are its locks free and its files complete."""
    wait_until(lambda: not is_alive(pid))


def worked_s(pid: int) -> float:
    """How much of a processor's time a process has had, whatever else the machine does."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_alive(pid: int) -> bool:
    """Whether a process runs, rather than being dead and not yet mourned by its parent."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
