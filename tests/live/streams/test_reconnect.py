"""When one tries again, asks, and gives up: the times are Open vSwitch's."""

from __future__ import annotations

import errno

import pytest

from vnet.live.streams.reconnect import Action, Reconnect, State
from vnet.live.streams.stream import END_OF_FILE
from vnet.ovs.vlog.level import Destination
from vnet.ovs.vlog.vlog import Vlog


class Around:
    """A process without a clock."""

    program = host = "x"
    pid = 1

    def wall_ms(self) -> int:
        return 0

    def monotonic_ms(self) -> int:
        return 0


class Trying:
    """One that tries to reach another, and what it says meanwhile."""

    def __init__(self) -> None:
        self.said: list[str] = []
        vlog = Vlog(Around())
        vlog.set_pattern(Destination.FILE, "%p %m")
        vlog.set_sink(Destination.FILE, self)
        self.state = Reconnect("tcp:x", 0, vlog)
        self.state.enable(0)

    def write(self, line: str) -> None:
        self.said.append(line.rstrip("\n"))

    def take_said(self) -> list[str]:
        said, self.said = self.said, []
        return said

    def connect(self, now_ms: int) -> None:
        assert self.state.due(now_ms) is Action.CONNECT
        self.state.connecting(now_ms)
        self.state.connected(now_ms)


@pytest.fixture
def trying() -> Trying:
    return Trying()


def test_attempts_come_after_one_two_four_and_then_each_eight_seconds(trying: Trying) -> None:
    now_ms, waits_ms = 0, []
    for _ in range(7):
        deadline_ms = trying.state.deadline_ms
        assert deadline_ms is not None
        waits_ms.append(deadline_ms - now_ms)
        now_ms = deadline_ms
        assert trying.state.due(now_ms) is Action.CONNECT
        trying.state.connecting(now_ms)
        trying.state.disconnected(now_ms, errno.ECONNREFUSED)
    assert waits_ms == [0, 1000, 2000, 4000, 8000, 8000, 8000]
    failed = "INFO tcp:x: connection attempt failed (Connection refused)"
    assert trying.said[:6] == [
        "INFO tcp:x: connecting...",
        failed,
        "INFO tcp:x: connecting...",
        failed,
        "INFO tcp:x: waiting 2 seconds before reconnect",
        "INFO tcp:x: connecting...",
    ]
    assert trying.said[-1] == (
        "INFO tcp:x: continuing to reconnect in the background but suppressing further logging"
    )


def test_a_silent_peer_is_asked_and_then_given_up(trying: Trying) -> None:
    trying.connect(0)
    trying.state.activity(1_000)
    assert trying.state.due(5_999) is None
    assert trying.state.due(6_000) is Action.PROBE
    assert trying.state.due(10_999) is None
    trying.take_said()
    assert trying.state.due(11_000) is Action.DISCONNECT
    trying.state.disconnected(11_000, 0)
    assert trying.said == [
        "ERR tcp:x: no response to inactivity probe after 5 seconds, disconnecting",
        "INFO tcp:x: connection dropped",
    ]


def test_an_answer_keeps_the_connection(trying: Trying) -> None:
    trying.connect(0)
    assert trying.state.due(5_000) is Action.PROBE
    trying.state.activity(5_100)
    assert trying.state.state is State.ACTIVE
    assert trying.state.due(10_000) is None


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errno.ECONNRESET, "WARN tcp:x: connection dropped (Connection reset by peer)"),
        (END_OF_FILE, "INFO tcp:x: connection closed by peer"),
        (0, "INFO tcp:x: connection dropped"),
    ],
)
def test_the_end_of_a_connection_is_told_by_its_cause(
    trying: Trying, error: int, sentence: str
) -> None:
    trying.connect(0)
    trying.take_said()
    trying.state.disconnected(10_000, error)
    assert trying.said == [sentence]
    assert trying.state.deadline_ms == 11_000


def test_an_attempt_that_takes_too_long_is_given_up(trying: Trying) -> None:
    trying.state.connecting(0)
    assert trying.state.due(999) is None
    assert trying.state.due(1_000) is Action.DISCONNECT
    trying.state.disconnected(1_000, 0)
    assert trying.said[-1] == "INFO tcp:x: connection attempt timed out"


def test_after_its_last_try_it_stays_away(trying: Trying) -> None:
    trying.state.tries_left = 1
    trying.connect(0)
    trying.state.disconnected(10, END_OF_FILE)
    assert trying.state.due(1_010) is Action.CONNECT
    trying.state.connecting(1_010)
    trying.state.disconnected(1_010, errno.ECONNREFUSED)
    assert trying.state.state is State.VOID
    assert trying.state.deadline_ms is None


def test_who_wants_no_questions_is_not_asked(trying: Trying) -> None:
    trying.state.set_probe_interval(0)
    trying.connect(0)
    assert trying.state.deadline_ms is None
