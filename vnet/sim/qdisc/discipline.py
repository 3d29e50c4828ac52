"""What all disciplines that tc shows have in common: they nest, and they count."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vnet.base.drops import DropReason, drop_reason
from vnet.sim.frame import Frame
from vnet.sim.qdisc.qdisc import QUEUE_REMOVED

NO_QUEUE = drop_reason(
    "no-queue",
    cause="the class that the frame belongs in has had its queueing discipline deleted",
    cure="add one to the class again",
)


class Surroundings(Protocol):
    """What disciplines need of the device that they are on."""

    @property
    def label(self) -> str:
        """Its name in traces."""

    @property
    def mtu_bytes(self) -> int:
        """The longest packet, without the Ethernet header."""

    def lost(self, frame: Frame, reason: DropReason) -> None:
        """A frame is thrown away."""

    def wake(self, at_ns: int) -> None:
        """Ask again at that time, though nothing new has come."""

    def priority(self, frame: Frame) -> int:
        """The priority that the frame came with, from 0 to 15."""

    def once_more(self, frame: Frame, now_ns: int) -> None:
        """Another frame, to be queued as if it came now."""


@dataclass(slots=True)
class QdiscStats:
    """What ``tc -s`` shows. The backlog is what waits now."""

    sent_bytes: int = 0
    sent_packets: int = 0
    drops: int = 0
    overlimits: int = 0
    requeues: int = 0
    backlog_bytes: int = 0
    backlog_packets: int = 0


class Discipline(ABC):
    """A queueing discipline in a tree of them. ``handle`` is 0 for those nobody asked for.

    Frames go in at the top by :meth:`enqueue` and come out there by :meth:`dequeue`; what has
    children hands both on. A frame that is not taken in is dropped by whoever refuses it, and
    counts as a drop of every discipline that it had come through.
    """

    kind = ""
    has_classes = False

    def __init__(self, around: Surroundings, handle: int = 0) -> None:
        self.around = around
        self.handle = handle
        self.stats = QdiscStats()
        self.parent: Discipline | None = None
        self._held: Frame | None = None

    @abstractmethod
    def enqueue(self, frame: Frame, now_ns: int) -> bool:
        """Take a frame in. False: it was dropped."""

    @abstractmethod
    def _next(self, now_ns: int) -> Frame | None:
        """The next frame that may leave now, taken out and counted as sent."""

    def dequeue(self, now_ns: int) -> Frame | None:
        """The next frame that may leave now. Where none may yet, :meth:`Surroundings.wake` is told
        when to come back."""
        held = self._held
        if held is None:
            return self._next(now_ns)
        self._held = None
        self._leaves(held)
        return held

    def peek(self, now_ns: int) -> Frame | None:
        """What :meth:`dequeue` would give. It is laid aside for that, and nothing overtakes it."""
        if self._held is None:
            self._held = self._next(now_ns)
            if self._held is not None:
                self._arrives(self._held)
        return self._held

    def purge(self, now_ns: int) -> None:
        """Throw away all that waits, and begin anew."""
        held, self._held = self._held, None
        if held is not None:
            self.around.lost(held, QUEUE_REMOVED)
        for child in self.children.values():
            if child is not None:
                child.purge(now_ns)
        self._forget(now_ns)
        self.stats.backlog_bytes = self.stats.backlog_packets = 0

    def _forget(self, now_ns: int) -> None:  # noqa: ARG002
        """Lose what waits here and not in a child, and be as at the beginning."""
        return

    # -- classes

    @property
    def children(self) -> Mapping[int, Discipline]:
        """What hangs on each class, by its number; empty where there are no classes."""
        return {}

    def graft(self, number: int, child: Discipline | None, now_ns: int) -> None:
        """Put another discipline into a class; None leaves what a class has without one."""
        raise NotImplementedError(f"{self.kind} has no classes")

    def _adopt(self, child: Discipline) -> Discipline:
        """A child that is to hang here."""
        child.parent = self
        return child

    def _dismiss(self, child: Discipline, now_ns: int) -> None:
        """A child goes, and all that waits in it."""
        self.lost_in_child(child.stats.backlog_packets, child.stats.backlog_bytes)
        child.purge(now_ns)

    def lost_in_child(self, n_packets: int, n_bytes: int) -> None:
        """What was taken in here, and by all above, is lost in a child."""
        above: Discipline | None = self
        while above is not None:
            above.stats.backlog_packets -= n_packets
            above.stats.backlog_bytes -= n_bytes
            above.stats.drops += n_packets
            above = above.parent

    # -- counting

    def _arrives(self, frame: Frame) -> None:
        self.stats.backlog_bytes += len(frame.data)
        self.stats.backlog_packets += 1

    def _leaves(self, frame: Frame) -> None:
        self.stats.backlog_bytes -= len(frame.data)
        self.stats.backlog_packets -= 1

    def _sent(self, frame: Frame) -> None:
        self._leaves(frame)
        self.stats.sent_bytes += len(frame.data)
        self.stats.sent_packets += 1

    def _drop(self, frame: Frame, reason: DropReason) -> bool:
        self.stats.drops += 1
        self.around.lost(frame, reason)
        return False

    def _hand_down(self, child: Discipline, frame: Frame, now_ns: int) -> bool:
        """Queue a frame in a child, and count it here, too."""
        if child.enqueue(frame, now_ns):
            self._arrives(frame)
            return True
        self.stats.drops += 1
        return False


class Noop(Discipline):
    """What a class has when its discipline was deleted: nothing gets through."""

    kind = "noop"

    def enqueue(self, frame: Frame, now_ns: int) -> bool:  # noqa: ARG002
        return self._drop(frame, NO_QUEUE)

    def _next(self, now_ns: int) -> Frame | None:  # noqa: ARG002
        return None
