"""Transactions a second and monitor fan-out: ours and the real ovsdb-server, in one run.

    python -m benchmarks.ovsdb_servers
    python -m benchmarks.ovsdb_servers --transactions 5000 --clients 50 --rounds 3

Each server has a database file of its own on the same disk, and acknowledges what is safe there.
Rounds take turns. Shown are medians: transactions a second as clients see them, and the CPU time
that the server took for each. The clients share the machine with the servers.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.harness import interpreter

SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
ROOT = Path(__file__).parents[1]
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
COLUMNS = ["name", "external_ids", "other_config", "ports"]


class Outcome(NamedTuple):
    """One round: transactions a second, and microseconds of the server's CPU for each."""

    rate: float
    cpu_us: float


class Client:
    """A connection that writes what it is told and counts what it reads."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(path))
        self.tail = b""

    def call(self, method: str, params: list[Any]) -> None:
        """Ask, and read until the answer is whole."""
        self.send(method, params)
        self.read_until(b'"id":7,')

    def send(self, method: str, params: list[Any]) -> None:
        message = {"id": 7, "method": method, "params": params}
        self.socket.sendall(json.dumps(message).encode())

    def read_until(self, mark: bytes) -> None:
        """Read until ``mark`` has come, which begins or ends the last message."""
        while not self.read(mark):
            continue

    def read(self, mark: bytes) -> bool:
        """Read what there is; whether ``mark`` is in it."""
        data = self.socket.recv(1 << 20)
        assert data, "the server hung up"
        seen = self.tail + data
        self.tail = seen[-len(mark) :]
        if mark in seen:
            self.tail = b""
            return True
        return False


class Server(NamedTuple):
    """One that runs."""

    name: str
    process: subprocess.Popen[bytes]
    path: Path

    def cpu_s(self) -> float:
        """The CPU time it has taken so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


