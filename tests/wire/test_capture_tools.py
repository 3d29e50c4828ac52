"""Other people's programs read our captures: tshark, and Scapy."""

from __future__ import annotations

import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgReader, PcapNgWriter, PcapReader

from vnet.wire.pcap import PcapWriter
from vnet.wire.pcapng import LINK_NETLINK, PcapngWriter, read_pcapng

EPOCH_NS = 1_700_000_000_000_000_000
MAC = bytes.fromhex("00163e000001")
FRAME = bytes(
    Ether(src="00:16:3e:00:00:01", dst="00:16:3e:00:00:02")
    / IP(src="10.0.0.1", dst="10.0.0.2")
    / UDP(sport=1, dport=2)
    / b"payload"
)
COMMENT = "no-route: µs later"


def capture() -> bytes:
    """Two interfaces, the second added late; all directions; a comment; statistics."""
    stream = BytesIO()
    writer = PcapngWriter(stream, application="vnet", comment="a lab")
    writer.add_interface("vm1:eth0", description="vm1's first vNIC", mac=MAC)
    writer.write(0, EPOCH_NS, FRAME, outbound=None)
    writer.write(0, EPOCH_NS + 1, FRAME, outbound=True, comment=COMMENT)
    writer.add_interface("h1:peth0", description="the uplink", snaplen=45)
    writer.write_batch(1, [(EPOCH_NS + 123_456_789, FRAME, False)])
    writer.statistics(1, EPOCH_NS + 123_456_790, 1, 0)
    return stream.getvalue()


def tshark(tmp_path: Path, file: bytes, *arguments: str) -> list[list[str]]:
    """What tshark prints about ``file``, as fields by line."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    path = tmp_path / "capture.pcapng"
    path.write_bytes(file)
    done = subprocess.run(
        [program, "-n", "-r", str(path), *arguments], capture_output=True, text=True, check=True
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


def fields(*names: str) -> list[str]:
    return ["-T", "fields", *(part for name in names for part in ("-e", name))]


@pytest.mark.tshark
def test_tshark_reads_names_times_directions_and_comments(tmp_path: Path) -> None:
    names = (
        "frame.time_epoch",
        "frame.interface_id",
        "frame.interface_name",
        "frame.interface_description",
        "frame.packet_flags_direction",
        "frame.comment",
        "frame.len",
        "frame.cap_len",
    )
    size = str(len(FRAME))
    vm1, uplink = ["0", "vm1:eth0", "vm1's first vNIC"], ["1", "h1:peth0", "the uplink"]
    unknown, inbound, outbound = ("0x00000000", "0x00000001", "0x00000002")
    rows = tshark(tmp_path, capture(), *fields(*names))
    assert rows[0][4] in ("", unknown)
    rows[0][4] = ""
    assert rows == [
        ["1700000000.000000000", *vm1, "", "", size, size],
        ["1700000000.000000001", *vm1, outbound, COMMENT, size, size],
        ["1700000000.123456789", *uplink, inbound, "", size, "45"],
    ]


@pytest.mark.tshark
def test_tshark_finds_nothing_malformed(tmp_path: Path) -> None:
    assert tshark(tmp_path, capture(), "-Y", "_ws.malformed") == []


@pytest.mark.tshark
def test_tshark_knows_the_netlink_link_type(tmp_path: Path) -> None:
    stream = BytesIO()
    writer = PcapngWriter(stream, application="vnet")
    writer.add_interface("h1:nlmon", link_type=LINK_NETLINK)
    # struct sockaddr_nl's neighbour, the SLL header of LINKTYPE_NETLINK, and an empty message.
    header = bytes.fromhex("0004 0338 0000 000000000000 0000 0000")
    writer.write(0, EPOCH_NS, header + bytes.fromhex("10000000 0300 0000 00000000 00000000"), None)
    ((protocols,),) = tshark(tmp_path, stream.getvalue(), *fields("frame.protocols"))
    assert protocols.startswith("netlink")


@pytest.mark.tshark
def test_tshark_reads_pcap_to_the_nanosecond(tmp_path: Path) -> None:
    stream = BytesIO()
    PcapWriter(stream).write(EPOCH_NS + 1, FRAME)
    rows = tshark(tmp_path, stream.getvalue(), *fields("frame.time_epoch", "udp.dstport"))
    assert rows == [["1700000000.000000001", "2"]]


def test_scapy_reads_pcapng() -> None:
    with PcapNgReader(BytesIO(capture())) as reader:
        packets = list(reader)
    assert [bytes(packet) for packet in packets] == [FRAME, FRAME, FRAME[:45]]
    assert [int(packet.time * 10**9) - EPOCH_NS for packet in packets] == [0, 1, 123_456_789]
    assert [packet.sniffed_on for packet in packets] == ["vm1:eth0", "vm1:eth0", "h1:peth0"]
    assert [packet.direction for packet in packets] == [None, 2, 1]
    assert packets[1].comments == [COMMENT.encode()]


def test_scapy_reads_pcap() -> None:
    stream = BytesIO()
    PcapWriter(stream).write(EPOCH_NS + 1, FRAME)
    with PcapReader(BytesIO(stream.getvalue())) as reader:
        (packet,) = reader
    assert bytes(packet) == FRAME
    assert int(packet.time * 10**9) == EPOCH_NS + 1


def test_we_read_what_scapy_writes(tmp_path: Path) -> None:
    path = tmp_path / "scapy.pcapng"
    packet = Ether(FRAME)
    packet.time = 1_700_000_000.5
    packet.sniffed_on = "eth9"
    packet.direction = 2
    packet.comments = [b"one", b"two"]
    with PcapNgWriter(str(path)) as writer:
        writer.write(packet)
    with path.open("rb") as stream:
        (read,) = read_pcapng(stream, strict=True)
    assert read.interface.name == "eth9"
    assert (read.data, read.time_ns) == (FRAME, EPOCH_NS + 500_000_000)
    assert (read.outbound, read.comment) == (True, "one\ntwo")
