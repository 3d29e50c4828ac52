"""A server that is killed while clients commit: what it acknowledged must be there afterwards.

``python -m tests.live.ovsdb.killing 50 1000`` kills it 50 times, each at a random moment of 1,000
transactions, and tells what it found.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random
from threading import Timer
from typing import NamedTuple

from tests.ovs.ovsdb.real_server import IS_INSTALLED
from tests.ovs.ovsdb.transactions import insert, update, uuid
from vnet.live.ovsdb.files import create_database, open_database
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.schema import DatabaseSchema

ROOT = Path(__file__).parents[3]
N_CLIENTS = 4
LONGEST_DELAY_S = 0.005
TIMEOUT_S = 60
SCHEMA = {
    "name": "killed",
    "version": "1.0.0",
    "tables": {
        "count": {
            "columns": {"n": {"type": "integer"}, "text": {"type": "string"}},
        }
    },
}


class Round(NamedTuple):
    """What came of one kill: transactions acknowledged, found afterwards, and asked for."""

    acknowledged: int
    found: int
    asked: int
    is_torn: bool


class Client:
    """Counts up two rows, both at once, as fast as it is answered."""

    def __init__(self, address: Path, rows: tuple[int, int], first: int) -> None:
        self.rows = rows
        self.asked = self.acknowledged = first
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.connect(str(address))
        self._unread = b""

    def ask(self) -> None:
        """Count one further."""
        self.asked += 1
        text = "x" * (self.asked % 400)
        operations = [update("count", row, n=self.asked, text=text) for row in self.rows]
        request = {"method": "transact", "params": ["killed", *operations], "id": self.asked}
        self._socket.sendall(json.dumps(request).encode())

    def hear(self) -> None:
        """Wait for the answer. Raises ``ConnectionError`` when the server is gone."""
        while True:
            octets = self._socket.recv(1 << 16)
            if not octets:
                raise ConnectionError
            self._unread += octets
            try:
                reply = json.loads(self._unread)
            except ValueError:
                continue
            self._unread = b""
            assert reply["result"] == [{"count": 1}] * 2, reply
            self.acknowledged = reply["id"]
            return

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def rounds(directory: Path, n_rounds: int, n_transactions: int, seed: int) -> Iterator[Round]:
    """Kill a server so many times, each at some moment of so many transactions."""
    file = directory / "conf.db"
    create_database(str(file), DatabaseSchema.from_json(SCHEMA))
    rows = [(2 * number + 1, 2 * number + 2) for number in range(N_CLIENTS)]
    found = open_database(str(file))
    found.database.execute([insert("count", row) for pair in rows for row in pair])
    counts = [0] * N_CLIENTS
    found.close()
    random = Random(seed)
    for _ in range(n_rounds):
        with _serving(directory, file) as (process, address):
            clients = [Client(address, *place) for place in zip(rows, counts, strict=True)]
            n_asked = random.randrange(n_transactions // N_CLIENTS)
            _count_until_killed(clients, n_asked, random.uniform(0, LONGEST_DELAY_S), process)
        yield _checked(file, clients, counts)


@contextmanager
def _serving(directory: Path, file: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A server that somebody else is going to kill."""
    address = directory / "db.sock"
    address.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "vnet", "ovsdb-server", str(file), f"--remote=punix:{address}"),
        *(f"--unixctl={directory}/ctl", "-vconsole:off", "--no-chdir"),
    ]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            while not _is_listening(address):
                assert process.poll() is None, "the server did not start"
                time.sleep(0.01)
            yield process, address
        finally:
            process.kill()


def _is_listening(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(address)) == 0


def _count_until_killed(
    clients: list[Client], n_asked: int, delay_s: float, process: subprocess.Popen[bytes]
) -> None:
    """Count so far, and kill the server some time after that."""
    killer = Timer(delay_s, process.kill)
    try:
        for number in count():
            for client in clients:
                client.ask()
            if number == n_asked:
                killer.start()
            for client in clients:
                client.hear()
    except (ConnectionError, BrokenPipeError):
        killer.join(TIMEOUT_S)
    for client in clients:
        client.close()


def _checked(file: Path, clients: list[Client], counts: list[int]) -> Round:
    """Open the file again, and see that each client finds what it was told."""
    found = open_database(str(file))
    for number, client in enumerate(clients):
        first, second = (_count(found.database, row) for row in client.rows)
        assert first == second, "half a transaction"
        assert client.acknowledged <= first <= client.asked, (client.acknowledged, first)
        counts[number] = first
    found.close()
    if IS_INSTALLED:
        query = '["killed",{"op":"select","table":"count","where":[]}]'
        for words in (["show-log", str(file)], ["query", str(file), query]):
            command = ["ovsdb-tool", *words]
            subprocess.run(command, check=True, timeout=TIMEOUT_S, stdout=subprocess.DEVNULL)
    return Round(
        sum(client.acknowledged for client in clients),
        sum(counts),
        sum(client.asked for client in clients),
        found.fault is not None,
    )


def _count(database: Database, row: int) -> int:
    columns = database.tables["count"].rows[Uuid(uuid(row))].columns
    (number,) = columns["n"]
    assert columns["text"] == ("x" * (number % 400),)
    count: int = number
    return count


def main(words: list[str]) -> None:
    """Count kills, and what they did."""
    n_rounds, n_transactions = map(int, words)
    done_in_all = before = 0
    with tempfile.TemporaryDirectory() as directory:
        for number, one in enumerate(rounds(Path(directory), n_rounds, n_transactions, 1), 1):
            done = one.acknowledged - before
            before = one.found
            unheard = one.found - one.acknowledged
            done_in_all += done
            torn = ", a torn record" if one.is_torn else ""
            sys.stdout.write(f"kill {number}: {done} acknowledged, {unheard} more kept{torn}\n")
    sys.stdout.write(f"{n_rounds} kills, {done_in_all} acknowledged transactions, none lost\n")


if __name__ == "__main__":
    main(sys.argv[1:])
