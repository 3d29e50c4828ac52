"""How long whoever starts a daemon waits until it is of use: test suites do so by the thousand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep

from benchmarks.harness import Cost

_PLACES = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")


def _start(folder: Path, program: str, *arguments: str) -> float:
    """Start one in the background; returns after how many seconds it was ready."""
    began_s = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "vnet", program, "--detach", "--no-chdir", "--pidfile", *arguments],
        env=os.environ | dict.fromkeys(_PLACES, str(folder)) | {"PYTHONPATH": os.getcwd()},
        cwd=folder,
        check=True,
    )
    return perf_counter() - began_s


def _end(folder: Path, program: str) -> None:
    pidfile = folder / f"{program}.pid"
    os.kill(int(pidfile.read_text()), signal.SIGTERM)
    while pidfile.exists():
        sleep(0.005)


def _measure(*program: str) -> Callable[[], float]:
    """Seconds to start ``program``, the second time: the first may have to compile it."""

    def measure() -> float:
        from vnet.live.ovsdb.files import create_database
        from vnet.ovs.ovsdb.shipped import open_vswitch_schema

        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            create_database(str(folder / "conf.db"), open_vswitch_schema())
            server = ("ovsdb-server", "--remote=punix:db.sock", "-vconsole:off")
            seconds = _start(folder, *server)
            if program[0] != server[0]:
                for _ in range(2):
                    seconds = _start(folder, *program)
                    _end(folder, program[0])
            _end(folder, server[0])
            return seconds

    return measure


BENCHMARKS = (
    Cost("vnet ovsdb-server is ready", "s", _measure("ovsdb-server"), 0.25),
    Cost("vnet ovs-vswitchd is ready", "s", _measure("ovs-vswitchd", "-vconsole:off"), 0.25),
)
