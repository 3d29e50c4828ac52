"""``ovs-vsctl add-port``, as often as one likes: ours and the real Open vSwitch, in one run.

    python -m benchmarks.add_ports
    python -m benchmarks.add_ports --at-once 1000 5000 --calls 1000

Each switch has a directory of its own, and devices that are dummies. The same real ``ovs-vsctl``
adds ports, one in a call or all in one call, and waits each time until the switch has them. Shown
are how long that takes, and the CPU time of the client and of the daemons: the rest is waiting,
for the disk or for whoever else uses the machine.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness import interpreter
from benchmarks.ovsdb_servers import ROOT, SCHEMA, TICKS_A_SECOND

_PLACES = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")
_OURS = "ours"
_THEIRS = "Open vSwitch"
_READY_S = 30


class Outcome(NamedTuple):
    """Seconds by the clock, and of CPU time."""

    elapsed_s: float
    client_s: float
    daemons_s: float

    def __str__(self) -> str:
        return f"{self.elapsed_s:.1f} s ({self.client_s:.1f} + {self.daemons_s:.1f})"


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
        subprocess.run(["ovs-vsctl", "-vconsole:off", *arguments], env=self.environment, check=True)

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
        if kind == _OURS:
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


def one_by_one(switch: Switch, count: int) -> None:
    """A call for each port."""
    for number in range(count):
        switch.vsctl("add-port", "br0", f"p{number}")


def all_at_once(switch: Switch, count: int) -> None:
    """One call for all ports."""
    words = [word for number in range(count) for word in ("--", "add-port", "br0", f"p{number}")]
    switch.vsctl(*words[1:])


def one_more(switch: Switch, count: int) -> None:
    """Three ports, a call for each, at a bridge that has many."""
    for number in range(3):
        switch.vsctl("add-port", "br0", f"more{count}-{number}")


Work = Callable[[Switch, int], None]


def measure(switch: Switch, work: Work, count: int) -> Outcome:
    """What some work takes."""
    began_s, client_s, daemons_s = time.perf_counter(), _clients_s(), switch.cpu_s()
    work(switch, count)
    return Outcome(
        time.perf_counter() - began_s, _clients_s() - client_s, switch.cpu_s() - daemons_s
    )


def compare(name: str, works: list[tuple[str, Work]], count: int) -> None:
    """Have both do some work after each other, and print a line for each piece of it."""
    outcomes: dict[str, list[Outcome]] = {}
    for kind in (_OURS, _THEIRS):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "run"
            switch = stack.enter_context(running(kind, folder))
            outcomes[kind] = [measure(switch, work, count) for _, work in works]
    for (title, _), ours, theirs in zip(works, outcomes[_OURS], outcomes[_THEIRS], strict=True):
        ratio = ours.elapsed_s / theirs.elapsed_s
        print(f"{name + title:34}{ours!s:>24}{theirs!s:>24}{ratio:8.2f}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.add_ports", description=__doc__)
    parser.add_argument(
        "--at-once", type=int, nargs="*", default=[1000, 5000], help="in one call (1000 5000)"
    )
    parser.add_argument("--calls", type=int, default=1000, help="of one port each (1000)")
    options = parser.parse_args()
    if shutil.which("ovs-vswitchd") is None:
        print("needs Open vSwitch beside ours", file=sys.stderr)
        return 1
    print(interpreter())
    print(f"{'':34}{_OURS:>24}{_THEIRS:>24}{'ratio':>8}")
    at_once: list[tuple[str, Work]] = [
        ("in one call", all_at_once),
        ("and 3 calls more", one_more),
    ]
    for count in options.at_once:
        compare(f"{count} ports, ", at_once, count)
    if options.calls:
        compare(f"{options.calls} ports, ", [("a call each", one_by_one)], options.calls)
    return 0


if __name__ == "__main__":
    sys.exit(main())
