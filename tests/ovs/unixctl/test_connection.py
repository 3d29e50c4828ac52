"""What a control connection answers to: each line as the real daemons answered it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.ovs.unixctl.connection import UnixctlConnection
from vnet.ovs.unixctl.request import Request
from vnet.ovs.unixctl.table import Command, CommandError, CommandTable, answering

VERSION = "ovs-vswitchd (Open vSwitch) 3.1.0"


def break_down(_words: Sequence[str]) -> str:
    raise IndexError("nobody thought of this")


def refuse(_words: Sequence[str]) -> str:
    raise CommandError("not today")


class Daemon:
    """One with a few commands, and one client."""

    def __init__(self) -> None:
        self.kept: list[Request] = []
        table = CommandTable(VERSION)
        table.register(
            Command("echo", "[word]...", 0, None, answering(lambda words: " ".join(words))),
            Command("hidden", None, 0, 0, answering(lambda _words: "")),
            Command("later", "", 0, 0, lambda request, _words: self.kept.append(request)),
            Command("broken", None, 0, 0, answering(break_down)),
            Command("refuse", "a b", 1, 2, answering(refuse)),
        )
        self.sent = b""
        self.is_open = True
        self.connection = UnixctlConnection(table, self._send, self._hang_up)

    def _send(self, data: bytes) -> None:
        self.sent += data

    def _hang_up(self) -> None:
        self.is_open = False

    def ask(self, request: bytes) -> bytes:
        self.connection.receive(request)
        sent, self.sent = self.sent, b""
        return sent


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (
            b'{"id":0,"method":"version","params":[]}',
            b'{"id":0,"result":"ovs-vswitchd (Open vSwitch) 3.1.0\\n","error":null}',
        ),
        (
            b'{"id":"a","method":"nope","params":[]}',
            b'{"id":"a","error":"\\"nope\\" is not a valid command '
            b'(use \\"list-commands\\" to see a list of valid commands)\\n"}',
        ),
        (
            b'{"id":1,"method":"version","params":[1]}',
            b'{"id":1,"error":"\\"version\\" command takes at most 0 arguments\\n"}',
        ),
        (
            b'{"id":1,"method":"refuse","params":[]}',
            b'{"id":1,"error":"\\"refuse\\" command requires at least 1 arguments\\n"}',
        ),
        (
            b'{"id":1,"method":"echo","params":["a",1]}',
            b'{"id":1,"error":"\\"echo\\" command has non-string argument\\n"}',
        ),
        (b'{"id":1,"method":"refuse","params":["x"]}', b'{"id":1,"error":"not today\\n"}'),
        (b'{"id":1,"method":"hidden","params":[]}', b'{"id":1,"result":"","error":null}'),
    ],
)
def test_answers_read_as_the_real_daemons(daemon: Daemon, request_: bytes, answer: bytes) -> None:
    assert daemon.ask(request_) == answer
    assert daemon.is_open


@pytest.mark.parametrize(
    "message",
    [
        b"x",
        b"[]",
        b'{"id":null,"method":"version","params":[]}',
        b'{"id":1,"method":"version"}',
        b'{"id":1,"result":3,"error":null}',
    ],
)
def test_who_does_not_speak_the_protocol_loses_the_connection(
    daemon: Daemon, message: bytes
) -> None:
    assert daemon.ask(message) == b""
    assert not daemon.is_open


def test_a_command_that_breaks_down_costs_its_own_answer_alone(daemon: Daemon) -> None:
    broken, fine = (
        b'{"id":1,"method":"broken","params":[]}',
        b'{"id":2,"method":"refuse","params":[]}',
    )
    assert daemon.ask(broken) == b'{"id":1,"error":"internal error (IndexError)\\n"}'
    assert b"requires at least" in daemon.ask(fine)


def test_a_number_that_is_too_long_to_be_read_is_one_that_is_too_large(daemon: Daemon) -> None:
    answer = daemon.ask(b'{"id":1,"method":"echo","params":["p%s"]}' % (b"9" * 5000))
    assert answer == b'{"id":1,"result":"p%s\\n","error":null}' % (b"9" * 4000)


def test_commands_are_listed_by_name_with_their_usage_but_for_hidden_ones(daemon: Daemon) -> None:
    assert daemon.ask(b'{"id":1,"method":"list-commands","params":[]}') == (
        b'{"id":1,"result":"The available commands are:\\n'
        b"  echo                    [word]...\\n"
        b"  later                   \\n"
        b"  list-commands           \\n"
        b"  refuse                  a b\\n"
        b'  version                 \\n","error":null}'
    )


def test_requests_wait_for_the_answer_to_the_one_before(daemon: Daemon) -> None:
    asked = b'{"id":1,"method":"later","params":[]}{"id":2,"method":"echo","params":["x"]}'
    assert daemon.ask(asked) == b""
    daemon.kept[0].reply("done")
    assert daemon.sent == (
        b'{"id":1,"result":"done\\n","error":null}{"id":2,"result":"x\\n","error":null}'
    )


def test_an_answer_to_a_client_that_has_gone_goes_nowhere(daemon: Daemon) -> None:
    daemon.ask(b'{"id":1,"method":"later","params":[]}')
    daemon.connection.closed()
    daemon.kept[0].reply("done")
    assert daemon.sent == b""


def test_nothing_is_answered_twice(daemon: Daemon) -> None:
    daemon.ask(b'{"id":1,"method":"later","params":[]}')
    daemon.kept[0].fail("no")
    with pytest.raises(RuntimeError, match="twice"):
        daemon.kept[0].reply("yes")


REQUESTS = st.sampled_from(
    (
        b'{"id":0,"method":"version","params":[]}',
        b'{"id":1,"method":"echo","params":["\xc3\xa4","b"]}',
        b'{"id":{"a":[1]},"method":"list-commands","params":[]}',
        b'{"method":3}',
        b'{"id":1,"method":"\\u0000","params":[[[]]]}',
        b"[" * 200,
        b" ",
    )
)


@given(st.lists(st.one_of(REQUESTS, st.binary(max_size=20)), max_size=8), st.data())
def test_whatever_comes_costs_at_most_the_connection(
    parts: list[bytes], data: st.DataObject
) -> None:
    daemon, stream = Daemon(), b"".join(parts)
    while stream and daemon.is_open:
        n_bytes = data.draw(st.integers(1, len(stream)))
        daemon.ask(stream[:n_bytes])
        stream = stream[n_bytes:]
    assert Daemon().ask(b'{"id":0,"method":"hidden","params":[]}') == (
        b'{"id":0,"result":"","error":null}'
    )
