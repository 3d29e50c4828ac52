"""The upcall queue: packets that wait, in order, for userspace's decision."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from vnet.ovs.datapath.packet import Packet
from vnet.ovs.dpif.cookies import Cookie

UPCALL_QUEUE_LIMIT = 16_384
"""How many packets may wait. A lab's machines all speak in the same instant where those of a
real network would be microseconds apart, so this is more than a real queue holds."""


class Waiting(NamedTuple):
    """A packet in the queue; ``cookie`` None means that it missed the table. ``ends_here``: the
    action that it came up by is all that is done with it."""

    packet: Packet
    key: int
    cookie: Cookie | None
    ends_here: bool = False


class UpcallQueue:
    """First in, first out, and bounded."""

    __slots__ = ("_limit", "_waiting", "n_lost")

    def __init__(self, limit: int) -> None:
        self._waiting: deque[Waiting] = deque()
        self._limit = limit
        self.n_lost = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, waiting: Waiting) -> bool:
        """Queue a packet; False where the queue is full."""
        if len(self._waiting) >= self._limit:
            self.n_lost += 1
            return False
        self._waiting.append(waiting)
        return True

    def take(self) -> Waiting:
        """The packet that has waited longest."""
        return self._waiting.popleft()
