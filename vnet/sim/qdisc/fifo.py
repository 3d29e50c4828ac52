"""First come, first served (tc-pfifo(8)), and three bands of that (tc-pfifo_fast(8))."""

from __future__ import annotations

from collections import deque

from vnet.sim.frame import Frame
from vnet.sim.qdisc.discipline import Discipline, Surroundings
from vnet.sim.qdisc.priority import DEFAULT_PRIOMAP
from vnet.sim.qdisc.qdisc import QUEUE_FULL, QUEUE_REMOVED
from vnet.wire.ether import HEADER_BYTES

TX_QUEUE_FRAMES = 1_000
"""A device's usual transmit queue length (``qlen`` of ``ip link``)."""

PFIFO = "pfifo"
BFIFO = "bfifo"


class Fifo(Discipline):
    """A queue with room for ``limit`` frames, or bytes; None: as the device's queue is long."""

    def __init__(
        self, around: Surroundings, limit: int | None = None, kind: str = PFIFO, handle: int = 0
    ) -> None:
        super().__init__(around, handle)
        self.kind = kind
        self._frames: deque[Frame] = deque()
        self.configure(limit)

    def configure(self, limit: int | None) -> None:
        """Another limit; what waits already may stay."""
        longest_bytes = self.around.mtu_bytes + HEADER_BYTES
        default = TX_QUEUE_FRAMES * (longest_bytes if self.kind == BFIFO else 1)
        self.limit = default if limit is None else limit

    def enqueue(self, frame: Frame, now_ns: int) -> bool:  # noqa: ARG002
        if self.kind == BFIFO:
            has_room = self.stats.backlog_bytes + len(frame.data) <= self.limit
        else:
            has_room = self.stats.backlog_packets < self.limit
        if not has_room:
            return self._drop(frame, QUEUE_FULL)
        self._arrives(frame)
        self._frames.append(frame)
        return True

    def _next(self, now_ns: int) -> Frame | None:  # noqa: ARG002
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self._sent(frame)
        return frame

    def peek(self, now_ns: int) -> Frame | None:  # noqa: ARG002
        return self._frames[0] if self._frames else None

    def _forget(self, now_ns: int) -> None:  # noqa: ARG002
        while self._frames:
            self.around.lost(self._frames.popleft(), QUEUE_REMOVED)


class PfifoFast(Discipline):
    """Three bands by priority; a higher one goes first, and each has room for itself."""

    kind = "pfifo_fast"
    priomap = DEFAULT_PRIOMAP
    bands = 3

    def __init__(self, around: Surroundings, handle: int = 0) -> None:
        super().__init__(around, handle)
        self._bands: tuple[deque[Frame], ...] = tuple(deque() for _ in range(self.bands))

    def enqueue(self, frame: Frame, now_ns: int) -> bool:  # noqa: ARG002
        band = self._bands[self.priomap[self.around.priority(frame)]]
        if len(band) >= TX_QUEUE_FRAMES:
            return self._drop(frame, QUEUE_FULL)
        self._arrives(frame)
        band.append(frame)
        return True

    def _next(self, now_ns: int) -> Frame | None:  # noqa: ARG002
        for band in self._bands:
            if band:
                frame = band.popleft()
                self._sent(frame)
                return frame
        return None

    def peek(self, now_ns: int) -> Frame | None:  # noqa: ARG002
        return next((band[0] for band in self._bands if band), None)

    def _forget(self, now_ns: int) -> None:  # noqa: ARG002
        for band in self._bands:
            while band:
                self.around.lost(band.popleft(), QUEUE_REMOVED)
