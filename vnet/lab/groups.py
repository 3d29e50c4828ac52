"""Steps made of steps: the same ones over and over, or several at once.

What is under way inside is closed by who began it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from vnet.guest.apps.app import App
from vnet.sim.scheduler import Scheduler

Then = Callable[[], None]
Begin = Callable[[Then], None]
"""Begins something, and calls the given function, in an event, when that has ended."""


class Repeat(App):
    """Does ``one_round`` ``count`` times (None: for ever), ``interval_ns`` after the one before
    has ended."""

    def __init__(
        self, scheduler: Scheduler, count: int | None, interval_ns: int, one_round: Begin
    ) -> None:
        super().__init__(scheduler)
        self.rounds = 0
        self._count = count
        self._interval_ns = interval_ns
        self._one_round = one_round

    def start(self) -> None:
        self._one_round(self._round_ended)

    def _round_ended(self) -> None:
        self.rounds += 1
        if self.done:
            return
        if self.rounds == self._count:
            self.finish()
        else:
            # An event of its own, or a million rounds would stand on one stack.
            self.scheduler.after(self._interval_ns, self._next_round)

    def _next_round(self) -> None:
        if not self.done:
            self._one_round(self._round_ended)

    def seen(self) -> dict[str, Any]:
        return {"rounds": self.rounds}


class Parallel(App):
    """Begins everything at once; done when the last has ended."""

    def __init__(self, scheduler: Scheduler, begins: Sequence[Begin]) -> None:
        super().__init__(scheduler)
        self._begins = begins
        self._open = len(begins)

    def start(self) -> None:
        for begin in self._begins:
            begin(self._one_ended)

    def _one_ended(self) -> None:
        self._open -= 1
        if not self._open:
            self.finish()

    def seen(self) -> dict[str, Any]:
        return {}
