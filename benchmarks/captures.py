"""Frames a second into a pcapng file, against Scapy's writer.

128-byte frames in batches of 1,000, as a capture hands them over; both sides write a
real file. Scapy is measured twice: given packets, which is how it is used and the only
way it writes times, and given bare bytes, when it writes neither time nor direction.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter

from benchmarks.harness import Speed, Work
from vnet.wire.pcap import PcapWriter
from vnet.wire.pcapng import PcapngWriter

BATCH = 1_000
BATCHES = 100
SCAPY_FRAMES = 1_000
EPOCH_NS = 1_700_000_000_000_000_000

_PACKET = (
    Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    / IP(src="10.0.0.1", dst="10.0.0.2")
    / UDP(sport=1024, dport=4789)
    / bytes(86)
)
_DATA = bytes(_PACKET)


def _frames(batch: int) -> list[tuple[int, bytes, bool]]:
    start_ns = EPOCH_NS + batch * BATCH * 1_000
    return [
        (start_ns + number * 1_000, _DATA[:-4] + number.to_bytes(4, "big"), number % 2 == 0)
        for number in range(BATCH)
    ]


def pcapng() -> Work:
    batches = [_frames(batch) for batch in range(BATCHES)]

    def work() -> int:
        with TemporaryDirectory() as folder, (Path(folder) / "ours").open("wb") as stream:
            writer = PcapngWriter(stream, application="vnet")
            interface = writer.add_interface("vm1:eth0")
            for frames in batches:
                writer.write_batch(interface, frames)
        return BATCH * BATCHES

    return work


def pcap() -> Work:
    batches = [_frames(batch) for batch in range(BATCHES)]

    def work() -> int:
        with TemporaryDirectory() as folder, (Path(folder) / "ours").open("wb") as stream:
            writer = PcapWriter(stream)
            for frames in batches:
                writer.write_batch(frames)
        return BATCH * BATCHES

    return work


def scapy_packets(*, fresh: bool) -> Work:
    """Packets built by hand (``fresh``), or as dissected from bytes and left unchanged."""
    packets = [_PACKET.copy() if fresh else Ether(_DATA) for _ in range(SCAPY_FRAMES)]
    return partial(_scapy, packets)


def scapy_bytes() -> Work:
    return partial(_scapy, [_DATA] * SCAPY_FRAMES * 10)


def _scapy(frames: Sequence[object]) -> int:
    logging.getLogger("scapy.runtime").setLevel(logging.ERROR)  # "unknown LL type for bytes"
    with TemporaryDirectory() as folder, PcapNgWriter(f"{folder}/theirs") as writer:
        for frame in frames:
            writer.write(frame)
    return len(frames)


_FRESH = partial(scapy_packets, fresh=True)
_DISSECTED = partial(scapy_packets, fresh=False)

BENCHMARKS = (
    Speed("pcapng, Scapy given packets", "frames/s", pcapng, _FRESH, "Scapy", 80),
    Speed("pcapng, Scapy given dissected packets", "frames/s", pcapng, _DISSECTED, "Scapy", 80),
    Speed("pcapng, Scapy given bytes (no times)", "frames/s", pcapng, scapy_bytes, "Scapy"),
    Speed("pcap, Scapy's pcapng given packets", "frames/s", pcap, _FRESH, "Scapy"),
)
