"""Switches in processes of their own, ours and the real Open vSwitch, and what work costs them."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.ovsdb_servers import ROOT, SCHEMA, TICKS_A_SECOND

_PLACES = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")
OURS = "ours"
THEIRS = "Open vSwitch"
_READY_S = 30


def have_theirs() -> bool:
    """Whether the real one is installed; where it is not, the user is told."""
    if shutil.which("ovs-vswitchd") is not None:
        return True
    print("needs Open vSwitch beside ours", file=sys.stderr)
    return False


class Outcome(NamedTuple):
    """Seconds by the clock, and of CPU time."""

    elapsed_s: float
    client_s: float
    daemons_s: float

    def __str__(self) -> str:
        return f"{self.elapsed_s:.2f} s ({self.client_s:.2f} + {self.daemons_s:.2f})"


class Switch:
    """A switch that runs in a directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | dict.fromkeys(_PLACES, str(folder))
        self.environment["PYTHONPATH"] = str(ROOT)
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str | Path, ready: str) -> None:
        """Start a daemon; ``ready`` is the file that it makes at last."""
        daemon = subprocess.Popen(
            command,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._daemons.append(daemon)
        give_up_s = time.monotonic() + _READY_S
        while not (self.folder / ready).exists():
            assert daemon.poll() is None, f"{command[0]} did not start"
            assert time.monotonic() < give_up_s, f"{command[0]} is not ready"
            time.sleep(0.01)

    def stop(self) -> None:
        """End it."""
        for daemon in reversed(self._daemons):
            daemon.terminate()
            daemon.wait()

    def vsctl(self, *arguments: str) -> None:
        """One call of the real program."""
        self.call("ovs-vsctl", "-vconsole:off", *arguments)

    def call(self, *command: str) -> str:
        """One call of any program, in the switch's folder; what it prints."""
        return subprocess.run(
            command,
            env=self.environment,
            cwd=self.folder,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def cpu_s(self) -> float:
        """The CPU time of its daemons so far."""
        return sum(_cpu_ticks(daemon.pid) for daemon in self._daemons) / TICKS_A_SECOND


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _clients_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Switch]:
    """A switch with an empty bridge."""
    folder.mkdir()
    switch = Switch(folder)
    try:
        if kind == OURS:
            ours = ("-m", "vnet", "ovs", "--rundir", folder, "--enable-dummy=override")
            switch.start(sys.executable, *ours, ready="db.sock")
        else:
            _start_theirs(switch)
        switch.vsctl("add-br", "br0")
        yield switch
    finally:
        switch.stop()


def _start_theirs(switch: Switch) -> None:
    database, socket = switch.folder / "conf.db", switch.folder / "db.sock"
    subprocess.run(["ovsdb-tool", "create", database, SCHEMA], check=True)
    common = ("--no-chdir", "--pidfile", "-vconsole:off")
    switch.start("ovsdb-server", database, *common, f"--remote=punix:{socket}", ready="db.sock")
    no_kernel = ("--enable-dummy=override", "--disable-system", "--disable-system-route")
    name = "ovs-vswitchd"
    switch.start(name, *no_kernel, *common, f"unix:{socket}", ready=f"{name}.pid")


def measure(switch: Switch, work: Callable[[], None]) -> Outcome:
    """What some work takes."""
    began_s, client_s, daemons_s = time.perf_counter(), _clients_s(), switch.cpu_s()
    work()
    return Outcome(
        time.perf_counter() - began_s, _clients_s() - client_s, switch.cpu_s() - daemons_s
    )
