"""Capture files: every point of a lab in one pcapng, a file each, or a private one.

The writers turn records into blocks; :mod:`vnet.lab.block_file` sees to it that a file ends
between two blocks whatever happens.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from vnet.base.errors import StorageError, UsageError
from vnet.base.text import escaped, printable
from vnet.lab.block_file import ANOTHER_FOLDER, BlockFile, storage_error
from vnet.lab.capture import CapturePoint, CaptureWriter, Record
from vnet.wire.cut import whole_blocks_bytes, whole_records_bytes
from vnet.wire.pcap import PcapWriter, read_pcap
from vnet.wire.pcapng import Packet, PcapngWriter, read_pcapng

REPORT_NAME = "run.json"

_ANOTHER_TEMPORARY = "set TMPDIR to a folder with more space, or name a pcap dir"


class PcapngFile:
    """One pcapng with every point as an interface. ``start`` before use."""

    def __init__(
        self, path: Path, points: Sequence[CapturePoint], lab: str, hint: str = ANOTHER_FOLDER
    ) -> None:
        self.file = BlockFile(path, whole_blocks_bytes, hint)
        self._buffer = BytesIO()
        names = [escaped(point.name) for point in points]
        self._numbers = {name: number for number, name in enumerate(names)}
        self._writer = PcapngWriter(self._buffer, application="vnet", comment=f"lab {escaped(lab)}")
        for point, name in zip(points, names, strict=True):
            self._writer.add_interface(
                name,
                description=escaped(point.description),
                mac=point.mac,
                link_type=point.link_type,
            )
        self._head = self._buffer.getvalue()

    def start(self) -> None:
        """Empty the file and describe the points."""
        self.file.start(self._head)

    def blocks(self, records: list[Record]) -> bytes:
        """Records as they stand in the file."""
        _empty(self._buffer)
        writer = self._writer
        for (number, plain), group in groupby(records, key=_batch_key):
            if plain:
                # A direction is known and there is no comment: the fast door.
                writer.write_batch(number, [(r[1], r[2], bool(r[3])) for r in group])
            else:
                for _, time_ns, data, outbound, comment in group:
                    writer.write(number, time_ns, data, outbound, printable(comment))
        return self._buffer.getvalue()

    def take(self, records: list[Record]) -> None:
        self.file.take(self.blocks(records))

    def flush(self) -> None:
        self.file.flush()

    def read(self) -> Iterator[tuple[int, int, bytes]]:
        for packet in _packets(self.file.whole(), read_pcapng):
            number = self._numbers.get(packet.interface.name)
            if number is None:
                raise _not_ours(self.file.path, f"no point {escaped(packet.interface.name)}")
            yield number, packet.time_ns, packet.data

    def close(self) -> None:
        self.file.close()


def _batch_key(record: Record) -> tuple[int, bool]:
    return record[0], record[3] is not None and not record[4]


class PcapFile:
    """The pcap of one point. ``start`` before use."""

    def __init__(self, path: Path, point: CapturePoint) -> None:
        self.file = BlockFile(path, whole_records_bytes)
        self._buffer = BytesIO()
        self._writer = PcapWriter(self._buffer, link_type=point.link_type)
        self._head = self._buffer.getvalue()

    def start(self) -> None:
        """Empty the file and write its header."""
        self.file.start(self._head)

    def blocks(self, records: list[Record]) -> bytes:
        """Records as they stand in the file."""
        _empty(self._buffer)
        try:
            self._writer.write_batch((r[1], r[2], bool(r[3])) for r in records)
        except ValueError as error:
            what = f"cannot write {escaped(str(self.file.path))}: {error}"
            raise StorageError(what, "write pcapng, which holds later times") from None
        return self._buffer.getvalue()

    def read(self) -> Iterator[tuple[int, int, bytes]]:
        for packet in _packets(self.file.whole(), read_pcap):
            yield 0, packet.time_ns, packet.data


class SplitFiles:
    """A file for each point. One that fails does not keep the others from being written."""

    def __init__(self, files: Sequence[PcapngFile | PcapFile]) -> None:
        self._files = files

    def take(self, records: list[Record]) -> None:
        ready = [
            (self._files[number], [(0, *record[1:]) for record in group])
            for number, group in groupby(sorted(records, key=itemgetter(0)), key=itemgetter(0))
        ]
        for file, blocks in [(file, file.blocks(own)) for file, own in ready]:
            file.file.take(blocks)

    def flush(self) -> None:
        _all_of([file.file.flush for file in self._files])

    def read(self) -> Iterator[tuple[int, int, bytes]]:
        for number, file in enumerate(self._files):
            for _, time_ns, data in file.read():
                yield number, time_ns, data

    def close(self) -> None:
        _all_of([file.file.close for file in self._files])


class TemporaryFile:
    """A private file for what a lab without a capture folder hears.

    It is made with the first batch, so that a short run needs none, and removed with the lab.
    """

    def __init__(self, points: Sequence[CapturePoint], lab: str) -> None:
        self._points = points
        self._lab = lab
        self._file: PcapngFile | None = None

    def take(self, records: list[Record]) -> None:
        if self._file is None:
            self._file = self._open()
        self._file.take(records)

    def _open(self) -> PcapngFile:
        try:
            folder = tempfile.mkdtemp(prefix="vnet-")
        except OSError as error:
            what = f"cannot make a temporary folder: {error.strerror or error}"
            raise StorageError(what, _ANOTHER_TEMPORARY) from None
        # Called in the reverse order: Windows does not remove what is open.
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        path = Path(folder) / "captures.pcapng"
        opened = PcapngFile(path, self._points, self._lab, _ANOTHER_TEMPORARY)
        weakref.finalize(self, opened.file.abandon)
        opened.start()
        return opened

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def read(self) -> Iterator[tuple[int, int, bytes]]:
        if self._file is not None:
            yield from self._file.read()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def open_captures(
    folder: Path, lab: str, points: list[CapturePoint], *, split: bool, form: str
) -> tuple[CaptureWriter, list[str]]:
    """Open the capture files of a lab in ``folder``, which is made if need be.

    Returns their writer and their names. A pcap file holds one interface, so that format
    always splits. Unless every file can be opened, those of an earlier run stay as they are.
    After that, what an earlier run wrote under a name that this one does not use is removed:
    it would pass for this run's. Raises :class:`StorageError`.
    """
    whole = folder / f"{_tame(lab)}.pcapng"
    parts = {
        form: [folder / f"{_tame(point.name)}.{form}" for point in points]
        for form in ("pcapng", "pcap")
    }
    split = split or form == "pcap"
    shares = [(whole, points)]
    if split:
        shares = [(path, [point]) for path, point in zip(parts[form], points, strict=True)]
    paths = [path for path, _ in shares]
    if len(set(paths)) < len(paths):
        raise UsageError(
            "two capture points would be written to one file", "leave split and pcap out"
        )
    earlier = {whole, *parts["pcapng"], *parts["pcap"], folder / REPORT_NAME}.difference(paths)
    files: list[PcapngFile | PcapFile] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, own in shares:
            files.append(PcapFile(path, *own) if form == "pcap" else PcapngFile(path, own, lab))
        for file in files:
            file.start()
        for path in earlier:
            path.unlink(missing_ok=True)
    except (OSError, StorageError) as error:
        _give_up(files)
        raise error if isinstance(error, StorageError) else storage_error(folder, error) from None
    writer: CaptureWriter = SplitFiles(files)
    if not split and isinstance(files[0], PcapngFile):
        writer = files[0]
    return writer, [path.name for path in paths]


def _give_up(files: Sequence[PcapngFile | PcapFile]) -> None:
    """Close what was opened, and leave no empty files behind."""
    for file in files:
        file.file.abandon()
        if file.file.is_new:
            file.file.path.unlink(missing_ok=True)


def _tame(name: str) -> str:
    """A name as part of a file's name; a topology made in Python may hold any text."""
    return re.sub("[^A-Za-z0-9._-]", "-", name.replace(":", ".")).lstrip(".") or "lab"


def _empty(buffer: BytesIO) -> None:
    buffer.seek(0)
    buffer.truncate()


def _all_of(acts: Sequence[Callable[[], None]]) -> None:
    """Do all, and raise the first error if there was one."""
    errors = []
    for act in acts:
        try:
            act()
        except StorageError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _packets(path: Path, read: Callable[[BinaryIO], Iterator[Packet]]) -> Iterator[Packet]:
    """What a file holds; one that was exchanged for something else raises as one that is gone."""
    try:
        with path.open("rb") as stream:
            yield from read(stream)
    except OSError as error:
        raise storage_error(path, error, "read") from None
    except ValueError as error:
        raise _not_ours(path, str(error)) from None


def _not_ours(path: Path, reason: str) -> StorageError:
    what = f"cannot read {escaped(str(path))}: {escaped(reason)}"
    return StorageError(what, "something else has written to it")
