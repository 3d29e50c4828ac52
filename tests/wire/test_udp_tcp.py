"""UDP and TCP headers: golden bytes both ways, checksums, Scapy's opinion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6

from vnet.base.ids import ip_from_text, ip_text
from vnet.wire import tcp, udp
from vnet.wire.tcp import Tcp

PORT = WORD = st.integers(0, 0xFFFF)
LONG = st.integers(0, 0xFFFFFFFF)
ADDRESSES = st.sampled_from((4, 16)).flatmap(
    lambda n: st.tuples(st.binary(min_size=n, max_size=n), st.binary(min_size=n, max_size=n))
)
SEGMENT = st.builds(
    Tcp,
    PORT,
    PORT,
    LONG,
    LONG,
    st.integers(0, 0x0FFF),
    WORD,
    WORD,
    st.integers(0, 10).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n)),
    st.binary(max_size=50),
)

SOURCE, TARGET = ip_from_text("192.0.2.1"), ip_from_text("198.51.100.2")
# Built by Scapy between those two: UDP(sport=53, dport=4096) / "vnet"
DATAGRAM = bytes.fromhex("0035 1000 000c 2787") + b"vnet"
# TCP(sport=80, dport=4096, seq=1, ack=0x01020304, flags="SA", window=64240, options=MSS 1460)
SYN_ACK = bytes.fromhex("0050 1000 00000001 01020304 6012 faf0 9c97 0000 020405b4")
SYN_ACK_FIELDS = Tcp(80, 4096, 1, 0x01020304, tcp.SYN | tcp.ACK, 64240, 0, b"\x02\x04\x05\xb4", b"")


def under_ip(source: bytes, target: bytes, layer: UDP | TCP) -> bytes:
    """The bytes that Scapy gives ``layer`` under an IP header of either version."""
    if len(source) == 4:
        return bytes(IP(src=ip_text(source), dst=ip_text(target)) / layer)[20:]
    return bytes(IPv6(src=ip_text(source), dst=ip_text(target)) / layer)[40:]


def test_golden_datagram() -> None:
    assert udp.parse(DATAGRAM) == (53, 4096, 0x2787, b"vnet")
    assert udp.emit(SOURCE, TARGET, 53, 4096, b"vnet") == DATAGRAM
    assert udp.checksum_holds(SOURCE, TARGET, DATAGRAM)
    assert udp.checksum_holds(SOURCE, TARGET, DATAGRAM + b"padding")
    assert not udp.checksum_holds(SOURCE, TARGET, DATAGRAM[:-1] + b"!")


def test_a_udp_checksum_of_zero_means_none_on_ipv4_only() -> None:
    unsummed = DATAGRAM[:6] + b"\0\0" + DATAGRAM[8:]
    assert udp.checksum_holds(SOURCE, TARGET, unsummed)
    assert not udp.checksum_holds(bytes(16), bytes(16), unsummed)


def test_a_sum_of_zero_is_sent_as_all_ones() -> None:
    empty = udp.emit(SOURCE, TARGET, 0, 0, b"\0\0")
    missing = udp.parse(empty)
    assert missing is not None
    datagram = udp.emit(SOURCE, TARGET, 0, 0, missing.checksum.to_bytes(2, "big"))
    assert datagram[6:8] == b"\xff\xff"
    assert udp.checksum_holds(SOURCE, TARGET, datagram)


@pytest.mark.parametrize("length", [0, 7, 13])
def test_impossible_udp_lengths_are_none(length: int) -> None:
    assert udp.parse(DATAGRAM[:4] + length.to_bytes(2, "big") + DATAGRAM[6:]) is None


def test_golden_segment() -> None:
    assert tcp.parse(SYN_ACK) == SYN_ACK_FIELDS
    assert tcp.emit(SOURCE, TARGET, SYN_ACK_FIELDS) == SYN_ACK
    assert tcp.checksum_holds(SOURCE, TARGET, SYN_ACK)
    assert not tcp.checksum_holds(SOURCE, TARGET, SYN_ACK + b"!")


@pytest.mark.parametrize("words", [0, 4, 7, 15])
def test_impossible_data_offsets_are_none(words: int) -> None:
    assert tcp.parse(SYN_ACK[:12] + bytes((words << 4 | 2,)) + SYN_ACK[13:]) is None


@given(ADDRESSES, PORT, PORT, st.binary(max_size=80))
def test_udp_parse_undoes_emit(
    ends: tuple[bytes, bytes], source_port: int, target_port: int, data: bytes
) -> None:
    segment = udp.emit(*ends, source_port, target_port, data)
    read = udp.parse(segment)
    assert read is not None
    assert (read.source_port, read.target_port, read.payload) == (source_port, target_port, data)
    assert udp.checksum_holds(*ends, segment)


@given(ADDRESSES, SEGMENT)
def test_tcp_parse_undoes_emit(ends: tuple[bytes, bytes], segment: Tcp) -> None:
    data = tcp.emit(*ends, segment)
    assert tcp.parse(data) == segment
    assert tcp.checksum_holds(*ends, data)


@given(ADDRESSES, PORT, PORT, st.binary(max_size=80))
def test_scapy_builds_the_same_datagram(
    ends: tuple[bytes, bytes], source_port: int, target_port: int, data: bytes
) -> None:
    scapys = under_ip(*ends, UDP(sport=source_port, dport=target_port) / data)
    assert udp.emit(*ends, source_port, target_port, data) == scapys


@given(ADDRESSES, SEGMENT)
def test_scapy_builds_the_same_segment(ends: tuple[bytes, bytes], segment: Tcp) -> None:
    segment = segment._replace(options=b"")
    layer = TCP(
        sport=segment.source_port,
        dport=segment.target_port,
        seq=segment.sequence,
        ack=segment.acknowledgement,
        reserved=segment.flags >> 9,
        flags=segment.flags & 0x1FF,
        window=segment.window,
        urgptr=segment.urgent,
    )
    assert tcp.emit(*ends, segment) == under_ip(*ends, layer / segment.payload)
