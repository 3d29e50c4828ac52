"""A timer of the spanning tree in Linux: one of the kernel's timer wheel."""

from __future__ import annotations

from collections.abc import Callable

from vnet.l2.stp.port import StpTimer
from vnet.linux.timer_wheel import KernelTimer, rounded_delay_ns
from vnet.sim.scheduler import Scheduler


class TreeTimer(StpTimer):
    """Fires by itself. How long it runs is settled when it starts."""

    __slots__ = ("_alarm", "_scheduler", "_shown_until_ns")

    def __init__(
        self, scheduler: Scheduler, lasts_ns: Callable[[], int], expire: Callable[[], None]
    ) -> None:
        super().__init__(lasts_ns, expire)
        self._scheduler = scheduler
        self._alarm = KernelTimer(scheduler, expire)
        self._shown_until_ns = 0

    def start(self, value_ns: int = 0) -> None:
        """Run for as long as it lasts, ``value_ns`` of which are over."""
        self.arm(self.lasts_ns() - value_ns)

    def arm(self, delay_ns: int) -> None:
        """Run for ``delay_ns``."""
        self._alarm.arm(delay_ns)

    def arm_rounded(self, delay_ns: int) -> None:
        """Run until the whole second next to ``delay_ns`` from now."""
        self.arm(rounded_delay_ns(self._scheduler.now_ns, delay_ns))

    def pretend(self, delay_ns: int) -> None:
        """Show that it runs for ``delay_ns``, after which nothing will happen."""
        self._alarm.cancel()
        self._shown_until_ns = self._scheduler.now_ns + delay_ns

    def resume(self) -> None:
        """Have something happen when a time that was only shown is over."""
        left_ns = self.left_ns
        if left_ns and not self.is_running:
            self.arm(left_ns)

    def stop(self) -> None:
        self._alarm.cancel()
        self._shown_until_ns = 0

    @property
    def is_running(self) -> bool:
        return self._alarm.is_running

    @property
    def left_ns(self) -> int:
        """What is left of the time that it was started for; nothing, if it does not run."""
        if self.is_running:
            return self._alarm.left_ns
        return max(self._shown_until_ns - self._scheduler.now_ns, 0)


class HoldTimer(TreeTimer):
    """Ends with a whole second, so that the hellos of many ports wake the machine once."""

    __slots__ = ()

    def start(self, value_ns: int = 0) -> None:
        self.arm_rounded(self.lasts_ns() - value_ns)
