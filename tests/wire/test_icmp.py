"""ICMP and the ICMPv6 envelope: golden bytes both ways, Scapy's opinion."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6PacketTooBig, ICMPv6Unknown, IPv6

from vnet.base.ids import ip_from_text, ip_text
from vnet.wire import icmp, icmpv6
from vnet.wire.icmp import Icmp
from vnet.wire.icmpv6 import Icmpv6

BYTE = st.integers(0, 255)
WORD = st.integers(0, 0xFFFF)
IP6 = st.binary(min_size=16, max_size=16)
MESSAGE = st.builds(Icmp, BYTE, BYTE, st.binary(min_size=4, max_size=4), st.binary(max_size=60))
MESSAGE6 = st.builds(Icmpv6, BYTE, BYTE, st.binary(min_size=4, max_size=60))

# 0x0800 + 0x0001 + 0x0001 = 0x0802, and the complement of that is 0xf7fd.
ECHO = bytes.fromhex("08 00 f7fd 0001 0001")
# Built by Scapy: ICMP(type=3, code=4, nexthopmtu=1400) / "0123456789"
TOO_BIG = bytes.fromhex("03 04 f279 0000 0578") + b"0123456789"

SOURCE, TARGET = ip_from_text("2001:db8::1"), ip_from_text("2001:db8::2")
# Built by Scapy between those two: ICMPv6EchoRequest(id=1, seq=2, data=b"hi")
ECHO6 = bytes.fromhex("80 00 bbd9 0001 0002") + b"hi"


def flipped(data: bytes) -> bytes:
    """``data`` with one bit of its last byte turned over."""
    return data[:-1] + bytes((data[-1] ^ 1,))


def test_golden_icmp() -> None:
    request = Icmp(icmp.ECHO_REQUEST, 0, b"\0\1\0\1", b"")
    assert icmp.parse(ECHO) == request
    assert icmp.emit(request) == ECHO
    assert (request.ident, request.sequence) == (1, 1)


def test_golden_icmp_error() -> None:
    error = Icmp(icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, b"\0\0\x05\x78", b"0123456789")
    assert icmp.parse(TOO_BIG) == error
    assert icmp.emit(error) == TOO_BIG
    assert error.type in icmp.ERRORS


def test_golden_icmpv6() -> None:
    request = Icmpv6(icmpv6.ECHO_REQUEST, 0, b"\0\1\0\2hi")
    assert icmpv6.parse(SOURCE, TARGET, ECHO6) == request
    assert icmpv6.emit(SOURCE, TARGET, request) == ECHO6
    assert not request.is_error


def test_scapy_and_we_agree_on_packet_too_big() -> None:
    scapys = bytes(IPv6(src=ip_text(SOURCE), dst=ip_text(TARGET)) / ICMPv6PacketTooBig(mtu=1280))
    message = icmpv6.parse(SOURCE, TARGET, scapys[40:])
    assert message == Icmpv6(icmpv6.PACKET_TOO_BIG, 0, (1280).to_bytes(4, "big"))
    assert message.is_error


def test_a_flipped_bit_or_a_wrong_address_is_none() -> None:
    assert icmp.parse(flipped(ECHO)) is None
    assert icmpv6.parse(SOURCE, TARGET, flipped(ECHO6)) is None
    assert icmpv6.parse(SOURCE, flipped(TARGET), ECHO6) is None


@given(MESSAGE)
def test_icmp_parse_undoes_emit(message: Icmp) -> None:
    assert icmp.parse(icmp.emit(message)) == message


@given(IP6, IP6, MESSAGE6)
def test_icmpv6_parse_undoes_emit(source: bytes, target: bytes, message: Icmpv6) -> None:
    assert icmpv6.parse(source, target, icmpv6.emit(source, target, message)) == message


@given(WORD, WORD, st.binary(max_size=60))
def test_scapy_builds_the_same_echo(ident: int, sequence: int, data: bytes) -> None:
    rest = ident.to_bytes(2, "big") + sequence.to_bytes(2, "big")
    scapys = bytes(ICMP(type="echo-reply", id=ident, seq=sequence) / data)
    message = Icmp(icmp.ECHO_REPLY, 0, rest, data)
    assert icmp.emit(message) == scapys
    assert icmp.parse(scapys) == message
    assert (message.ident, message.sequence) == (ident, sequence)


@given(IP6, IP6, WORD, WORD, st.binary(max_size=60))
def test_scapy_builds_the_same_echo6(
    source: bytes, target: bytes, ident: int, sequence: int, data: bytes
) -> None:
    layer = ICMPv6EchoRequest(id=ident, seq=sequence, data=data)
    scapys = bytes(IPv6(src=ip_text(source), dst=ip_text(target)) / layer)[40:]
    body = ident.to_bytes(2, "big") + sequence.to_bytes(2, "big") + data
    message = Icmpv6(icmpv6.ECHO_REQUEST, 0, body)
    assert icmpv6.emit(source, target, message) == scapys
    assert icmpv6.parse(source, target, scapys) == message


@given(BYTE, BYTE, st.binary(min_size=4, max_size=40))
def test_scapy_sums_any_icmpv6_message_the_same(kind: int, code: int, body: bytes) -> None:
    layer = ICMPv6Unknown(type=kind, code=code, msgbody=body)
    scapys = bytes(IPv6(src=ip_text(SOURCE), dst=ip_text(TARGET)) / layer)[40:]
    assert icmpv6.emit(SOURCE, TARGET, Icmpv6(kind, code, body)) == scapys
