"""Many clients, and clients that are none: each costs its own connection only."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.fuzz_ovsdb import Mutator
from tests.live.ovsdb.raw_client import RawClient
from tests.live.ovsdb.servers import Servers
from tests.live.processes import wait_until, worked_s

pytestmark = pytest.mark.ovs

CLIENTS = 200
LONGEST_TURN_S = 10


@pytest.fixture
def pid(ours: Servers) -> int:
    made = ours.serve()
    ours.vsctl("init")
    return made


@pytest.fixture
def bystander(ours: Servers, pid: int) -> Iterator[RawClient]:
    client = RawClient(ours.socket)
    yield client
    client.close()


def bridge(name: str, **columns: object) -> list[dict[str, object]]:
    row = {"name": name, **columns}
    added = [["bridges", "insert", ["set", [["named-uuid", "b"]]]]]
    return [
        {"op": "insert", "table": "Bridge", "row": row, "uuid-name": "b"},
        {"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": added},
    ]


def resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def is_served(bystander: RawClient, pid: int) -> bool:
    """Whether a good client is answered, and does not wait for what others keep the server at."""
    began_s = worked_s(pid)
    answer = bystander.call("echo", "still there")
    return answer["result"] == ["still there"] and worked_s(pid) - began_s < LONGEST_TURN_S


def test_two_hundred_clients_monitor_and_write_at_once(ours: Servers, pid: int) -> None:
    clients = [RawClient(ours.socket) for _ in range(CLIENTS)]
    for client in clients:
        client.say("monitor", "Open_vSwitch", "m", {"Bridge": {"columns": ["name"]}})
    for client in clients:
        assert client.answer()["result"] == {}
    for number, client in enumerate(clients):
        client.say("transact", "Open_vSwitch", *bridge(f"br{number}"))
    for client in clients:
        assert client.answer()["result"][1] == {"count": 1}
    for client in clients:
        client.call("echo")
        names = {
            row["new"]["name"]
            for update in client.told
            for row in update["params"][1]["Bridge"].values()
        }
        assert names == {f"br{number}" for number in range(CLIENTS)}
        client.close()


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"id":1,"method":"echo","params":[' + b"[]," * 4_500_000 + b"[]]}",
        b'{"id":1,"method":"echo","params":["' + b"x" * (65 << 20) + b'"]}',
        b'{"id":1,"method":"echo","params":{}}',
        b'{"id":1,"result":2,"error":null}',
        b"[]",
    ],
    ids=[
        "http",
        "zeros",
        "tls",
        "deep",
        "deep objects",
        "parts",
        "huge",
        "params",
        "reply",
        "array",
    ],
)
def test_one_who_speaks_something_else_is_hung_up_on(
    said: bytes, ours: Servers, pid: int, bystander: RawClient
) -> None:
    hostile = RawClient(ours.socket)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        hostile.socket.sendall(said)
    assert hostile.is_hung_up()
    hostile.close()
    assert is_served(bystander, pid)


def test_those_who_vanish_or_never_finish_are_forgotten(
    ours: Servers, pid: int, bystander: RawClient
) -> None:
    waiting = [RawClient(ours.socket) for _ in range(20)]
    for client in waiting:
        client.socket.sendall(b'{"id":1,"method":"transact","params":["Open_vSwitch",{"op":"wai')
    for number in range(50):
        client = RawClient(ours.socket)
        client.say("monitor", "Open_vSwitch", "m", {"Bridge": {}})
        client.say("lock", "l")
        client.say("transact", "Open_vSwitch", *bridge(f"br{number}"))
        if number % 2:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    assert is_served(bystander, pid)
    for client in waiting:
        client.close()
    wait_until(lambda: "sessions:1" in ours.ask("memory/show")[0].split())
    assert bystander.call("lock", "l")["result"] == {"locked": True}


def test_one_who_does_not_read_costs_no_memory_and_is_told_the_outcome_later(
    ours: Servers, pid: int, bystander: RawClient
) -> None:
    filler = "x" * 10_000
    for name in ("a", "b"):
        bystander.call("transact", "Open_vSwitch", *bridge(name))
    slow = RawClient(ours.socket)
    slow.call("monitor", "Open_vSwitch", "m", {"Bridge": {"columns": ["name", "external_ids"]}})
    before_kb = resident_kb(pid)
    where = [["name", "==", "a"]]
    for number in range(1500):
        row = {"external_ids": ["map", [["number", str(number)], ["filler", filler]]]}
        update = {"op": "update", "table": "Bridge", "where": where, "row": row}
        bystander.call("transact", "Open_vSwitch", update)
    assert resident_kb(pid) - before_kb < 10_000
    slow.call("echo")
    [row] = slow.told[-1]["params"][1]["Bridge"].values()
    assert ["number", "1499"] in row["new"]["external_ids"][1]
    assert len(slow.told) < 1000
    slow.close()


def test_one_who_asks_and_does_not_listen_is_not_worked_for(
    ours: Servers, pid: int, bystander: RawClient
) -> None:
    deaf = RawClient(ours.socket)
    deaf.socket.setblocking(False)
    request = json.dumps({"id": 1, "method": "get_schema", "params": ["Open_vSwitch"]}).encode()
    before_kb = resident_kb(pid)
    for _ in range(200):
        try:
            deaf.socket.send(request * 500)
        except BlockingIOError:
            time.sleep(0.001)
    assert is_served(bystander, pid)
    assert resident_kb(pid) - before_kb < 10_000
    deaf.close()


def test_random_hostility_leaves_the_server_as_it_was(
    ours: Servers, pid: int, bystander: RawClient
) -> None:
    mutator = Mutator(random.Random(5))
    for _ in range(60):
        hostile = RawClient(ours.socket)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            hostile.socket.sendall(b"".join(mutator.message() for _ in range(20)))
        hostile.close()
        assert is_served(bystander, pid)
    os.kill(pid, 0)
    lines = ours.log("ovsdb-server").splitlines()
    assert not [line for line in lines if "|EMER|" in line or "Traceback" in line]
