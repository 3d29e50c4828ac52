"""A capture as it is compared: its points, each with the frames that were seen there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from vnet.base.errors import UsageError
from vnet.compare.dissect import dissect
from vnet.compare.field import Field
from vnet.compare.periodic import Periodic
from vnet.compare.rules import Rules
from vnet.compare.streams import Streams
from vnet.wire.pcap import read_pcap
from vnet.wire.pcapng import LINK_ETHERNET, SECTION, Packet, read_pcapng
from vnet.wire.summary import summarize

SUFFIXES = (".pcap", ".pcapng", ".cap")
"""What a folder's captures are called; other files in it are passed over."""

Filter = Callable[[bytes], bool]


@dataclass(slots=True)
class Frame:
    """A frame of a capture. ``number`` counts the frames of its file from 1, as Wireshark does."""

    number: int
    time_ns: int
    data: bytes
    link_type: int
    fields: Sequence[Field]
    is_repeated: bool
    key: int = 0

    @property
    def summary(self) -> str:
        if self.link_type == LINK_ETHERNET:
            text = summarize(self.data)
        else:
            text = f"{len(self.data)} bytes of link type {self.link_type}"
        return f"{text} (retransmission)" if self.is_repeated else text


@dataclass
class Reading:
    """What is left out while a capture is read, and what is compared otherwise.

    ``ignored`` are filters for frames to leave out, ``periodic`` leaves out what kernels say by
    themselves, and ``points`` names the only points to look at; all of them if it is empty.
    """

    rules: Rules = field(default_factory=Rules)
    ignored: tuple[Filter, ...] = ()
    periodic: bool = False
    points: frozenset[str] = frozenset()


Capture = dict[str, list[Frame]]
"""Frames by the name of the point they were seen at, in the order of their files."""


def read_capture(path: Path, reading: Reading) -> Capture:
    """The capture in a file, or in all files of a folder.

    Points are pcapng's interfaces by name, and otherwise files by theirs, without the suffix.
    Raises ``UsageError`` for what is not there, no capture, or cut off.
    """
    capture: Capture = {}
    for file in _files(path):
        n_interfaces_before = len(capture)
        seen = _Points(reading)
        seen.read(file)
        for name, frames in seen.points.items():
            if name in capture:
                raise UsageError(f"{path} has two captures of the point {name}", "compare files")
            capture[name] = frames
        if len(capture) == n_interfaces_before and not reading.points:
            # Nothing was heard there, which is something to compare as well.
            capture[file.stem] = []
    return capture


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    if not files:
        raise UsageError(
            f"there are no captures in the folder {path}", "their names end in .pcapng or .pcap"
        )
    return files


class _Points:
    """The points of one file."""

    def __init__(self, reading: Reading) -> None:
        self.points: Capture = {}
        self._reading = reading
        self._streams: dict[str, Streams] = {}
        self._periodic: dict[str, Periodic] = {}

    def read(self, file: Path) -> None:
        for number, packet in enumerate(packets(file), 1):
            name = point_name(packet.interface.name or file.stem)
            if self._reading.points and name not in self._reading.points:
                continue
            if name not in self.points:
                self.points[name] = []
                self._streams[name] = Streams()
                self._periodic[name] = Periodic()
            if not self._is_left_out(name, packet):
                self.points[name].append(self._frame(name, number, packet))

    def _is_left_out(self, name: str, packet: Packet) -> bool:
        if packet.interface.link_type != LINK_ETHERNET:
            return False
        if self._reading.periodic and self._periodic[name].is_periodic(packet.data):
            return True
        return any(matches(packet.data) for matches in self._reading.ignored)

    def _frame(self, name: str, number: int, packet: Packet) -> Frame:
        missing_bytes = packet.original_bytes - len(packet.data)
        known = dissect(packet.data, packet.interface.link_type, missing_bytes)
        fields, is_repeated = self._streams[name].relative(known)
        if not self._reading.rules.is_plain:
            fields = [self._reading.rules.apply(one) for one in fields]
        return Frame(
            number, packet.time_ns, packet.data, packet.interface.link_type, fields, is_repeated
        )


def point_name(name: str) -> str:
    """How a point is called in messages, whether its name was a file's or an interface's.

    Files of one point each are called ``vm1.eth0``, where interfaces are ``vm1:eth0``.
    """
    return name.replace(":", ".")


def packets(file: Path) -> Iterator[Packet]:
    """The packets of a file of either format. Raises ``UsageError`` where it is no whole one."""
    try:
        with file.open("rb") as stream:
            yield from _read(stream)
    except ValueError as error:
        raise UsageError(f"{file} cannot be compared: {error}") from None
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None


def _read(stream: BinaryIO) -> Iterable[Packet]:
    magic = stream.read(4)
    stream.seek(0)
    if magic == SECTION.to_bytes(4, "big"):
        return read_pcapng(stream, strict=True)
    return read_pcap(stream, strict=True)
