"""Packet-ins on their way to one controller, which may be slow to read them.

There are limits to how many come in a second, if the controller's row sets any, and always to how
many wait for a controller that does not read them. What is above those is dropped and counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from vnet.base.drops import DropReason, drop_reason
from vnet.ovs.connmgr.packet_in_rate import PacketInRate
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.messages import PacketIn
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.sim.scheduler import Scheduler

CONTROLLER_TOO_SLOW = drop_reason(
    "ovs-controller-too-slow",
    cause="a flow sends the frame to a controller and nowhere else, and the controller has not "
    "read the ones before it",
    cure="have the controller read faster or install flows, or raise controller_queue_size",
)

DEFAULT_QUEUE_SIZE = 100
"""How many messages may wait for a controller (``controller_queue_size``)."""

_MISSES = (
    PacketInReason.NO_MATCH,
    PacketInReason.EXPLICIT_MISS,
    PacketInReason.IMPLICIT_MISS,
)


class PacketIns:
    """One connection's. ``send`` takes the bytes of a message; of all bytes that it ever took,
    ``n_taken()`` says how many the controller's end has taken from it.

    ``overflowed`` is called for each message that is dropped because too many wait.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        send: Callable[[bytes], int],
        n_taken: Callable[[], int],
        overflowed: Callable[[], None],
    ) -> None:
        self.n_dropped = 0
        self.queue_size = DEFAULT_QUEUE_SIZE
        self._scheduler = scheduler
        self._send = send
        self._n_taken = n_taken
        self._overflowed = overflowed
        self._ends: deque[int] = deque()
        """Where each message that waits ends, in the bytes of the connection."""
        self.misses: PacketInRate | None = None
        self.actions: PacketInRate | None = None

    def configure(self, rate: int, burst: int, queue_size: int) -> None:
        """Set the limits: a ``rate`` of 0 is none, a ``burst`` of 0 the usual one."""
        self.queue_size = queue_size
        self.misses = self._configured(self.misses, rate, burst)
        self.actions = self._configured(self.actions, rate, burst)

    def _configured(
        self, before: PacketInRate | None, rate: int, burst: int
    ) -> PacketInRate | None:
        if rate <= 0:
            if before is not None:
                before.close()
            return None
        if before is None:
            return PacketInRate(self._scheduler, self._hand_over, rate, burst)
        before.configure(rate, burst)
        return before

    def send(self, packet_in: PacketIn, message: bytes) -> DropReason | None:
        """Send the message about a packet; returns why it is not sent, or None."""
        limit = self.misses if packet_in.reason in _MISSES else self.actions
        if limit is None:
            return self._hand_over(message)
        limit.send(OfpPort(Flow.in_port.of(packet_in.pipeline.value)), message)
        return None

    @property
    def n_waiting(self) -> int:
        """How many have been sent that the controller's end has not taken."""
        n_taken = self._n_taken()
        while self._ends and self._ends[0] <= n_taken:
            self._ends.popleft()
        return len(self._ends)

    def close(self) -> None:
        """The connection is no more."""
        self.configure(0, 0, self.queue_size)

    def _hand_over(self, message: bytes) -> DropReason | None:
        if self.n_waiting >= self.queue_size:
            self.n_dropped += 1
            self._overflowed()
            return CONTROLLER_TOO_SLOW
        self._ends.append(self._send(message))
        return None
