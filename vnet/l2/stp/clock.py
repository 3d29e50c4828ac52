"""Time in a bridge that speaks the spanning tree protocol: its timers and its ports'."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from vnet.base.units import NS_PER_S
from vnet.l2.stp.offer import StpTimes
from vnet.l2.stp.port import StpPort, StpState, StpTimer
from vnet.wire.bpdu import TIME_UNIT_NS

HOLD_NS = NS_PER_S
"""How long after one configuration BPDU a port sends the next (Bridge Hold Time)."""


class StpClock(ABC):
    """The timers of a bridge and of its ``ports``; subclasses say what happens when they end.

    ``times`` are in force now, ``own_times`` those that the bridge prescribes where it is root;
    like those in the BPDUs that it is told of, they count :attr:`UNIT_NS`.
    """

    UNIT_NS: ClassVar[int] = TIME_UNIT_NS

    def __init__(self, own_times: StpTimes, now_ns: int) -> None:
        self.own_times = self.times = own_times
        self.ports: dict[int, StpPort] = {}
        self._ran_ns = now_ns
        self._hello = self._timer(self._hello_ns, self._say_hello)
        self._notice = self._timer(self._own_hello_ns, self._send_notice)
        self._topology_change = self._timer(self._change_ns, self._settle_down)
        self._begin()

    def _begin(self) -> None:
        self._hello.start(self._hello_ns())

    @property
    def next_due_ns(self) -> int | None:
        """When :meth:`run` has something to do, if nothing happens before; None: never."""
        left = (timer.lasts_ns() - (timer.value_ns or 0) for timer in self._timers())
        due_ns = min(left, default=None)
        return None if due_ns is None else self._ran_ns + due_ns

    def run(self, now_ns: int, *, counts_ahead: bool = False) -> None:
        """Let time pass until ``now_ns``, and do what is due, in the standard's order: the
        bridge's timers, ages, then the rest.

        ``counts_ahead``: a timer that another's end has started, and whose turn has not come yet,
        is taken to have run since the last time; so in Open vSwitch.
        """
        passed_ns, self._ran_ns = now_ns - self._ran_ns, now_ns
        if not counts_ahead:
            for timer in list(self._timers()):
                timer.start((timer.value_ns or 0) + passed_ns)
            passed_ns = 0
        # An expiry may start and stop timers: each is looked at when its turn comes.
        for timer in self._timers():
            timer.start((timer.value_ns or 0) + passed_ns)
            if (timer.value_ns or 0) >= timer.lasts_ns():
                timer.stop()
                timer.expire()

    def _timer(self, lasts_ns: Callable[[], int], expire: Callable[[], None]) -> StpTimer:
        return StpTimer(lasts_ns, expire)

    def _timers(self) -> Iterator[StpTimer]:
        """The timers that run."""
        for timer in (self._hello, self._notice, self._topology_change):
            if timer.is_running:
                yield timer
        for port in self._enabled():
            if port.message_age.is_running:
                yield port.message_age
        for port in self._enabled():
            for timer in (port.forward_delay, port.hold):
                if timer.is_running:
                    yield timer

    def _hello_ns(self) -> int:
        return self.times.hello_time * self.UNIT_NS

    def _own_hello_ns(self) -> int:
        return self.own_times.hello_time * self.UNIT_NS

    def _change_ns(self) -> int:
        return (self.times.max_age + self.times.forward_delay) * self.UNIT_NS

    def _max_age_ns(self) -> int:
        return self.times.max_age * self.UNIT_NS

    def _delay_ns(self) -> int:
        return self.times.forward_delay * self.UNIT_NS

    def _give_timers(self, port: StpPort) -> None:
        port.message_age = self._timer(self._max_age_ns, partial(self._forget_offer, port))
        port.forward_delay = self._timer(self._delay_ns, partial(self._advance, port))
        port.hold = self._timer(_hold_ns, partial(self._end_hold, port))

    def _enabled(self) -> list[StpPort]:
        return [port for port in self.ports.values() if port.state is not StpState.DISABLED]

    # -- what happens then

    @abstractmethod
    def _say_hello(self) -> None: ...

    @abstractmethod
    def _send_notice(self) -> None: ...

    @abstractmethod
    def _settle_down(self) -> None: ...

    @abstractmethod
    def _forget_offer(self, port: StpPort) -> None: ...

    @abstractmethod
    def _advance(self, port: StpPort) -> None: ...

    @abstractmethod
    def _end_hold(self, port: StpPort) -> None: ...


def _hold_ns() -> int:
    return HOLD_NS
