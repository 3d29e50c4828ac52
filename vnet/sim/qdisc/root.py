"""The queue of a device: between what the device is given to send and a tree of disciplines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vnet.base.drops import DropReason
from vnet.base.ids import Mac
from vnet.sim.frame import Frame
from vnet.sim.qdisc.discipline import Discipline
from vnet.sim.qdisc.priority import BEST_EFFORT, priority_of
from vnet.sim.qdisc.qdisc import RELEASED, Sender
from vnet.sim.scheduler import Scheduler, Timer


class QueuedDevice(Sender, Protocol):
    """The device that frames wait for, its address, and how long they may be."""

    mac: Mac
    mtu_bytes: int


class DeviceQueue:
    """Feeds a device from a tree of disciplines, whose :class:`Surroundings` it is.

    ``is_own`` says of a MAC whether a frame from it was sent or forwarded by the machine's IP
    stack, so that it has a priority; others only cross a bridge.
    """

    root: Discipline

    def __init__(
        self, scheduler: Scheduler, device: QueuedDevice, is_own: Callable[[bytes], bool]
    ) -> None:
        self._scheduler = scheduler
        self._device = device
        self._is_own = is_own
        self._timer = Timer(scheduler, self._run)
        self._wake_ns: int | None = None

    @property
    def kind(self) -> str:
        return self.root.kind

    @property
    def label(self) -> str:
        return self._device.label

    @property
    def mtu_bytes(self) -> int:
        return self._device.mtu_bytes

    # -- what the device asks

    def admit(self, frame: Frame, queue: int) -> bool:
        """See :class:`~vnet.sim.qdisc.qdisc.Qdisc`."""
        if queue == RELEASED:
            return True
        now_ns = self._scheduler.now_ns
        if frame.meta is not None:
            frame = frame.seen(now_ns, self._device.label, "queued")
        self.root.enqueue(frame, now_ns)
        self._run()
        return False

    def purge(self) -> None:
        """The device went down, or does without a queue: what waits is lost."""
        self._timer.cancel()
        self.root.purge(self._scheduler.now_ns)

    def _run(self) -> None:
        """Send all that may leave now, and come back when more may."""
        now_ns = self._scheduler.now_ns
        has_sent = False
        while (busy_ns := self._device.busy_until_ns - now_ns) <= 0:
            self._wake_ns = None
            frame = self.root.dequeue(now_ns)
            if frame is None and has_sent:
                # The kernel asks for more with each frame, and once more when it gets none: what
                # holds frames back counts both.
                frame = self.root.dequeue(now_ns)
            if frame is None:
                break
            has_sent = True
            self._device.transmit(frame, RELEASED)
        if busy_ns > 0:
            self._wake_ns = now_ns + busy_ns if self.root.stats.backlog_packets else None
        if self._wake_ns is None:
            self._timer.cancel()
        elif self._timer.due_ns != self._wake_ns:
            self._timer.arm(self._wake_ns - now_ns)

    # -- what the disciplines ask

    def lost(self, frame: Frame, reason: DropReason) -> None:
        """See :class:`~vnet.sim.qdisc.discipline.Surroundings`, as for those below."""
        self._device.drop(frame, reason)

    def wake(self, at_ns: int) -> None:
        if self._wake_ns is None or at_ns < self._wake_ns:
            self._wake_ns = at_ns

    def priority(self, frame: Frame) -> int:
        source = frame.data[6:12]
        is_own = source == self._device.mac or self._is_own(source)
        return priority_of(frame.data) if is_own else BEST_EFFORT

    def once_more(self, frame: Frame, now_ns: int) -> None:
        if frame.meta is not None:
            frame = frame.seen(now_ns, self._device.label, "duplicated")
        self.root.enqueue(frame, now_ns)
