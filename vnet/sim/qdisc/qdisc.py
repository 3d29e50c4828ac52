"""What a device and its queueing discipline are to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vnet.base.drops import DropReason, drop_reason
from vnet.sim.frame import Frame

QUEUE_FULL = drop_reason(
    "queue-full",
    cause="frames came faster than their queue may send, and it was full",
    cure="give the queue a higher rate, or send more slowly",
)
QUEUE_REMOVED = drop_reason(
    "queue-removed",
    cause="the frame waited in a queue that was taken away, or of a device that went down",
    cure="change queues while they are empty",
)

RELEASED = -1
"""The queue of a frame that has waited: its time to leave has come."""


class Sender(Protocol):
    """The device that frames wait for."""

    @property
    def label(self) -> str:
        """Its name in traces."""

    @property
    def busy_until_ns(self) -> int:
        """When the wire will have taken what was sent until now; a time that is past, if it has."""

    def transmit(self, frame: Frame, queue: int = 0) -> None:
        """Send a frame; :data:`RELEASED` past the queueing discipline."""

    def drop(self, frame: Frame, reason: DropReason) -> None:
        """Count and name the loss of a frame."""


@dataclass(frozen=True, slots=True)
class QueueStats:
    """What a queue has sent, and how many frames it had no room for."""

    tx_packets: int = 0
    tx_bytes: int = 0
    tx_errors: int = 0


class Qdisc(Protocol):
    """A queueing discipline: it decides when frames leave, and which goes first.

    ``kind`` is what tc calls it.
    """

    @property
    def kind(self) -> str: ...

    def admit(self, frame: Frame, queue: int) -> bool:
        """Whether a frame leaves at once. If not it waits here until it is released, or it was
        dropped for want of room."""

    def purge(self) -> None:
        """Drop all that waits: the device has gone down."""
