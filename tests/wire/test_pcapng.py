"""pcapng: golden bytes, our reader on our writer, and damaged or foreign files."""

from __future__ import annotations

import struct
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.wire.pcapng import LINK_NETLINK, Interface, Packet, PcapngWriter, read_pcapng

SECOND = 1_000_000_000
MAC = bytes.fromhex("00163e000001")

# One section, one Ethernet interface "p1", one three-byte frame that came in at 2**32 + 1 ns.
GOLDEN = bytes.fromhex(
    "0a0d0d0a 28000000 4d3c2b1a 0100 0000 ffffffffffffffff"  # section header
    "0400 0400 766e6574 00000000 28000000"  # shb_userappl "vnet"
    "01000000 34000000 0100 0000 00000000"  # interface description, no snap length
    "0200 0200 70310000"  # if_name "p1"
    "0600 0600 00163e000001 0000"  # if_MACaddr
    "0900 0100 09000000 00000000 34000000"  # if_tsresol 10**-9
    "06000000 30000000 00000000 01000000 01000000 03000000 03000000"  # enhanced packet
    "61626300 0200 0400 01000000 00000000 30000000"  # data, epb_flags inbound
)

TIMES_NS = st.integers(0, (1 << 64) - 1)
FRAMES = st.lists(st.tuples(TIMES_NS, st.binary(max_size=70), st.booleans()), max_size=8)
TEXT = st.text(max_size=20)


def golden_file() -> tuple[BytesIO, PcapngWriter]:
    stream = BytesIO()
    writer = PcapngWriter(stream, application="vnet")
    writer.add_interface("p1", mac=MAC)
    return stream, writer


def block(order: str, kind: int, body: bytes) -> bytes:
    total = len(body) + 12
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", total)


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def test_golden_file_is_written() -> None:
    stream, writer = golden_file()
    writer.write(0, (1 << 32) + 1, b"abc", outbound=False)
    assert stream.getvalue() == GOLDEN


def test_golden_file_is_written_by_the_batch_too() -> None:
    stream, writer = golden_file()
    writer.write_batch(0, [((1 << 32) + 1, b"abc", False)])
    assert stream.getvalue() == GOLDEN


def test_golden_file_is_read() -> None:
    wanted = Packet(Interface("p1", 1, "", MAC), (1 << 32) + 1, b"abc", False, "", 3)
    assert list(read_pcapng(GOLDEN, strict=True)) == [wanted]
    assert list(read_pcapng(BytesIO(GOLDEN), strict=True)) == [wanted]


@given(TEXT, TEXT, st.none() | st.just(MAC), FRAMES, TEXT, st.none() | st.booleans())
def test_what_is_written_is_read(
    name: str,
    description: str,
    mac: bytes | None,
    frames: list[tuple[int, bytes, bool]],
    comment: str,
    outbound: bool | None,
) -> None:
    stream = BytesIO()
    writer = PcapngWriter(stream, application="vnet", comment=comment)
    writer.add_interface("other")
    number = writer.add_interface(name, description=description, mac=mac)
    for time_ns, data, _ in frames:
        writer.write(number, time_ns, data, outbound, comment)
    writer.statistics(number, 0, 5, 6)
    interface = Interface(name, 1, description, mac)
    assert list(read_pcapng(stream.getvalue(), strict=True)) == [
        Packet(interface, time_ns, data, outbound, comment, len(data))
        for time_ns, data, _ in frames
    ]


@given(st.lists(st.tuples(st.integers(0, 2), FRAMES), max_size=5), st.integers(0, 40))
def test_a_batch_is_the_same_bytes_as_one_by_one(
    batches: list[tuple[int, list[tuple[int, bytes, bool]]]], snaplen: int
) -> None:
    streams = BytesIO(), BytesIO()
    one_by_one, in_batches = (PcapngWriter(stream, application="") for stream in streams)
    for writer in (one_by_one, in_batches):
        for name in ("a", "b", "c"):
            writer.add_interface(name, snaplen=snaplen if name == "b" else 0)
    for number, frames in batches:
        in_batches.write_batch(number, frames)
        for time_ns, data, outbound in frames:
            one_by_one.write(number, time_ns, data, outbound)
    assert streams[0].getvalue() == streams[1].getvalue()


