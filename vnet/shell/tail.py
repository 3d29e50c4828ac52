"""The last frames at a capture point, for looking at without opening a file."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from vnet.base.drops import DropReason

TAIL_FRAMES = 1000
"""How many a point remembers: a long run must not fill the memory."""


class SeenFrame(NamedTuple):
    """A frame that passed. ``outbound`` is seen from the device."""

    time_ns: int
    outbound: bool
    data: bytes
    dropped: DropReason | None = None

    def summary(self) -> str:
        """One line in Scapy's words, with the arrow of its direction in front."""
        from vnet.guest.dissect import dissect

        arrow = ">" if self.outbound else "<"
        lost = f"  [dropped: {self.dropped.word}]" if self.dropped else ""
        return f"{arrow} {dissect(self.data, self.time_ns).summary()}{lost}"


class CaptureTail:
    """A device's sniffer that keeps the latest frames."""

    def __init__(self, limit: int = TAIL_FRAMES) -> None:
        self.frames: deque[SeenFrame] = deque(maxlen=limit)

    def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
        """A frame passed."""
        self.frames.append(SeenFrame(time_ns, outbound, data))

    def note_drop(self, time_ns: int, data: bytes, reason: DropReason, *_notes: object) -> None:
        """A frame was thrown away; mark it if it is the one that just passed."""
        if not self.frames or reason.routine:
            return
        last = self.frames[-1]
        if (last.time_ns, last.data) == (time_ns, data):
            self.frames[-1] = last._replace(dropped=reason)
