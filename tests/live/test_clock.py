"""The wall clock, and the files that it waits for."""

from __future__ import annotations

import socket
from functools import partial

from vnet.live.clock import WallClock


def test_a_file_that_an_event_closed_is_left_alone() -> None:
    """Both are ready at once, and whoever is told first closes the other."""
    clock = WallClock()
    ends = [socket.socketpair() for _ in range(2)]
    told = []

    def close_other(number: int) -> None:
        told.append(number)
        other, _far = ends[1 - number]
        clock.forget(other)
        other.close()
        clock.stop()

    for number, (near, far) in enumerate(ends):
        clock.watch(near, partial(close_other, number))
        far.send(b"x")
    clock.begin()
    clock.run_live(1_000_000_000)
    assert len(told) == 1
    clock.close()
    for near, far in ends:
        near.close()
        far.close()