def test_the_low_word_of_the_time_runs_over_within_a_batch() -> None:
    times = [0, (1 << 32) - 1, 1 << 32, 5, 1_700_000_000 * SECOND, (1 << 64) - 1]
    stream, writer = golden_file()
    writer.write_batch(0, [(time_ns, b"", True) for time_ns in times])
    assert [packet.time_ns for packet in read_pcapng(stream.getvalue())] == times


def test_a_snap_length_cuts_and_remembers_the_length() -> None:
    stream = BytesIO()
    writer = PcapngWriter(stream, application="vnet")
    writer.add_interface("p1", snaplen=5)
    writer.write(0, 0, b"12345678", outbound=True)
    writer.write_batch(0, [(0, b"12345678", True), (0, b"123", True)])
    read = [(packet.data, packet.original_bytes) for packet in read_pcapng(stream.getvalue())]
    assert read == [(b"12345", 8), (b"12345", 8), (b"123", 3)]


def test_interfaces_may_be_added_at_any_time_and_netlink_has_no_mac() -> None:
    stream, writer = golden_file()
    writer.write(0, 1, b"x", None)
    number = writer.add_interface("nlmon", link_type=LINK_NETLINK, mac=MAC)
    writer.write(number, 2, b"y", None)
    first, second = read_pcapng(stream.getvalue())
    assert first.interface.mac == MAC
    assert second.interface == Interface("nlmon", LINK_NETLINK)


def test_each_call_is_one_write_of_whole_blocks() -> None:
    sizes: list[int] = []

    class Recorder(BytesIO):
        def write(self, data: object, /) -> int:
            assert isinstance(data, bytes)
            sizes.append(len(data))
            return super().write(data)

    writer = PcapngWriter(Recorder(), application="vnet")
    writer.add_interface("p1")
    writer.write_batch(0, [(0, b"", True)] * 10)
    assert sizes == [40, 40, 440]


def test_callers_mistakes_raise_and_write_nothing() -> None:
    stream, writer = golden_file()
    size = len(stream.getvalue())
    with pytest.raises(ValueError, match="interface 1 was not added"):
        writer.write(1, 0, b"", outbound=True)
    with pytest.raises(ValueError, match="interface -1 was not added"):
        writer.write_batch(-1, [(0, b"", True)])
    with pytest.raises(ValueError, match="-1 ns is no time"):
        writer.write_batch(0, [(0, b"", True), (-1, b"", True)])
    with pytest.raises(ValueError, match="18446744073709551616 ns is no time"):
        writer.write(0, 1 << 64, b"", outbound=True)
    with pytest.raises(ValueError, match="holds 65,535 bytes, not 65536"):
        writer.write(0, 0, b"", outbound=True, comment="x" * 65_536)
    with pytest.raises(ValueError, match="MAC address of p2 has 5 bytes"):
        writer.add_interface("p2", mac=MAC[:5])
    assert len(stream.getvalue()) == size


# Files of other hands.


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("options", "ticks", "time_ns"),
    [
        (b"", 1_500_000, 1_500_000_000),  # microseconds where nothing is said
        ((9, b"\x00"), 3, 3 * SECOND),
        ((9, b"\x09"), 3, 3),
        ((9, b"\x0c"), 3_000, 3),  # picoseconds
        ((9, b"\x8a"), 512, SECOND // 2),  # 2**-10 s
    ],
)
def test_either_byte_order_and_any_resolution(
    order: str, options: tuple[int, bytes] | bytes, ticks: int, time_ns: int
) -> None:
    described = struct.pack(order + "HHI", 1, 0, 0)
    if isinstance(options, tuple):
        code, value = options
        described += struct.pack(order + "HH", code, len(value)) + value.ljust(4, b"\0")
    file = section(order) + block(order, 1, described)
    file += block(order, 6, struct.pack(order + "IIIII", 0, 0, ticks, 2, 9) + b"ab\0\0")
    wanted = Packet(Interface("", 1), time_ns, b"ab", None, "", 9)
    assert list(read_pcapng(file, strict=True)) == [wanted]


