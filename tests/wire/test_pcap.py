"""Classic pcap: golden bytes, both ways, and files of other hands."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.utils import RawPcapReader

from vnet.wire.pcap import PcapWriter, read_pcap
from vnet.wire.pcapng import Interface, Packet

# An Ethernet file with one three-byte frame at 2.000000007 s.
GOLDEN = bytes.fromhex(
    "4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000"
    "02000000 07000000 03000000 03000000 616263"
)
FRAMES = st.lists(
    st.tuples(st.integers(0, (1 << 32) * 10**9 - 1), st.binary(max_size=70), st.booleans()),
    max_size=8,
)


def written(frames: list[tuple[int, bytes, bool]], *, snaplen: int = 262_144) -> bytes:
    stream = BytesIO()
    PcapWriter(stream, snaplen=snaplen).write_batch(frames)
    return stream.getvalue()


def test_golden_file_both_ways() -> None:
    stream = BytesIO()
    PcapWriter(stream).write(2_000_000_007, b"abc")
    assert stream.getvalue() == GOLDEN
    wanted = Packet(Interface("", 1), 2_000_000_007, b"abc", None, "", 3)
    assert list(read_pcap(GOLDEN, strict=True)) == [wanted]
    assert list(read_pcap(BytesIO(GOLDEN))) == [wanted]


@given(FRAMES)
def test_what_is_written_is_read(frames: list[tuple[int, bytes, bool]]) -> None:
    read = [(packet.time_ns, packet.data) for packet in read_pcap(written(frames), strict=True)]
    assert read == [(time_ns, data) for time_ns, data, _ in frames]


@given(FRAMES)
def test_scapy_reads_the_same(frames: list[tuple[int, bytes, bool]]) -> None:
    reader = RawPcapReader(BytesIO(written(frames)))
    assert reader.nano
    read = [(meta.sec * 10**9 + meta.usec, data) for data, meta in reader]
    assert read == [(time_ns, data) for time_ns, data, _ in frames]


def test_a_snap_length_cuts() -> None:
    (packet,) = read_pcap(written([(0, b"12345678", True)], snaplen=5))
    assert (packet.data, packet.original_bytes) == (b"12345", 8)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "time_ns"), [(0xA1B2C3D4, 7_000), (0xA1B23C4D, 7)])
def test_either_order_and_either_fraction(order: str, magic: int, time_ns: int) -> None:
    file = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65_535, 253)
    file += struct.pack(order + "IIII", 1, 7, 2, 9) + b"ab"
    wanted = Packet(Interface("", 253), 10**9 + time_ns, b"ab", None, "", 9)
    assert list(read_pcap(file, strict=True)) == [wanted]


def test_every_cut_gives_the_whole_records() -> None:
    for size in range(4, len(GOLDEN)):
        assert list(read_pcap(GOLDEN[:size])) == []
        if size != 24:
            with pytest.raises(ValueError, match="the file ends inside"):
                list(read_pcap(GOLDEN[:size], strict=True))


@pytest.mark.parametrize("file", [b"", b"\x4d\x3c", b"GIF89a"])
def test_other_files_are_refused(file: bytes) -> None:
    with pytest.raises(ValueError, match="not a pcap file"):
        list(read_pcap(file))


@pytest.mark.parametrize("time_ns", [-1, (1 << 32) * 10**9])
def test_a_time_that_does_not_fit_raises(time_ns: int) -> None:
    stream = BytesIO()
    writer = PcapWriter(stream)
    with pytest.raises(ValueError, match="no time that a pcap file can hold"):
        writer.write_batch([(0, b"", True), (time_ns, b"", True)])
    assert len(stream.getvalue()) == 24


def test_a_record_longer_than_any_frame_is_damage_and_no_memory_is_asked_for() -> None:
    class Stream(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert size < 1 << 20
            return super().read(size)

    stream = BytesIO()
    PcapWriter(stream).write(0, b"frame")
    data = bytearray(stream.getvalue())
    data[32:36] = b"\xff" * 4
    with pytest.raises(ValueError, match="record at offset 24 has the length 4294967295"):
        list(read_pcap(Stream(bytes(data))))
