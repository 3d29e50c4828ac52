"""Captures: every point of a lab in one pcapng file, or a file each.

A point is a sniffer on a device (or on a host's rtnetlink). What it hears goes into one list
in the order of events; the list is written out in batches when there is a file, and kept when
there is none. A drop becomes a comment on the frame it happened to, since the reason is the
one thing that Wireshark cannot see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from vnet.base.drops import DropReason
from vnet.base.errors import StorageError, UsageError
from vnet.wire.pcap import PcapWriter, read_pcap
from vnet.wire.pcapng import LINK_ETHERNET, PcapngWriter, read_pcapng

_BATCH_FRAMES = 10_000

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

    def note_drop(self, time_ns: int, data: bytes, reason: DropReason) -> None:
        """The frame that just passed was thrown away."""
        if not reason.routine:
            self.recorder.comment(
                self.number, time_ns, data, f"dropped: {reason.word}: {reason.cause}"
            )


class Recorder:
    """Takes what all points hear, and hands it on in batches if somebody writes."""

    def __init__(self, epoch_ns: int) -> None:
        self.epoch_ns = epoch_ns
        self.points: list[CapturePoint] = []
        self.records: list[Record] = []
        self.writer: CaptureWriter | None = None
        self._last: dict[int, int] = {}

    def add_point(
        self, name: str, description: str, mac: bytes | None, link_type: int = LINK_ETHERNET
    ) -> CapturePoint:
        """A new point; attach it to what it shall hear."""
        point = CapturePoint(len(self.points), name, description, mac, link_type, self)
        self.points.append(point)
        return point

    def add(self, number: int, time_ns: int, data: bytes, outbound: bool | None) -> None:
        """One frame at one point."""
        if self.writer is not None and len(self.records) >= _BATCH_FRAMES:
            self.flush()
        records = self.records
        self._last[number] = len(records)
        records.append((number, self.epoch_ns + time_ns, data, outbound, ""))

    def comment(self, number: int, time_ns: int, data: bytes, text: str) -> None:
        """Comment the last frame of a point if it is this one, in this instant."""
        at = self._last.get(number)
        if at is None:
            return
        record = self.records[at]
        if record[1] == self.epoch_ns + time_ns and record[2] == data:
            self.records[at] = (*record[:4], text)

    def flush(self) -> None:
        """Write what was heard since the last time, if anybody writes.

        What could not be written is not tried again: it would be written twice in part.
        """
        if self.writer is not None and self.records:
            records, self.records = self.records, []
            self._last.clear()
            self.writer.write(records)

    def heard(self) -> Iterator[tuple[int, int, bytes]]:
        """Everything so far as (point number, time in ns since 1970, bytes), files included."""
        self.flush()
        if self.writer is not None:
            yield from self.writer.read()
        for number, time_ns, data, _outbound, _comment in self.records:
            yield number, time_ns, data


class CaptureWriter(Protocol):
    """Where records end up."""

    paths: list[Path]

    def write(self, records: list[Record]) -> None:
        """Write records in order. Raises :class:`StorageError`."""

    def read(self) -> Iterator[tuple[int, int, bytes]]:
        """What was written, as (point number, time, bytes)."""

    def close(self) -> None:
        """Close the files; what was written stays readable."""


class PcapngFile:
    """One pcapng with every point as an interface."""

    def __init__(self, path: Path, points: list[CapturePoint], lab: str) -> None:
        self.paths = [path]
        self._names = [point.name for point in points]
        self._stream = _open(path)
        self._writer = PcapngWriter(self._stream, application="vnet", comment=f"lab {lab}")
        for point in points:
            self._writer.add_interface(
                point.name,
                description=point.description,
                mac=point.mac,
                link_type=point.link_type,
            )

    def write(self, records: list[Record]) -> None:
        writer = self._writer
        try:
            for (number, plain), group in groupby(records, key=_batch_key):
                if plain:
                    # A direction is known and there is no comment: the fast door.
                    writer.write_batch(number, [(r[1], r[2], bool(r[3])) for r in group])
                else:
                    for _, time_ns, data, outbound, comment in group:
                        writer.write(number, time_ns, data, outbound, comment)
            self._stream.flush()
        except OSError as error:
            raise _storage_error(self.paths[0], error) from None

    def read(self) -> Iterator[tuple[int, int, bytes]]:
        numbers = {name: number for number, name in enumerate(self._names)}
        with _open(self.paths[0], "rb") as stream:
            for packet in read_pcapng(stream):
                yield numbers[packet.interface.name], packet.time_ns, packet.data

    def close(self) -> None:
        _close(self._stream)


def _batch_key(record: Record) -> tuple[int, bool]:
    return record[0], record[3] is not None and not record[4]


class SplitFiles:
    """A file for each point, pcapng or pcap."""

    def __init__(self, paths: list[Path], points: list[CapturePoint], lab: str, form: str) -> None:
        self.paths = paths
        self._streams: list[BinaryIO] = []
        self._pcapng: list[PcapngFile] = []
        self._pcap: list[PcapWriter] = []
        for path, point in zip(paths, points, strict=True):
            if form == "pcapng":
                self._pcapng.append(PcapngFile(path, [point], lab))
            else:
                stream = _open(path)
                self._streams.append(stream)
                self._pcap.append(PcapWriter(stream, link_type=point.link_type))

    def write(self, records: list[Record]) -> None:
        for number, group in groupby(sorted(records, key=itemgetter(0)), key=itemgetter(0)):
            if self._pcapng:
                self._pcapng[number].write([(0, *record[1:]) for record in group])
            else:
                self._write_pcap(number, [(r[1], r[2], bool(r[3])) for r in group])

    def _write_pcap(self, number: int, frames: list[tuple[int, bytes, bool]]) -> None:
        try:
            self._pcap[number].write_batch(frames)
            self._streams[number].flush()
        except OSError as error:
            raise _storage_error(self.paths[number], error) from None

    def read(self) -> Iterator[tuple[int, int, bytes]]:
        for number, file in enumerate(self._pcapng):
            for _, time_ns, data in file.read():
                yield number, time_ns, data
        for number in range(len(self._pcap)):
            with _open(self.paths[number], "rb") as stream:
                for packet in read_pcap(stream):
                    yield number, packet.time_ns, packet.data

    def close(self) -> None:
        for file in self._pcapng:
            file.close()
        for stream in self._streams:
            _close(stream)


def open_captures(
    folder: Path, lab: str, points: list[CapturePoint], *, split: bool, form: str
) -> CaptureWriter:
    """Open the capture files of a lab in ``folder``, which is made if need be.

    A pcap file holds one interface, so that format always splits. What an earlier run of the
    lab wrote under a name that this one does not use is removed: it would pass for this run's.
    Raises :class:`StorageError`.
    """
    whole = folder / f"{lab}.pcapng"
    parts = {
        form: [folder / f"{point.name.replace(':', '.')}.{form}" for point in points]
        for form in ("pcapng", "pcap")
    }
    paths = parts[form] if split or form == "pcap" else [whole]
    if len(set(paths)) < len(paths):
        raise UsageError(
            "two capture points would be written to one file", "leave split and pcap out"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in {whole, *parts["pcapng"], *parts["pcap"]} - set(paths):
            stale.unlink(missing_ok=True)
    except OSError as error:
        raise _storage_error(folder, error) from None
    if paths == [whole]:
        return PcapngFile(whole, points, lab)
    return SplitFiles(paths, points, lab, form)


def _open(path: Path, mode: Literal["rb", "wb"] = "wb") -> BinaryIO:
    try:
        return path.open(mode)
    except OSError as error:
        raise _storage_error(path, error, "read" if mode == "rb" else "write") from None


def _close(stream: BinaryIO) -> None:
    try:
        stream.close()
    except OSError as error:
        raise StorageError(f"cannot finish a capture: {error.strerror}") from None


def _storage_error(path: Path, error: OSError, verb: str = "write") -> StorageError:
    return StorageError(f"cannot {verb} {path}: {error.strerror}", "choose another --pcap-dir")
