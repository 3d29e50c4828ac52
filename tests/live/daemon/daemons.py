"""Starting daemons, ours or the real ones, and looking after them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.live.processes import PATIENCE_S
from vnet.live.daemon.pidfile import read_owner

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
REPOSITORY = Path(__file__).parents[3]


class Daemons:
    """Starts programs by their names in ``folder``. ``ours`` says whose they are; ``database`` is
    where ovs-vswitchd finds its own, unless that is where it looks anyway."""

    def __init__(self, folder: Path, *, ours: bool) -> None:
        self.folder = folder
        self.database: str | None = None
        self._ours = ours
        places = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")
        self.environment = os.environ | dict.fromkeys(places, str(folder))
        self.environment["PYTHONPATH"] = str(REPOSITORY)

    def command(self, program: str, *arguments: str) -> list[str]:
        """The words that start one."""
        start = [sys.executable, "-m", "vnet", program] if self._ours else [program]
        found = [self.database] if self.database and program == "ovs-vswitchd" else []
        return [*start, *arguments, *found]

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one, and wait until it returns."""
        return subprocess.run(
            self.command(program, *arguments),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def start(self, program: str, *arguments: str) -> int:
        """Start one in the background; returns its process number."""
        done = self.run(
            *(program, "-vconsole:off", "--detach", "--no-chdir", "--pidfile"), *arguments
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return self.pid(program)

    def create_database(self) -> None:
        """Make an empty one, where ovsdb-server looks for it, with the real ovsdb-tool."""
        subprocess.run(
            ["ovsdb-tool", "create", str(self.folder / "conf.db"), SCHEMA],
            check=True,
            timeout=PATIENCE_S,
        )

    def pid(self, program: str) -> int:
        """What its pidfile says."""
        return int((self.folder / f"{program}.pid").read_text())

    def appctl(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Ask one, with the real ovs-appctl."""
        return subprocess.run(
            ["ovs-appctl", "-t", program, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def log(self, program: str) -> str:
        """What its usual log file says."""
        return (self.folder / f"{program}.log").read_text()

    def end_all(self) -> None:
        """End those that hold a pidfile, whatever they do."""
        for path in self.folder.glob("*.pid"):
            # One that ends by itself takes the file along.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                owner = read_owner(str(path))
                if owner:
                    os.kill(owner, signal.SIGKILL)
