"""The control socket under strain: whoever behaves badly there loses a connection, and nobody else
notices."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vnet.live.clock import WallClock
from vnet.live.unixctl import UnixctlServer
from vnet.ovs.unixctl.request import Request
from vnet.ovs.unixctl.table import Command, CommandTable

RunUntil = Callable[[Callable[[], object]], None]

ASKED = b'{"id":1,"method":"version","params":[]}'
ANSWERED = b'{"id":1,"result":"it (Open vSwitch) 3.1.0\\n","error":null}'


class Server:
    """A server with a command that nobody answers, and clients."""

    def __init__(self, clock: WallClock, folder: Path) -> None:
        self.kept: list[Request] = []
        self.clients: list[socket.socket] = []
        table = CommandTable("it (Open vSwitch) 3.1.0")
        table.register(
            Command("never", "", 0, 0, lambda request, _words: self.kept.append(request)),
            Command("much", "", 0, 0, lambda request, _words: request.reply("x" * (1 << 20))),
        )
        self.server = UnixctlServer(clock, table, "it", directory=str(folder))

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        client.connect(self.server.path)
        self.clients.append(client)
        return client

    def close(self) -> None:
        self.server.close()
        for client in self.clients:
            client.close()


@pytest.fixture
def server(clock: WallClock, tmp_path: Path) -> Iterator[Server]:
    made = Server(clock, tmp_path)
    yield made
    made.close()


def heard(client: socket.socket) -> bytes | None:
    """What has come; nothing yet is None, and the end is empty."""
    try:
        return client.recv(1 << 20)
    except BlockingIOError:
        return None
    except ConnectionResetError:
        return b""


def ask(server: Server, run_until: RunUntil) -> bytes | None:
    client, answers = server.connect(), list[bytes]()
    client.send(ASKED)

    def has_answered() -> bool:
        answer = heard(client)
        if answer is not None:
            answers.append(answer)
        return bool(answers)

    run_until(has_answered)
    return answers[0]


def test_two_hundred_clients_at_once_are_answered(server: Server, run_until: RunUntil) -> None:
    for _ in range(200):
        server.connect().send(ASKED)
    answers: dict[int, bytes] = {}

    def all_have_answers() -> bool:
        for number, client in enumerate(server.clients):
            answer = None if number in answers else heard(client)
            if answer is not None:
                answers[number] = answer
        return len(answers) == 200

    run_until(all_have_answers)
    assert set(answers.values()) == {ANSWERED}


def test_random_bytes_cost_their_sender_the_connection_alone(
    server: Server, run_until: RunUntil
) -> None:
    drawn = random.Random(8)
    for _ in range(60):
        client = server.connect()
        parts = (ASKED, drawn.randbytes(drawn.randrange(1, 40)), b"[" * 150, b'{"a":', b"\0")
        client.send(b"".join(drawn.choices(parts, k=3)))
        if drawn.random() < 0.5:
            client.close()
    assert ask(server, run_until) == ANSWERED


def test_who_waits_for_an_answer_keeps_nobody_else_waiting(
    server: Server, run_until: RunUntil
) -> None:
    for _ in range(3):
        server.connect().send(b'{"id":1,"method":"never","params":[]}' + ASKED)
    run_until(lambda: len(server.kept) == 3)
    assert ask(server, run_until) == ANSWERED
    server.clients[0].close()
    assert ask(server, run_until) == ANSWERED
    server.kept[0].reply("too late")
    assert ask(server, run_until) == ANSWERED


def test_who_asks_for_much_and_takes_nothing_is_not_asked_for_more(
    server: Server, run_until: RunUntil
) -> None:
    client = server.connect()
    client.send(b'{"id":1,"method":"much","params":[]}' * 50)
    assert ask(server, run_until) == ANSWERED
    taken = 0

    def is_all_taken() -> bool:
        nonlocal taken
        while (data := heard(client)) is not None and data:
            taken += len(data)
        return taken >= 50 << 20

    assert max(stream.unsent_bytes for stream in server.server._streams) <= 2 << 20
    run_until(is_all_taken)
