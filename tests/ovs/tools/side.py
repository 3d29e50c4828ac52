"""A database server and a switch in a directory of their own: the real ones, or ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import vnet
from tests.ovs.private_ovs import SCHEMA, TIMEOUT_S, end_process

DAEMONS = ("ovsdb-server", "ovs-vswitchd")
_BIN = Path(__file__).with_name("bin")
_PLACES = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")
_DAEMON_OPTIONS = "--detach --no-chdir --pidfile --log-file -vconsole:off"


class Answer(NamedTuple):
    """What a command line said."""

    exit_code: int
    output: str
    errors: str


def environment_of(directory: Path) -> dict[str, str]:
    """What programs must be told to find the daemons of a directory, and nothing besides."""
    places = dict.fromkeys(_PLACES, str(directory))
    return {**os.environ, **places, "OVS_SYSLOG_METHOD": "null", "OVS_CTL_TIMEOUT": str(TIMEOUT_S)}


class Side:
    """One of two to be compared. Command lines are the shell's, in the side's own directory.

    ``programs`` is a folder of programs that go before all others, by the same names. What lines
    wait with is in ``bin/``.
    """

    def __init__(self, directory: Path, programs: Path | None = None) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.environment = environment_of(directory)
        first = (_BIN,) if programs is None else (programs, _BIN)
        self.environment["PATH"] = os.pathsep.join([*map(str, first), os.environ["PATH"]])

    def run(self, line: str) -> Answer:
        """Run a command line, whatever comes of it."""
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * TIMEOUT_S,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def must(self, line: str) -> str:
        """Run a command line that must succeed, and give its output."""
        answer = self.run(line)
        assert answer.exit_code == 0, f"{line}\n{answer.errors}{answer.output}"
        return answer.output

    def create_database(self) -> None:
        self.must(f"ovsdb-tool create conf.db {SCHEMA}")

    def start_server(self) -> None:
        """Start the database server, on the database that is there."""
        self.must(f"ovsdb-server {_DAEMON_OPTIONS} --remote=punix:$OVS_RUNDIR/db.sock")
        self.must("ovs-vsctl --no-wait init")

    def start_switch(self) -> None:
        self.must(
            f"ovs-vswitchd --enable-dummy --disable-system --disable-system-route {_DAEMON_OPTIONS}"
        )

    def pid(self, daemon: str) -> int | None:
        try:
            return int((self.directory / f"{daemon}.pid").read_text())
        except FileNotFoundError:  # it is not there, or was just going
            return None

    def end(self, daemon: str) -> None:
        """Tell a daemon to go, and wait until it has."""
        self.must(f"until-gone {daemon}.pid ovs-appctl -t {daemon} exit")

    def stop(self) -> None:
        """End what still runs, by its own process number."""
        for daemon in reversed(DAEMONS):
            pid = self.pid(daemon)
            if pid is not None:
                end_process(pid)


@contextmanager
def started(side: Side) -> Iterator[Side]:
    """Both daemons while the block lasts; on the database that is there, or an empty one."""
    try:
        if not (side.directory / "conf.db").exists():
            side.create_database()
        side.start_server()
        side.start_switch()
        yield side
    finally:
        side.stop()


def write_stand_ins(folder: Path, daemons: tuple[str, ...] = DAEMONS) -> Path:
    """Programs by the daemons' own names that are ours."""
    folder.mkdir(parents=True, exist_ok=True)
    root = Path(vnet.__file__).parents[1]
    for daemon in daemons:
        script = folder / daemon
        run = f'PYTHONPATH={root} exec {sys.executable} -m vnet {daemon} "$@"'
        script.write_text(f"#!/bin/sh\n{run}\n", encoding="utf-8")
        script.chmod(0o755)
    return folder
