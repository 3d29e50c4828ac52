"""The lab's time as Scapy's modules see it, in place of the module ``time``.

Scapy adds and subtracts seconds as floats. A nanosecond lost that way would end a wait a
nanosecond early, and then wait for ever for a remainder too small to pass; so the seconds
handed out here remember their nanoseconds.
"""

from __future__ import annotations

import threading
import time as wall_time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Protocol

from scapy.utils import EDecimal

from vnet.base.units import NS_PER_S


class Clock(Protocol):
    """What this module needs of a vNIC."""

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the lab started."""

    @property
    def epoch_ns(self) -> int:
        """When that was, in nanoseconds since 1970."""

    def run_for(self, duration_ns: int) -> None:
        """Let virtual time pass."""


class Seconds(float):
    """A number of seconds that is exact to the nanosecond, sums and differences included."""

    __slots__ = ("ns",)

    ns: int

    def __new__(cls, ns: int) -> Seconds:
        self = super().__new__(cls, ns / NS_PER_S)
        self.ns = ns
        return self

    def __add__(self, other: float) -> Seconds:
        return Seconds(self.ns + ns_of(other))

    __radd__ = __add__

    def __sub__(self, other: float) -> Seconds:
        return Seconds(self.ns - ns_of(other))

    def __rsub__(self, other: float) -> Seconds:
        return Seconds(ns_of(other) - self.ns)

    # Comparisons and hash stay a float's: equal nanoseconds make equal floats.


def ns_of(seconds: float) -> int:
    """Seconds to whole nanoseconds."""
    return seconds.ns if isinstance(seconds, Seconds) else round(seconds * NS_PER_S)


def timestamp(time_ns: int) -> EDecimal:
    """A time as Scapy stamps packets with it, exactly: seconds since 1970."""
    return EDecimal(Decimal(time_ns).scaleb(-9))


class _CurrentClock(threading.local):
    """The vNIC whose lab gives this thread its time; None outside the wrapped calls."""

    value: Clock | None = None


_current = _CurrentClock()


@contextmanager
def clock_of(clock: Clock) -> Iterator[None]:
    """Inside, this thread's Scapy lives in the time of ``clock``."""
    before, _current.value = _current.value, clock
    try:
        yield
    finally:
        _current.value = before


def current_clock() -> Clock | None:
    """Whose time this thread's Scapy lives in; None is the wall's."""
    return _current.value


class LabTime:
    """Stands in for the module ``time`` in Scapy's modules; real where no lab is in charge."""

    @staticmethod
    def time() -> float:
        clock = _current.value
        return wall_time.time() if clock is None else Seconds(clock.epoch_ns + clock.now_ns)

    @staticmethod
    def monotonic() -> float:
        clock = _current.value
        return wall_time.monotonic() if clock is None else Seconds(clock.now_ns)

    @staticmethod
    def sleep(seconds: float) -> None:
        clock = _current.value
        if clock is None:
            wall_time.sleep(seconds)
        elif seconds > 0:
            clock.run_for(ns_of(seconds))

    def __getattr__(self, name: str) -> Any:
        return getattr(wall_time, name)
