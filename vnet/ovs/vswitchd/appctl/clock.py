"""``time/...``: the clock of a daemon stands still, and is moved (``lib/timeval.c``'s warping).

A daemon has these with ``--enable-dummy`` only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from vnet.base.units import NS_PER_MS
from vnet.ovs.unixctl.request import Request
from vnet.ovs.unixctl.table import Command, CommandError
from vnet.sim.scheduler import Scheduler

_NUMBER = re.compile(r"\s*([-+]?[0-9]+)")


class MovableClock(Protocol):
    """A clock that can be told what time it is."""

    def freeze(self) -> None:
        """Time passes no more, but by :meth:`warp`."""

    def warp(self, duration_ns: int, then: Callable[[], None]) -> None:
        """Let time pass at once; call ``then`` when all that was due by then has happened."""


class VirtualClock:
    """A scheduler of virtual time, which stands still unless somebody runs it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def freeze(self) -> None:
        """It never moves by itself."""

    def warp(self, duration_ns: int, then: Callable[[], None]) -> None:
        """Run the scheduler."""
        self._scheduler.run(self._scheduler.now_ns + duration_ns)
        then()


class _Walk:
    """A request that is answered when the clock has come far enough, step by step."""

    def __init__(self, clock: MovableClock, request: Request, left_ms: int, step_ms: int) -> None:
        self._clock = clock
        self._request = request
        self._left_ms = left_ms
        self._step_ms = step_ms

    def step(self) -> None:
        """Take a step, or answer."""
        if self._left_ms <= 0:
            self._request.reply("warped")
            return
        step_ms = min(self._step_ms, self._left_ms)
        self._left_ms -= step_ms
        self._clock.warp(step_ms * NS_PER_MS, self.step)


def clock_commands(clock: MovableClock) -> tuple[Command, ...]:
    """``time/stop`` and ``time/warp``."""

    def stop(request: Request, _words: Sequence[str]) -> None:
        clock.freeze()
        request.reply()

    def warp(request: Request, words: Sequence[str]) -> None:
        """``time/warp [large_msecs] msecs``: at once, or so far in steps of ``msecs``."""
        *large, step_ms = map(_number, words)
        (total_ms,) = large or (0,)
        if step_ms <= 0 or total_ms < 0:
            raise CommandError("invalid MSECS")
        _Walk(clock, request, total_ms or step_ms, step_ms).step()

    return (
        Command("time/stop", "", 0, 0, stop),
        Command("time/warp", "[large_msecs] msecs", 1, 2, warp),
    )


def _number(text: str) -> int:
    found = _NUMBER.match(text)
    return int(found[1]) if found else 0
