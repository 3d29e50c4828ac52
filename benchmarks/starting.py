"""What it takes until a daemon is of use, for who starts it waits: test suites do by the thousand.

It is CPU time, of whoever was started and of the daemon that stays. Nobody waits for anything else,
so that on a machine with nothing else to do it is how long the start takes.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import sleep

from benchmarks.harness import Cost

_PLACES = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")


def _start(folder: Path, program: str, *arguments: str) -> float:
    """Start one in the background; returns how many CPU seconds it took until it was ready."""
    began_s = _spent_s()
    subprocess.run(
        [sys.executable, "-m", "vnet", program, "--detach", "--no-chdir", "--pidfile", *arguments],
        env=os.environ | dict.fromkeys(_PLACES, str(folder)) | {"PYTHONPATH": os.getcwd()},
        cwd=folder,
        check=True,
    )
    pid = int((folder / f"{program}.pid").read_text())
    return _spent_s() - began_s + _cpu_ticks(pid) / os.sysconf("SC_CLK_TCK")


def _spent_s() -> float:
    """CPU time of all processes that have been started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end(folder: Path, program: str) -> None:
    pidfile = folder / f"{program}.pid"
    os.kill(int(pidfile.read_text()), signal.SIGTERM)
    while pidfile.exists():
        sleep(0.005)


def _measure(*program: str) -> Callable[[], float]:
    """What it takes to start ``program``, the second time: the first may have to compile it."""

    def measure() -> float:
        from vnet.live.ovsdb.files import create_database
        from vnet.ovs.ovsdb.shipped import open_vswitch_schema

        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            create_database(str(folder / "conf.db"), open_vswitch_schema())
            server = ("ovsdb-server", "--remote=punix:db.sock", "-vconsole:off")
            for _ in range(2):
                seconds = _start(folder, *server)
                if program[0] != server[0]:
                    seconds = _start(folder, *program)
                    _end(folder, program[0])
                _end(folder, server[0])
            return seconds

    return measure


_IDLE_S = 10


def _idle_share() -> float:
    """How much of a core an empty switch takes while nothing happens, in per cent."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pid = _start_switch(folder)
        sleep(_IDLE_S)  # It still imports, and then counts its memory once.
        before = _cpu_ticks(pid)
        sleep(_IDLE_S)
        share = (_cpu_ticks(pid) - before) / os.sysconf("SC_CLK_TCK") / _IDLE_S
        os.kill(pid, signal.SIGTERM)
        while (folder / "ovs-vswitchd.pid").exists():
            sleep(0.005)
        return 100 * share


def _start_switch(folder: Path) -> int:
    """An empty Open vSwitch in one process; returns its number."""
    subprocess.run(
        [sys.executable, "-m", "vnet", "ovs", "--rundir", str(folder), "--detach"],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return int((folder / "ovs-vswitchd.pid").read_text())


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


BENCHMARKS = (
    Cost("vnet ovsdb-server is ready", "s", _measure("ovsdb-server"), 0.25),
    Cost("vnet ovs-vswitchd is ready", "s", _measure("ovs-vswitchd", "-vconsole:off"), 0.25),
    Cost("vnet ovs when idle", "% of a core", _idle_share, 1.0),
)
