"""One ping for each of many pairs, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from vnet.base.errors import VnetError
from vnet.guest.apps.app import App
from vnet.lab.pingall import Pair
from vnet.live.clock import WallClock
from vnet.live.kernel.apps.ping import LivePing

_MOST_UNDER_WAY = 100


class LivePingAll(App):
    """Pings each of ``pairs`` once; ``make`` has the ping of a pair, or raises where the target
    has no address."""

    def __init__(
        self, clock: WallClock, pairs: Sequence[Pair], make: Callable[[Pair], LivePing]
    ) -> None:
        super().__init__(clock)
        self.sent = 0
        self.received = 0
        self._waiting: Iterator[Pair] = iter(pairs)
        self._make = make
        self._under_way: set[LivePing] = set()

    def start(self) -> None:
        self._fill()
        if not self._under_way:
            self.scheduler.after(0, self.finish)

    def seen(self) -> dict[str, Any]:
        return {"sent": self.sent, "received": self.received, "lost": self.sent - self.received}

    def close(self) -> None:
        for ping in tuple(self._under_way):
            ping.on_done = None
            ping.finish()

    def _fill(self) -> None:
        while len(self._under_way) < _MOST_UNDER_WAY:
            pair = next(self._waiting, None)
            if pair is None:
                return
            try:
                ping = self._make(pair)
            except VnetError:
                continue
            self._under_way.add(ping)
            ping.on_done = lambda _app, ended=ping: self._ended(ended)
            ping.start()

    def _ended(self, ping: LivePing) -> None:
        self._under_way.discard(ping)
        self.sent += ping.result.sent
        self.received += ping.result.received
        self._fill()
        if not self._under_way:
            self.scheduler.after(0, self.finish)
