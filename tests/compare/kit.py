"""Captures made for comparing: frames built with Scapy, kept in memory."""

from __future__ import annotations

from pathlib import Path

from scapy.packet import Packet

from vnet.compare.capture import Reading, read_capture
from vnet.compare.diff import CaptureDiff, compare
from vnet.compare.rules import Rules
from vnet.wire.pcap import PcapWriter

MS = 1_000_000
PLAIN = Reading()


def written(path: Path, frames: list[bytes | Packet], step_ns: int = 10 * MS) -> Path:
    """A pcap with the frames, one each ``step_ns``."""
    with path.open("wb") as stream:
        writer = PcapWriter(stream)
        for number, frame in enumerate(frames):
            writer.write(number * step_ns, bytes(frame))
    return path


def compared(
    folder: Path,
    first: list[bytes | Packet],
    second: list[bytes | Packet],
    reading: Reading = PLAIN,
    *,
    within_ns: int = 0,
) -> CaptureDiff:
    """Two lists of frames, written and compared."""
    here = read_capture(written(folder / "a.pcap", first), reading)
    there = read_capture(written(folder / "b.pcap", second), reading)
    return compare(here, there, within_ns=within_ns)


def rules(**options: tuple[str, ...] | bool) -> Reading:
    return Reading(rules=Rules(**options))  # type: ignore[arg-type]


def told(diff: CaptureDiff) -> list[tuple[str, list[str]]]:
    """Each difference: how, and the names of the fields."""
    return [
        (one.how.value, [difference.name for difference in one.differing])
        for point in diff.points
        for one in point.differences
    ]
