"""The same conversations with the real ovsdb-server and with ours: word for word the same."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ovs.ovsdb.real_server import IS_INSTALLED, create, serving
from tests.ovs.ovsdb.server.conversations import CONVERSATIONS, SCHEMA, Step
from tests.ovs.ovsdb.server.peers import Bench
from tests.ovs.ovsdb.server.random_conversations import Talk

NAMES = ("a", "b", "c")


class RawClient:
    """A connection to the real server."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._unread = ""
        self._decoder = json.JSONDecoder()

    def send(self, message: Any) -> None:
        self._connection.sendall(json.dumps(message).encode())

    def told(self) -> list[Any]:
        """All it has been told by now. Asked twice, since some things follow from others."""
        return self._until("first sync") + self._until("second sync")

    def _until(self, mark: str) -> list[Any]:
        self.send({"id": mark, "method": "echo", "params": []})
        told: list[Any] = []
        while True:
            message = self._next()
            if message.get("id") == mark:
                return told
            told.append(message)

    def _next(self) -> Any:
        while True:
            try:
                message, end = self._decoder.raw_decode(self._unread)
            except json.JSONDecodeError:
                octets = self._connection.recv(1 << 20)
                assert octets, "the server hung up"
                self._unread += octets.decode()
                continue
            self._unread = self._unread[end:]
            return message


@contextmanager
def real_clients(directory: Path) -> Iterator[dict[str, RawClient]]:
    file = create(directory, SCHEMA)
    with serving(directory, file, "talk"), ExitStack() as stack:
        clients = {}
        for name in NAMES:
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.settimeout(30)
            connection.connect(str(directory / "db.sock"))
            clients[name] = RawClient(connection)
        yield clients


def with_ours(steps: list[Step]) -> Iterator[dict[str, list[Any]]]:
    bench = Bench(SCHEMA)
    for name in NAMES:
        bench.client(name)
    for name, message in steps:
        bench.client(name).session.receive(json.loads(json.dumps(message)))
        bench.settle()
        yield {name: bench.client(name).take() for name in NAMES}


def without_what_differs(told: list[Any]) -> Any:
    """Rows have versions of their own, an object has no order, nor have notifications that are sent
    at once for several monitors; and of rows that are alike, any two may be named."""
    text = json.dumps(told, sort_keys=True)
    messages = json.loads(text, object_hook=_without_what_differs)
    return sorted(json.dumps(message, sort_keys=True) for message in messages)


def _without_what_differs(members: dict[str, Any]) -> dict[str, Any]:
    if "_version" in members:
        return members | {"_version": "some"}
    details = str(members.get("details", ""))
    return members | {"details": details.partition("to have identical")[0]} if details else members


def compare(steps: list[Step], directory: Path) -> None:
    """Have a conversation with both, and hold what each client is told side by side."""
    with real_clients(directory) as clients:
        for (name, message), ours in zip(steps, with_ours(steps), strict=True):
            clients[name].send(message)
            # Who has spoken is listened to first: what follows for the others is done by then.
            order = sorted(NAMES, key=lambda one: one != name)
            theirs = {one: clients[one].told() for one in order}
            for one in NAMES:
                wanted, found = without_what_differs(theirs[one]), without_what_differs(ours[one])
                assert found == wanted, (name, message, found, wanted)


pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="needs ovsdb-server"),
]


@pytest.mark.parametrize("title", CONVERSATIONS)
def test_a_conversation_is_the_same_with_the_real_server(title: str, tmp_path: Path) -> None:
    compare(CONVERSATIONS[title], tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_a_random_conversation_is_the_same_with_the_real_server(seed: int, tmp_path: Path) -> None:
    compare(Talk(seed).steps(60), tmp_path)
