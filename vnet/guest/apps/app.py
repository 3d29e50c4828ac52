"""The life of an app."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from vnet.sim.scheduler import Scheduler


class App(ABC):
    """Something that runs for a while in a machine.

    ``on_done`` is called once, in the event that ended the app. ``seen`` is what it can
    report at any time, under the names that a scenario's ``expect`` uses.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.done = False
        self.on_done: Callable[[App], None] | None = None

    @abstractmethod
    def start(self) -> None:
        """Begin, at the present virtual time."""

    @abstractmethod
    def seen(self) -> dict[str, Any]:
        """Figures by name: counts, and milliseconds with at most three decimals."""

    def remarks(self) -> list[str]:
        """What the program was told of its troubles, each once, in its own words."""
        return []

    def finish(self) -> None:
        """End the app; harmless when it has ended."""
        if not self.done:
            self.done = True
            self.close()
            if self.on_done is not None:
                self.on_done(self)

    def close(self) -> None:
        """Give back sockets and subscriptions, where any were opened."""
        return


class Pacer:
    """Calls ``send(number)`` for 1 to ``count``, ``interval_ns`` apart, beginning now."""

    def __init__(
        self,
        scheduler: Scheduler,
        count: int,
        interval_ns: int,
        send: Callable[[int], None],
        after_last: Callable[[], None],
    ) -> None:
        self._scheduler = scheduler
        self._count = count
        self._interval_ns = interval_ns
        self._send = send
        self._after_last = after_last
        self._number = 0
        self.stopped = False

    def tick(self) -> None:
        """Send the next one."""
        if self.stopped:
            return
        if self._number >= self._count:
            self._after_last()
            return
        self._number += 1
        self._send(self._number)
        if self._number >= self._count:
            self._after_last()
        else:
            self._scheduler.after(self._interval_ns, self.tick)


def milliseconds(ns: float) -> float:
    """Nanoseconds as the milliseconds that reports print."""
    return round(ns / 1e6, 3)
