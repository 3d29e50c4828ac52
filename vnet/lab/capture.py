"""Capture points: what is heard at each goes into one list, in the order of events.

A point is a sniffer on a device (or on a host's rtnetlink). Whenever a batch is full the
recorder hands it to a writer (:mod:`vnet.lab.capture_files`), so that a long run needs no more
memory than a short one. A drop becomes a comment on the frame it happened to, since the reason
is the one thing that Wireshark cannot see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from vnet.base.drops import DropReason
from vnet.wire.pcapng import LINK_ETHERNET

BATCH_FRAMES = 10_000
"""So many frames wait in memory at most, once there is a writer."""

BATCH_BYTES = 32 << 20
"""And so much, where frames are large."""

Record = tuple[int, int, bytes, bool | None, str]
"""Point number, time in ns since 1970, bytes, outbound, comment."""


@dataclass
class CapturePoint:
    """A place where frames are captured. It is the :class:`Sniffer` of its device."""

    number: int
    name: str
    description: str
    mac: bytes | None
    link_type: int
    recorder: Recorder
    frames: int = 0

    def capture(self, time_ns: int, data: bytes, outbound: bool | None) -> None:
        """A frame passed the point."""
        self.frames += 1
        self.recorder.add(self.number, time_ns, data, outbound)

    def note_drop(
        self, time_ns: int, data: bytes, reason: DropReason, notes: tuple[str, ...] = ()
    ) -> None:
        """The frame that just passed was thrown away."""
        if not reason.routine:
            told = "; ".join((reason.cause, *notes))
            self.comment(time_ns, data, f"dropped: {reason.word}: {told}")

    def comment(self, time_ns: int, data: bytes, text: str) -> None:
        """Say something of the frame that just passed."""
        self.recorder.comment(self.number, time_ns, data, text)


class CaptureWriter(Protocol):
    """Where records end up. Its methods raise :class:`~vnet.base.errors.StorageError`."""

    def take(self, records: list[Record]) -> None:
        """Make records, in order, ready to be written; nothing is taken if this fails."""

    def flush(self) -> None:
        """Write what was taken. What an interrupt stops is gone on with in the next call."""

    def read(self) -> Iterator[tuple[int, int, bytes]]:
        """What was written, as (point number, time in ns since 1970, bytes)."""

    def close(self) -> None:
        """Write the rest and end; what was written stays readable."""


class Recorder:
    """Takes what all points hear, and hands it on in batches.

    ``writer`` comes once all points are there and described; until then all is kept.
    """

    def __init__(self, epoch_ns: int) -> None:
        self.epoch_ns = epoch_ns
        self.points: list[CapturePoint] = []
        self.records: list[Record] = []
        self.writer: CaptureWriter | None = None
        self._last: dict[tuple[int, bool | None], int] = {}
        self._held_bytes = 0

    def add_point(
        self, name: str, description: str, mac: bytes | None, link_type: int = LINK_ETHERNET
    ) -> CapturePoint:
        """A new point; attach it to what it shall hear."""
        point = CapturePoint(len(self.points), name, description, mac, link_type, self)
        self.points.append(point)
        return point

    def add(self, number: int, time_ns: int, data: bytes, outbound: bool | None) -> None:
        """One frame at one point."""
        if len(self.records) >= BATCH_FRAMES or self._held_bytes >= BATCH_BYTES:
            self.flush()
        self._held_bytes += len(data)
        records = self.records
        self._last[number, outbound] = len(records)
        records.append((number, self.epoch_ns + time_ns, data, outbound, ""))

    def comment(self, number: int, time_ns: int, data: bytes, text: str) -> None:
        """Comment the last frame of a point, in or out, if it is this one, in this instant;
        what was said of it before stays.

        A machine may have answered before it throws away what it answers.
        """
        last = (self._last.get((number, outbound), -1) for outbound in (False, True, None))
        for at in sorted((at for at in last if at >= 0), reverse=True):
            record = self.records[at]
            if record[1] == self.epoch_ns + time_ns and record[2] == data:
                self.records[at] = (*record[:4], f"{record[4]}; {text}" if record[4] else text)
                return

    def flush(self) -> None:
        """Hand on what was heard since the last time, if anybody writes.

        Ctrl-C may come at any moment: until all is taken the records stay, and from then on
        the writer has them, so that none is lost or written twice.
        """
        if self.writer is None:
            return
        if self.records:
            self._last.clear()
            self.writer.take(self.records)
            self.records = []
            self._held_bytes = 0
        self.writer.flush()

    def heard(self) -> Iterator[tuple[int, int, bytes]]:
        """Everything so far as (point number, time in ns since 1970, bytes), files included."""
        if self.writer is not None:
            yield from self.writer.read()
        for number, time_ns, data, _outbound, _comment in self.records:
            yield number, time_ns, data
