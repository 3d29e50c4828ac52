"""The scheduler by the wall clock: events in time, files first, and an end."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.live.clock import WallClock
from vnet.ovs.unixctl.request import Request
from vnet.ovs.vswitchd.appctl.clock import clock_commands


@pytest.fixture
def clock() -> Iterator[WallClock]:
    made = WallClock()
    yield made
    made.close()


def test_events_come_in_order_and_not_before_their_time(clock: WallClock) -> None:
    seen: list[tuple[str, bool]] = []
    clock.begin()
    for name, due_ms in (("late", 20), ("early", 5)):
        due_ns = due_ms * NS_PER_MS
        clock.at(due_ns, lambda n=name, t=due_ns: seen.append((n, clock.real_now_ns >= t)))
    clock.at(30 * NS_PER_MS, clock.stop)
    clock.run_live()
    assert seen == [("early", True), ("late", True)]


def test_it_ends_when_it_shall_with_nothing_to_do(clock: WallClock) -> None:
    clock.begin()
    clock.run_live(10 * NS_PER_MS)
    assert clock.real_now_ns >= 10 * NS_PER_MS


def test_what_has_come_is_read_before_what_is_due(clock: WallClock) -> None:
    near, far = socket.socketpair()
    told: list[str] = []

    def read() -> None:
        told.append(far.recv(10).decode())

    clock.watch(far, read)
    clock.before = lambda: told.append("before")
    near.send(b"answer")
    clock.begin()
    clock.at(0, told.append, "timeout")
    clock.at(0, clock.stop)
    clock.run_live()
    near.close()
    assert told == ["before", "answer", "timeout"]


def test_files_that_are_forgotten_or_left_are_closed_with_it() -> None:
    clock = WallClock()
    near, far = socket.socketpair()
    clock.watch(near, lambda: None)
    clock.watch(far, lambda: None)
    clock.forget(far)
    clock.forget(far)
    clock.close()
    assert near.fileno() == -1
    assert far.fileno() >= 0
    far.close()


def test_a_clock_that_stands_still_moves_by_jumps_alone_and_serves_files_meanwhile(
    clock: WallClock,
) -> None:
    near, far = socket.socketpair()
    seen: list[str] = []

    def read() -> None:
        seen.append(far.recv(10).decode())
        if len(seen) == 1:
            clock.warp(50 * NS_PER_MS, lambda: seen.append("there"))
        elif seen[-1] == "end":
            clock.stop()

    clock.watch(far, read)
    clock.begin()
    clock.freeze()
    stopped_ns = clock.real_now_ns
    clock.at(stopped_ns + 50 * NS_PER_MS, seen.append, "due")
    clock.at(stopped_ns + 50 * NS_PER_MS, near.send, b"end")
    clock.at(stopped_ns + 60 * NS_PER_MS, seen.append, "never")
    near.send(b"first")
    clock.run_live()
    near.close()
    assert seen == ["first", "due", "there", "end"]
    assert clock.real_now_ns == stopped_ns + 50 * NS_PER_MS


def test_a_walk_has_each_step_happen_before_the_next(clock: WallClock) -> None:
    seen: list[int] = []
    answers: list[tuple[bool, str]] = []
    commands = {each.name: each for each in clock_commands(clock)}
    clock.begin()
    commands["time/stop"].run(Request(lambda well, text: answers.append((well, text))), [])
    began_ns = clock.real_now_ns

    def due(after_ms: int) -> None:
        seen.append(after_ms)
        clock.at(clock.now_ns + 10 * NS_PER_MS, due, after_ms + 10)

    clock.at(began_ns + 10 * NS_PER_MS, due, 10)

    def answered(well: bool, text: str) -> None:
        answers.append((well, text))
        clock.stop()

    request = Request(answered)
    commands["time/warp"].run(request, ["55", "20"])
    assert not request.is_answered
    clock.run_live()
    assert answers == [(True, ""), (True, "warped")]
    assert seen == [10, 20, 30, 40, 50]
    assert clock.real_now_ns == began_ns + 55 * NS_PER_MS


def test_a_clock_that_runs_can_jump_too(clock: WallClock) -> None:
    clock.begin()
    clock.warp(3600 * NS_PER_S, clock.stop)
    clock.run_live()
    assert clock.real_now_ns >= 3600 * NS_PER_S