@contextmanager
def running(name: str, command: list[str], folder: Path) -> Iterator[Server]:
    """A server on a new database."""
    folder.mkdir()
    database, path = folder / "conf.db", folder / "db.sock"
    subprocess.run(["ovsdb-tool", "create", database, SCHEMA], check=True)
    options = [f"--remote=punix:{path}", f"--unixctl={folder}/ctl", "-vconsole:off"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OVS_RUNDIR": str(folder)}
    process = subprocess.Popen([*command, str(database), *options], env=environment)
    try:
        while not path.exists():
            assert process.poll() is None, f"{name} did not start"
            time.sleep(0.01)
        yield Server(name, process, path)
    finally:
        process.terminate()
        process.wait()


def update(value: str) -> list[Any]:
    """A transaction that changes one map of one row, as a busy controller's."""
    row = {"external_ids": ["map", [["benchmark", value], ["owner", "somebody"]]]}
    where = [["name", "==", "br0"]]
    return ["Open_vSwitch", {"op": "update", "table": "Bridge", "where": where, "row": row}]


def insert(value: str) -> list[Any]:
    """A transaction that adds a port to a bridge, as ovs-vsctl does."""
    interface = {"op": "insert", "table": "Interface", "row": {"name": value}, "uuid-name": "i"}
    port = {
        "op": "insert",
        "table": "Port",
        "row": {"name": value, "interfaces": ["named-uuid", "i"]},
        "uuid-name": "p",
    }
    added = [["ports", "insert", ["set", [["named-uuid", "p"]]]]]
    where = [["name", "==", "br0"]]
    bridge = {"op": "mutate", "table": "Bridge", "where": where, "mutations": added}
    return ["Open_vSwitch", interface, port, bridge]


Make = Callable[[str], list[Any]]


def one_by_one(server: Server, make: Make, count: int, round_number: int) -> Outcome:
    """One client that waits for each answer."""
    client = Client(server.path)
    began_s, cpu_s = time.perf_counter(), server.cpu_s()
    for number in range(count):
        client.call("transact", make(f"r{round_number}n{number}"))
    return _outcome(server, began_s, cpu_s, count)


def fan_out(server: Server, clients: int, count: int, round_number: int) -> Outcome:
    """One client that writes, and many that are told, until all have seen the last change."""
    watchers = [Client(server.path) for _ in range(clients)]
    requests = {"Bridge": [{"columns": COLUMNS}], "Port": [{"columns": ["name"]}]}
    for watcher in watchers:
        watcher.call("monitor_cond", ["Open_vSwitch", "m", requests])
    selector = selectors.DefaultSelector()
    for watcher in watchers:
        selector.register(watcher.socket, selectors.EVENT_READ, watcher)
    writer = Client(server.path)
    selector.register(writer.socket, selectors.EVENT_READ, writer)
    last = f"r{round_number}last"
    marks = dict.fromkeys(watchers, last.encode()) | {writer: b'"id":7,'}
    waiting, written = set(watchers), 0
    began_s, cpu_s = time.perf_counter(), server.cpu_s()
    writer.send("transact", update("first"))
    while waiting:
        for key, _ in selector.select(60):
            client = key.data
            if not client.read(marks[client]):
                continue
            waiting.discard(client)
            if client is writer and written < count - 1:
                written += 1
                value = last if written == count - 1 else f"r{round_number}n{written}"
                writer.send("transact", update(value))
    return _outcome(server, began_s, cpu_s, count)


def _outcome(server: Server, began_s: float, cpu_s: float, count: int) -> Outcome:
    elapsed_s = time.perf_counter() - began_s
    return Outcome(count / elapsed_s, (server.cpu_s() - cpu_s) / count * 1e6)


def prepare(server: Server) -> None:
    """A bridge, which everything is about."""
    bridge = {"op": "insert", "table": "Bridge", "row": {"name": "br0"}, "uuid-name": "b"}
    root = {"bridges": ["named-uuid", "b"]}
    insert_root = {"op": "insert", "table": "Open_vSwitch", "row": root}
    Client(server.path).call("transact", ["Open_vSwitch", bridge, insert_root])


Measure = Callable[[Server, int], Outcome]


def measures(transactions: int, clients: int) -> dict[str, Measure]:
    """What is measured, by its name."""
    return {
        "change a row": lambda server, turn: one_by_one(server, update, transactions, turn),
        "add a port": lambda server, turn: one_by_one(server, insert, transactions, turn),
        f"change a row, {clients} monitors": lambda server, turn: fan_out(
            server, clients, transactions, turn
        ),
    }


def compare(servers: list[Server], transactions: int, clients: int, rounds: int) -> None:
    """Measure, and print a line for each measure."""
    print(f"{'':34}{'ours':>24}{'ovsdb-server':>24}{'ratio':>8}")
    for name, measure in measures(transactions, clients).items():
        results: list[list[Outcome]] = [[] for _ in servers]
        for turn in range(rounds):
            order = range(len(servers)) if turn % 2 else reversed(range(len(servers)))
            for index in order:
                results[index].append(measure(servers[index], turn))
        rates = [median(outcome.rate for outcome in one) for one in results]
        cpu_us = [median(outcome.cpu_us for outcome in one) for one in results]
        cells = [f"{rate:.0f}/s {cpu:.0f} us" for rate, cpu in zip(rates, cpu_us, strict=True)]
        print(f"{name:34}{cells[0]:>24}{cells[1]:>24}{rates[0] / rates[1]:8.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ovsdb_servers", description=__doc__)
    parser.add_argument("--transactions", type=int, default=1000, help="in a round (1000)")
    parser.add_argument("--clients", type=int, default=50, help="that monitor (50)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("ovsdb-server") is None:
        print("needs Open vSwitch's ovsdb-server beside ours", file=sys.stderr)
        return 1
    print(interpreter())
    ours = [sys.executable, "-m", "vnet", "ovsdb-server"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [
            stack.enter_context(running("ours", ours, folder / "ours")),
            stack.enter_context(running("theirs", ["ovsdb-server"], folder / "theirs")),
        ]
        for server in servers:
            prepare(server)
        compare(servers, options.transactions, options.clients, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