def test_a_time_offset_is_added() -> None:
    described = struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHq", 14, 8, -5)
    file = section("<") + block("<", 1, described)
    file += block("<", 6, struct.pack("<IIIII", 0, 0, 7_000_000, 0, 0))
    (packet,) = read_pcapng(file)
    assert packet.time_ns == 2 * SECOND


def test_unknown_blocks_are_skipped_and_a_section_starts_afresh() -> None:
    packet = block(">", 6, struct.pack(">IIIII", 0, 0, 0, 0, 0))
    described = block(">", 1, struct.pack(">HHI", 147, 0, 0))
    second = section(">") + block(">", 0x0BAD, b"what") + described + packet
    first, other = read_pcapng(GOLDEN + second, strict=True)
    assert first.interface.name == "p1"
    assert other.interface == Interface("", 147)
    with pytest.raises(ValueError, match="interface 0 has not been described"):
        list(read_pcapng(GOLDEN + section(">") + packet))


def test_a_simple_packet_has_no_time() -> None:
    file = section("<") + block("<", 1, struct.pack("<HHI", 1, 0, 2))
    file += block("<", 3, struct.pack("<I", 7) + b"ab\0\0")
    assert list(read_pcapng(file)) == [Packet(Interface("", 1), 0, b"ab", None, "", 7)]


def test_every_cut_gives_the_whole_blocks_and_ends() -> None:
    stream, writer = golden_file()
    ends = []
    for number in range(3):
        writer.write(0, number, bytes(number), outbound=True)
        ends.append(len(stream.getvalue()))
    file = stream.getvalue()
    for size in range(len(file)):
        whole = sum(end <= size for end in ends)
        assert len(list(read_pcapng(file[:size]))) == whole
        if size not in (0, 40, 92, *ends):
            with pytest.raises(ValueError, match="the file ends inside"):
                list(read_pcapng(file[:size], strict=True))


def spoiled(at: int, replacement: bytes) -> bytes:
    return GOLDEN[:at] + replacement + GOLDEN[at + len(replacement) :]


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"GIF89a", "not a pcapng file"),
        (GOLDEN[40:], "not a pcapng file"),
        (spoiled(8, b"\0"), "offset 0 has no byte-order magic"),
        (spoiled(12, b"\x02"), "offset 0: version 2.0 is not known"),
        (spoiled(44, b"\x08"), "block at offset 40 has the length 8"),
        (spoiled(44, b"\x35"), "block at offset 40 has the length 53"),
        (spoiled(47, b"\xff"), "block at offset 40 has the length"),
        (spoiled(88, b"\x30"), "two lengths of the block at offset 40 differ"),
        (spoiled(58, b"\xff"), "offset 40: option 2 is longer than what is left"),
        (spoiled(100, b"\x01"), "offset 92: interface 1 has not been described"),
        (spoiled(112, b"\xff"), "offset 92: 255 bytes of packet do not fit"),
        (spoiled(126, b"\x02"), "malformed pcapng block at offset 92"),
    ],
)
def test_a_malformed_file_is_told_with_its_offset(file: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        list(read_pcapng(file))


@given(st.binary(max_size=100), st.integers(0, len(GOLDEN) - 1), st.integers(0, 255))
def test_only_value_errors_come_out(tail: bytes, at: int, value: int) -> None:
    for file in (tail, GOLDEN + tail, spoiled(at, bytes((value,)))):
        with suppress(ValueError):
            list(read_pcapng(file))
