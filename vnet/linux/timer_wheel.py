"""When a kernel timer really fires (kernel/time/timer.c).

The kernel counts jiffies of 4 ms (CONFIG_HZ=250) and keeps timers in a wheel whose outer
levels are coarser: far timers fire late, by up to an eighth of their delay, and never early.
Hence three ARP requests 1.024 s apart, and a five-second wait that takes 5.12 s. Jiffy 0 is
the moment the lab starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vnet.sim.scheduler import Scheduler, Timer

JIFFY_NS = 4_000_000
_JIFFIES_PER_S = 1_000_000_000 // JIFFY_NS

_LEVELS = 9
_LEVEL_SHIFT = 3
_FIRST_LEVEL_SPAN = 63


def expiry_ns(now_ns: int, delay_ns: int) -> int:
    """The moment at which a timer armed now for ``delay_ns`` fires."""
    delay = -(-delay_ns // JIFFY_NS)
    level = 0
    while level < _LEVELS - 1 and delay >= _FIRST_LEVEL_SPAN << (level * _LEVEL_SHIFT):
        level += 1
    shift = level * _LEVEL_SHIFT
    expires = now_ns // JIFFY_NS + delay
    return ((expires >> shift) + 1 << shift) * JIFFY_NS


def rounded_delay_ns(now_ns: int, delay_ns: int) -> int:
    """The delay that ends with a whole second, as round_jiffies() has it: up to a quarter of a
    second sooner, or else later. One that would be over already stays as it is.
    """
    delay = -(-delay_ns // JIFFY_NS)
    now = now_ns // JIFFY_NS
    past = (now + delay) % _JIFFIES_PER_S
    rounded = now + delay - past + (past >= _JIFFIES_PER_S // 4) * _JIFFIES_PER_S
    return (rounded - now if rounded > now else delay) * JIFFY_NS


class KernelTimer(Timer):
    """A :class:`~vnet.sim.scheduler.Timer` that fires when the kernel's would.

    ``expires_ns`` is what the kernel reckons with and shows: when it should fire, were there no
    wheel.
    """

    __slots__ = ("expires_ns",)

    def __init__(self, scheduler: Scheduler, callback: Callable[..., object], *args: Any) -> None:
        super().__init__(scheduler, callback, *args)
        self.expires_ns = 0

    def arm(self, delay_ns: int) -> None:
        now_ns = self._scheduler.now_ns
        self.expires_ns = (now_ns // JIFFY_NS - -delay_ns // JIFFY_NS) * JIFFY_NS
        super().arm(expiry_ns(now_ns, delay_ns) - now_ns)

    def advance(self, delay_ns: int) -> None:
        """Fire ``delay_ns`` from now, unless it would sooner."""
        if self.due_ns is None or self.expires_ns > self._scheduler.now_ns + delay_ns:
            self.arm(delay_ns)

    @property
    def is_running(self) -> bool:
        """Whether it will fire."""
        return self.due_ns is not None

    @property
    def left_ns(self) -> int:
        """What is left until it should fire; nothing, if it is not to."""
        return 0 if self.due_ns is None else max(self.expires_ns - self._scheduler.now_ns, 0)
