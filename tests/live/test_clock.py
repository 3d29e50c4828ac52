"""The scheduler by the wall clock: events in time, files first, and an end."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from vnet.base.units import NS_PER_MS
from vnet.live.clock import WallClock


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
