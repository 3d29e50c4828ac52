"""Golden captures against themselves, relabelled, and with any one byte changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether

from tests.compare.kit import PLAIN, compared, told
from vnet.compare.capture import packets, read_capture
from vnet.compare.diff import compare
from vnet.compare.dissect import dissect
from vnet.wire.pcapng import LINK_ETHERNET

GOLDEN = Path(__file__).parents[2] / "pcaps" / "golden"
CAPTURES = sorted(GOLDEN.glob("*/*.pcapng"))


def frames(path: Path, point: str = "") -> list[bytes]:
    return [
        packet.data
        for packet in packets(path)
        if packet.interface.link_type == LINK_ETHERNET
        and (not point or packet.interface.name == point)
    ]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_capture_is_the_same_as_itself(path: Path) -> None:
    capture = read_capture(path, PLAIN)
    assert compare(capture, read_capture(path.parent, PLAIN)).is_same


def relabelled(data: bytes, seed: int) -> bytes:
    """A frame as another kernel might have sent it: other ids, ports and sequence numbers."""
    frame = Ether(data)
    if IP in frame:
        packet = frame[IP]
        packet.id = packet.id and (packet.id * 3 + seed * 2) % 65_535 + 1
        packet.chksum = None
        if not packet.frag and not packet.flags.MF:
            _relabel_transport(packet, seed)
    return bytes(frame)


def _relabel_transport(packet: IP, seed: int) -> None:
    if type(packet.payload) is ICMP and packet[ICMP].type in (0, 8):
        packet[ICMP].id = (packet[ICMP].id + seed) % 65_535 + 1
        packet[ICMP].chksum = None
    if type(packet.payload) in (TCP, UDP):
        segment = packet.payload
        segment.chksum = None
        for name in ("sport", "dport"):
            port = getattr(segment, name)
            if 32_768 <= port <= 60_999:
                setattr(segment, name, 32_768 + (port - 32_768 + seed) % 28_232)
    if type(packet.payload) is TCP:
        out = 1_000_003 * seed if packet.src < packet.dst else 77_003 * seed
        back = 77_003 * seed if packet.src < packet.dst else 1_000_003 * seed
        segment = packet[TCP]
        segment.seq = (segment.seq + out) % 2**32
        if segment.flags.A:
            segment.ack = (segment.ack + back) % 2**32
        options = []
        for name, value in segment.options:
            if name == "SAck":
                value = tuple((edge + back) % 2**32 for edge in value)
            options.append((name, value))
        segment.options = options


@pytest.mark.parametrize("lab", ["two-vms", "tcp-lossy-link", "load-balancer"])
@pytest.mark.parametrize("seed", [1, 4711])
def test_what_a_kernel_chooses_freely_does_not_count(tmp_path: Path, lab: str, seed: int) -> None:
    path = GOLDEN / lab / f"{lab}.pcapng"
    points = sorted({packet.interface.name for packet in packets(path)})
    for point in points:
        seen = frames(path, point)
        other = [relabelled(data, seed) for data in seen]
        assert other != seen
        assert told(compared(tmp_path, list(seen), list(other))) == []


def shapes() -> Iterator[bytes]:
    """A frame of each kind that is in the golden captures."""
    known = set()
    for path in CAPTURES:
        for data in frames(path):
            shape = tuple(one.name for one in dissect(data))
            if shape not in known and len(data) < 160:
                known.add(shape)
                yield data


@pytest.mark.slow
def test_any_byte_that_changes_is_found(tmp_path: Path) -> None:
    """Of a frame that was seen before, so that a label has something to be unequal to.

    A third of the bytes of each kind of frame: headers are shared, so each is tried often.
    """
    random = Random(5)
    kinds = list(shapes())
    assert len(kinds) > 30
    for data in kinds:
        for at in random.sample(range(len(data)), len(data) // 3):
            bit = 1 << random.randrange(8)
            other = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
            diff = compared(tmp_path, [data, data], [data, other])
            assert not diff.is_same, f"byte {at} of {data.hex()}"
