"""What the user sets of a bridge's spanning tree (brctl(8), ``ip link set BRIDGE type bridge``).

Times are nanoseconds and kept in jiffies. Raises :class:`~vnet.base.errors.UsageError` with the
kernel's word for what is out of range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vnet.base.errors import UsageError
from vnet.base.units import NS_PER_S
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.spanning_tree import LEAST_FORWARD_DELAY, MOST_FORWARD_DELAY
from vnet.linux.timer_wheel import JIFFY_NS

_HELLO_S = (1, 10)
_MAX_AGE_S = (6, 40)
_MOST_PRIORITY = 0xFFFF
_CENTISECOND_NS = 10_000_000
_DEFAULT_DELAY_NS = 15 * NS_PER_S


@dataclass(frozen=True, slots=True)
class TreeConfig:
    """How a bridge's spanning tree is to be set up; None leaves what is there."""

    stp: bool = False
    priority: int | None = None
    forward_delay_ns: int | None = None
    hello_time_ns: int | None = None
    max_age_ns: int | None = None

    def options(self, bridge: Bridge) -> Iterator[tuple[str, int]]:
        """What is to be set, in hundredths of a second, by the names of ip-link(8).

        A bridge that speaks STP has the usual forward delay, whatever it was before.
        """
        delay_ns = self.forward_delay_ns
        if delay_ns is None and self.stp and bridge.tree.own_times.forward_delay == 0:
            delay_ns = _DEFAULT_DELAY_NS
        if self.priority is not None:
            yield "priority", self.priority
        for name, time_ns in (
            ("forward_delay", delay_ns),
            ("hello_time", self.hello_time_ns),
            ("max_age", self.max_age_ns),
        ):
            if time_ns is not None:
                yield name, time_ns // _CENTISECOND_NS
        if self.stp:
            yield "stp_state", 1


def set_stp(bridge: Bridge, on: bool) -> None:
    """``stp_state``."""
    if on:
        bridge.tree.start()
    else:
        bridge.tree.stop()


def set_bridge_priority(bridge: Bridge, priority: int) -> None:
    """``priority``; the kernel takes the lower 16 bits of what it is given."""
    bridge.tree.set_priority(priority & _MOST_PRIORITY)


def set_forward_delay(bridge: Bridge, delay_ns: int) -> None:
    """``forward_delay``: 2 to 30 s, or anything while the bridge speaks no STP."""
    delay = delay_ns // JIFFY_NS
    if bridge.tree.is_on and not LEAST_FORWARD_DELAY <= delay <= MOST_FORWARD_DELAY:
        raise _out_of_range("2 to 30 seconds while the bridge speaks STP")
    bridge.tree.set_forward_delay(delay)


def set_hello_time(bridge: Bridge, hello_ns: int) -> None:
    """``hello_time``: 1 to 10 s."""
    hello = _within(hello_ns, _HELLO_S)
    bridge.tree.set_times(replace(bridge.tree.own_times, hello_time=hello))


def set_max_age(bridge: Bridge, max_age_ns: int) -> None:
    """``max_age``: 6 to 40 s."""
    max_age = _within(max_age_ns, _MAX_AGE_S)
    bridge.tree.set_times(replace(bridge.tree.own_times, max_age=max_age))


def _within(time_ns: int, limits_s: tuple[int, int]) -> int:
    least_s, most_s = limits_s
    if not least_s * NS_PER_S <= time_ns <= most_s * NS_PER_S:
        raise _out_of_range(f"{least_s} to {most_s} seconds")
    return time_ns // JIFFY_NS


def _out_of_range(hint: str) -> UsageError:
    return UsageError("RTNETLINK answers: Numerical result out of range", hint)
