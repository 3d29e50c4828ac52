"""JSON-RPC that nobody would send, thrown at a database server.

    python -m benchmarks.fuzz_ovsdb 1000000
    python -m benchmarks.fuzz_ovsdb 10000 --seed 7

Requests that clients do send are changed: values put in others' places, names that are none,
numbers out of range, things inside each other, and bytes flipped, left out, doubled and cut. Each
client says some of it and leaves, by a message cut in two as often as not.

After each client: a bystander that monitors all is answered, and what it was told adds up to
what the database holds; nobody who has left is remembered. An exception ends the run with what
was sent.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.harness import interpreter
from vnet.base.chance import Chance, Stream
from vnet.base.units import NS_PER_MS
from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.jsonrpc.limits import Limits
from vnet.ovs.jsonrpc.reader import MessageReader
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.server.copying import apply_updates2
from vnet.ovs.ovsdb.server.server import Server
from vnet.ovs.ovsdb.shipped import open_vswitch_schema
from vnet.sim.scheduler import Scheduler

MESSAGES_A_CLIENT = 20
LIMITS = Limits(message_bytes=1 << 20, depth=100, parts=10_000)

_ODD_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**63 - 1, -(2**63), 2**64, 1.5, 1e308, -0.0),
    *("", "x", "\N{GRINNING FACE}", "\x01", "a" * 300, "00000000-0000-0000-0000-000000000000"),
    *([], {}, ["set", []], ["map", []], ["uuid", "x"], ["named-uuid", "b"], ["set", [1, 1]]),
    *(["map", [["a", "b"], ["a", "c"]]], ["set", [["set", []]]], [[]], [[[[[]]]]], {"": {}}),
]

_BRIDGE: dict[str, Any] = {"name": "br0", "other_config": ["map", [["a", "b"]]], "protocols": []}
_INSERT = {"op": "insert", "table": "Bridge", "row": _BRIDGE, "uuid-name": "b"}
_ROOT = {"op": "insert", "table": "Open_vSwitch", "row": {"bridges": ["named-uuid", "b"]}}
_BY_NAME = [["name", "==", "br0"]]


def _about(op: str, **members: Any) -> dict[str, Any]:
    return {"op": op, "table": "Bridge", "where": _BY_NAME, **members}


_OPERATIONS: list[Any] = [
    *(_INSERT, _ROOT, _about("delete"), {"op": "comment", "comment": "x"}, {"op": "abort"}),
    _about("select", columns=["name", "_uuid"]),
    _about("update", row={"other_config": ["map", [["c", "d"]]], "stp_enable": True}),
    _about("mutate", mutations=[["other_config", "insert", ["map", [["e", "f"]]]]]),
    _about("mutate", mutations=[["flood_vlans", "insert", ["set", [1, 2, 3]]]]),
    _about("wait", columns=["name"], until="==", rows=[{"name": "br0"}], timeout=5),
    *({"op": "assert", "lock": "l"}, {"op": "commit", "durable": True}),
    {"op": "delete", "table": "Open_vSwitch", "where": []},
]
_REQUESTS: dict[str, Any] = {"Bridge": [{"columns": ["name", "other_config"]}], "Port": [{}]}
_SINCE = "00000000-0000-0000-0000-000000000001"
_CALLS: list[tuple[str, list[Any]]] = [
    ("list_dbs", []),
    ("get_schema", ["Open_vSwitch"]),
    ("echo", ["a", {"b": [1]}]),
    ("monitor", ["Open_vSwitch", "m1", {"Bridge": {"columns": ["name"], "select": {}}}]),
    ("monitor_cond", ["Open_vSwitch", "m2", {"Bridge": [{"where": _BY_NAME}]}]),
    ("monitor_cond_since", ["Open_vSwitch", "m3", _REQUESTS, _SINCE]),
    ("monitor_cond_change", ["m2", "m4", {"Bridge": [{"where": [["stp_enable", "==", True]]}]}]),
    ("monitor_cancel", ["m1"]),
    ("lock", ["l"]),
    ("steal", ["l"]),
    ("unlock", ["l"]),
    ("set_db_change_aware", [True]),
    ("get_server_id", []),
    ("cancel", [1]),
    ("convert", ["Open_vSwitch", {"name": "Other", "version": "1.0.0", "tables": {}}]),
]


class Mutator:
    """Makes requests and spoils them."""

    def __init__(self, chance: Stream) -> None:
        self._chance = chance

    def message(self) -> bytes:
        """One message, spoilt a little or a lot, or not at all."""
        value = self._request()
        for _ in range(self._chance.choice((0, 1, 1, 2, 4))):
            if self._chance.random() < 0.03:
                value = self._spoil(value)
            elif type(value) is dict:
                value = value | {"params": self._spoil(value.get("params"))}
        data = json.dumps(value, ensure_ascii=self._chance.random() < 0.5).encode()
        if self._chance.random() < 0.03:
            data = self._spoil_bytes(data)
        return data

    def _request(self) -> Any:
        if self._chance.random() < 0.6:
            count = self._chance.randrange(1, 5)
            operations = [self._chance.choice(_OPERATIONS) for _ in range(count)]
            method, params = "transact", ["Open_vSwitch", *operations]
        else:
            method, params = self._chance.choice(_CALLS)
        return {"id": self._chance.randrange(5), "method": method, "params": params}

    def _spoil(self, value: Any) -> Any:
        """Change one thing somewhere in a value."""
        if type(value) is dict and value and self._chance.random() < 0.9:
            name = self._chance.choice(sorted(value))
            if self._chance.random() < 0.1:
                return {key: one for key, one in value.items() if key != name}
            return value | {name: self._spoil(value[name])}
        if type(value) is list and value and self._chance.random() < 0.9:
            index = self._chance.randrange(len(value))
            if self._chance.random() < 0.1:
                return [*value[:index], *value[index:] * 2]
            return [*value[:index], self._spoil(value[index]), *value[index + 1 :]]
        return self._chance.choice(_ODD_VALUES)

    def _spoil_bytes(self, data: bytes) -> bytes:
        at = self._chance.randrange(len(data) + 1)
        kind = self._chance.randrange(5)
        if kind == 0:
            return data[:at] + bytes([self._chance.randrange(256)]) + data[at + 1 :]
        if kind == 1:
            return data[:at]
        if kind == 2:
            return data[:at] + data[at + self._chance.randrange(8) :]
        if kind == 3:
            return data[:at] + b"[" * self._chance.choice((1, 50, 200)) + data[at:]
        return data[:at] + data[: self._chance.randrange(64)] + data[at:]


class Fuzzer:
    """A server, a bystander and one hostile client after the other."""

    def __init__(self, seed: int) -> None:
        self._chance = Chance(seed).stream("fuzz ovsdb")
        self._mutator = Mutator(self._chance)
        self._scheduler = Scheduler()
        self._new_uuid = _counting()
        self._server = Server(self._scheduler, self._new_uuid)
        self._database = Database(open_vswitch_schema(), new_uuid=self._new_uuid)
        self._server.add(self._database)
        self.n_messages = 0
        self.n_refused = 0
        self.n_answers = 0
        self._bystander = Bystander(self._server, self._database)

    def client(self) -> None:
        """Let one client come, say its say, and leave."""
        peer = Peer()
        session = self._server.open_session(peer)
        session.knows_of_changes = self._chance.random() < 0.5
        reader = MessageReader(LIMITS)
        said: list[bytes] = []
        try:
            for _ in range(MESSAGES_A_CLIENT):
                said.append(self._mutator.message())
                self.n_messages += 1
                for value in reader.read(said[-1]):
                    session.receive(value)
                self._scheduler.run(self._scheduler.now_ns + NS_PER_MS)
                if not peer.is_connected:
                    break
        except JsonRpcError:
            self.n_refused += 1
        except Exception as error:
            error.add_note(repr(said))
            raise
        session.close()
        self.n_answers += peer.n_messages
        self._scheduler.run(self._scheduler.now_ns + NS_PER_MS)
        self._check()

    def _check(self) -> None:
        self._bystander.check()
        if len(self._server.pendings) or len(self._server.sessions) != 1:
            raise AssertionError("somebody who has left is remembered")
        if self._chance.random() < 0.02:
            self._bystander.clear()


class Peer:
    """A connection that takes whatever it is told."""

    name = "fuzz"
    unsent_bytes = 0

    def __init__(self) -> None:
        self.is_connected = True
        self.n_messages = 0

    def send(self, data: bytes) -> None:
        _decode(data)
        self.n_messages += 1

    def disconnect(self) -> None:
        self.is_connected = False


class Bystander:
    """A good client, whose copy of the database is kept by what it is told."""

    name = "bystander"
    unsent_bytes = 0

    def __init__(self, server: Server, database: Database) -> None:
        self._database = database
        self._copy = Database(database.schema, new_uuid=_counting())
        self._replies: list[Any] = []
        self._session = server.open_session(self)
        self._session.knows_of_changes = True
        everything: dict[str, Any] = {name: [{}] for name in self._copy.tables}
        self._call("monitor_cond", ["Open_vSwitch", "all", everything])

    def send(self, data: bytes) -> None:
        message = _decode(data)
        if message.get("method") == "update2":
            apply_updates2(self._copy, message["params"][1])
        else:
            self._replies.append(message)

    def disconnect(self) -> None:
        raise AssertionError("the bystander was disconnected")

    def check(self) -> None:
        """Raise where it is not answered, or was not told all."""
        if self._call("echo", [1])["result"] != [1]:
            raise AssertionError("the bystander is not answered")
        for name, table in self._database.tables.items():
            ours = {uuid: row.columns for uuid, row in table.rows.items()}
            copied = {uuid: row.columns for uuid, row in self._copy.tables[name].rows.items()}
            if ours != copied:
                raise AssertionError(f"the bystander was not told all of {name}")

    def clear(self) -> None:
        """Delete all there is, so that the same can be inserted again."""
        everything = {"op": "delete", "table": "Open_vSwitch", "where": []}
        self._call("transact", ["Open_vSwitch", everything])

    def _call(self, method: str, params: list[Any]) -> Any:
        self._session.receive({"id": 0, "method": method, "params": params})
        return self._replies.pop()


def _decode(data: bytes) -> Any:
    """A message, in which there may be bytes that are no UTF-8 where a client said so."""
    return json.loads(data.decode("utf-8", "surrogateescape"))


def _counting() -> Callable[[], Uuid]:
    numbers = itertools.count(1)
    return lambda: Uuid(f"{next(numbers):08x}-0000-4000-8000-000000000000")


def fuzz(messages: int, seed: int) -> Fuzzer:
    """Throw so many messages, or a few more."""
    fuzzer = Fuzzer(seed)
    while fuzzer.n_messages < messages:
        fuzzer.client()
    return fuzzer


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_ovsdb")
    parser.add_argument("count", type=int, nargs="?", default=100_000, metavar="MESSAGES")
    parser.add_argument("--seed", type=int, default=1, help="other messages")
    chosen = parser.parse_args()
    print(interpreter())
    fuzzer = fuzz(chosen.count, chosen.seed)
    print(
        f"{fuzzer.n_messages:,} messages, seed {chosen.seed}: {fuzzer.n_answers:,} answers, "
        f"{fuzzer.n_refused:,} clients lost their connection, and nobody else anything"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
