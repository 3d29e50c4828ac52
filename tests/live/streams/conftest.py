"""A clock to run streams on, and how to wait for something on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.live.clock import WallClock

PATIENCE_NS = 10 * NS_PER_S

RunUntil = Callable[[Callable[[], object]], None]


@pytest.fixture
def clock() -> Iterator[WallClock]:
    made = WallClock()
    made.begin()
    yield made
    made.close()


@pytest.fixture
def run_until(clock: WallClock) -> RunUntil:
    """Let the clock run until something is so; fails where it never is."""

    def run(holds: Callable[[], object]) -> None:
        end_ns = clock.real_now_ns + PATIENCE_NS
        while not holds():
            assert clock.real_now_ns < end_ns, "it never came to that"
            clock.run_live(clock.real_now_ns + 2 * NS_PER_MS)

    return run
