"""A stream of numbered datagrams, whoever sends them: what was sent, and what arrived of it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from vnet.guest.apps.app import App, Pacer
from vnet.sim.scheduler import Scheduler

NUMBER_BYTES = 8
"""Each datagram begins with its number, so a stream is never smaller than this."""


class NumberedStream(App):
    """Sends ``count`` numbered datagrams and counts, each once, those that arrived.

    It ends when all are there, or ``patience_ns`` after the last was sent.
    """

    def __init__(
        self, scheduler: Scheduler, count: int, interval_ns: int, patience_ns: int
    ) -> None:
        super().__init__(scheduler)
        self.sent = 0
        self.errors: list[str] = []
        self._patience_ns = patience_ns
        self._arrived: set[int] = set()
        self._all_sent = False
        self._pacer = Pacer(scheduler, count, interval_ns, self._send, self._last_sent)

    @abstractmethod
    def _send(self, number: int) -> None:
        """Send the datagram of this number, and count it as sent."""

    @property
    def received(self) -> int:
        """How many different datagrams arrived."""
        return len(self._arrived)

    def seen(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "received": self.received,
            "lost": self.sent - self.received,
            "errors": len(self.errors),
        }

    def remarks(self) -> list[str]:
        return list(dict.fromkeys(self.errors))

    def close(self) -> None:
        self._pacer.stopped = True

    def _count(self, data: bytes) -> None:
        """A datagram is where it was to get; ``data`` begins with its number."""
        number = int.from_bytes(data[:NUMBER_BYTES], "big")
        if 1 <= number <= self.sent:
            self._arrived.add(number)
            self._end_if_complete()

    def _last_sent(self) -> None:
        self._all_sent = True
        self.scheduler.after(self._patience_ns, self.finish)
        self._end_if_complete()

    def _end_if_complete(self) -> None:
        if self._all_sent and self.received >= self.sent:
            self.scheduler.after(0, self.finish)
