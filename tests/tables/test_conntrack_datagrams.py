"""UDP, ICMP and the rest in the tracker, ICMP errors about them, and what is invalid."""

from __future__ import annotations

import pytest
from scapy.layers.inet import GRE, ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NS,
    ICMPv6PacketTooBig,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import Dot1Q, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet, Raw

from tests.tables.conntrack_lab import (
    CLIENT,
    CLIENT6,
    COMMIT,
    LOOK,
    OTHER,
    SERVER,
    SERVER6,
    Lab,
    framed,
    ip,
    packed,
    ping,
    tcp,
    udp,
)
from vnet.tables.conntrack.packet import OriginalTuple

ANSWER = udp(SERVER, CLIENT, 53, 1000)


def test_udp_is_established_when_both_have_spoken() -> None:
    lab = Lab()
    assert (lab.send(udp(), COMMIT).state, lab.timeout_ms()) == ("new|trk", 60_000)
    assert (lab.send(udp()).state, lab.timeout_ms()) == ("new|trk", 60_000)
    assert (lab.send(ANSWER).state, lab.timeout_ms()) == ("est|rpl|trk", 30_000)
    assert (lab.send(udp()).state, lab.timeout_ms()) == ("est|trk", 30_000)


def test_what_is_not_committed_is_new_again_and_again() -> None:
    lab = Lab()
    assert [lab.send(udp()).state for _ in range(3)] == ["new|trk"] * 3
    assert lab.send(ANSWER).state == "new|trk"
    assert lab.dump() == []


@pytest.mark.parametrize("kinds", [(8, 0), (13, 14), (15, 16)])
def test_questions_and_answers_of_icmp(kinds: tuple[int, int]) -> None:
    question, answer = kinds
    lab = Lab()
    assert lab.send(ping(kind=question), COMMIT).state == "new|trk"
    assert lab.timeout_ms() == 60_000
    assert lab.send(ping(SERVER, CLIENT, kind=answer)).state == "est|rpl|trk"
    assert lab.timeout_ms() == 30_000
    assert lab.send(ping(kind=question)).state == "est|trk"
    assert lab.send(ping(SERVER, CLIENT, ident=2, kind=answer)).state == "inv|trk"


def test_questions_and_answers_of_icmpv6() -> None:
    lab = Lab()
    question = ip(CLIENT6, SERVER6) / ICMPv6EchoRequest(id=5) / b"ping"
    answer = ip(SERVER6, CLIENT6) / ICMPv6EchoReply(id=5) / b"ping"
    assert lab.send(question, COMMIT).state == "new|trk"
    assert lab.send(answer).state == "est|rpl|trk"
    assert lab.send(ip(SERVER6, CLIENT6) / ICMPv6ND_NS(tgt=CLIENT6)).state == "inv|trk"


@pytest.mark.parametrize("layer", [SCTP(sport=1, dport=2), GRE()], ids=["sctp", "gre"])
def test_other_protocols_are_known_by_their_addresses(layer: Packet) -> None:
    lab = Lab()
    there, back = ip(CLIENT, SERVER) / layer / b"x", ip(SERVER, CLIENT) / layer / b"x"
    assert lab.send(there, COMMIT).state == "new|trk"
    assert lab.send(back).state == "est|rpl|trk"
    assert lab.send(there).state == "est|trk"


def test_rules_see_the_original_tuple() -> None:
    lab = Lab()
    original = OriginalTuple(packed(CLIENT), packed(SERVER), 1000, 53, 17)
    assert lab.send(udp(), COMMIT).meta.original == original
    assert lab.send(ANSWER).meta.original == original
    assert lab.send(ping(), COMMIT).meta.original == OriginalTuple(
        packed(CLIENT), packed(SERVER), 8, 0, 1
    )
    unknown = lab.send(udp(OTHER, CLIENT)).meta.original
    assert unknown == OriginalTuple(packed(OTHER), packed(CLIENT), 1000, 53, 17)


def error(about: Packet, reporter: str, quoted_bytes: int = 1000, kind: int = 3) -> Packet:
    """What ``reporter`` writes to the sender of a packet."""
    quoted = bytes(about)[:quoted_bytes]
    return IP(src=reporter, dst=about.src) / ICMP(type=kind, code=1) / Raw(quoted)


@pytest.mark.parametrize("kind", [3, 4, 5, 11, 12])
def test_an_error_is_related_to_what_it_quotes(kind: int) -> None:
    lab = Lab()
    lab.send(udp(), COMMIT)
    report = lab.send(error(udp(), OTHER, 28, kind))
    assert report.state == "rel|rpl|trk"
    assert report.meta.original == OriginalTuple(packed(CLIENT), packed(SERVER), 1000, 53, 17)
    assert lab.send(error(ANSWER, OTHER, 28, kind)).state == "rel|trk"


def test_an_error_does_not_prolong_a_connection() -> None:
    lab = Lab()
    lab.send(udp(), COMMIT)
    lab.wait_ms(1000)
    lab.send(error(udp(), OTHER))
    assert lab.timeout_ms() == 59_000


def test_an_error_about_icmp_is_related_to_the_question() -> None:
    lab = Lab()
    lab.send(ping(), COMMIT)
    assert lab.send(error(ping(), OTHER)).state == "rel|rpl|trk"
    assert lab.send(error(error(ping(), OTHER), SERVER)).state == "inv|trk"


@pytest.mark.parametrize(
    "report",
    [
        error(udp(), OTHER),
        error(udp(), OTHER, 27),
        error(udp(), OTHER, 19),
        IP(src=OTHER, dst=SERVER) / ICMP(type=3) / Raw(bytes(udp())),
        error(IP(src=CLIENT, dst=SERVER, flags="MF") / UDP(sport=1000, dport=53), OTHER),
        error(IP(src=CLIENT, dst=SERVER, frag=8) / UDP(sport=1000, dport=53), OTHER),
        error(udp(sport=0), OTHER),
    ],
    ids=["unknown", "short", "cut", "not for the sender", "first", "later", "port 0"],
)
def test_errors_about_nothing_known_are_invalid(report: Packet) -> None:
    assert Lab().send(report, COMMIT).state == "inv|trk"


def test_icmpv6_errors_quote_through_extension_headers() -> None:
    lab = Lab()
    asked = ip(CLIENT6, SERVER6) / IPv6ExtHdrHopByHop() / UDP(sport=1000, dport=53) / b"data"
    lab.send(asked, COMMIT)
    for layer in (ICMPv6DestUnreach(), ICMPv6PacketTooBig(mtu=1280)):
        assert lab.send(ip(SERVER6, CLIENT6) / layer / Raw(bytes(asked))).state == "rel|rpl|trk"


def test_icmpv6_errors_must_quote_the_whole_tcp_header() -> None:
    lab = Lab()
    opening = tcp("S", ends=(CLIENT6, SERVER6))
    lab.send(opening, COMMIT)
    for quoted_bytes, state in ((60, "rel|rpl|trk"), (59, "inv|trk")):
        report = ip(SERVER6, CLIENT6) / ICMPv6DestUnreach() / Raw(bytes(opening)[:quoted_bytes])
        assert lab.send(report).state == state


def test_extension_headers_are_skipped() -> None:
    lab = Lab()
    chain = (
        IPv6(src=CLIENT6, dst=SERVER6)
        / IPv6ExtHdrHopByHop()
        / IPv6ExtHdrRouting(addresses=[])
        / IPv6ExtHdrDestOpt()
        / UDP(sport=1000, dport=53)
        / b"data"
    )
    assert lab.send(chain, COMMIT).state == "new|trk"
    assert lab.send(udp(SERVER6, CLIENT6, 53, 1000)).state == "est|rpl|trk"


def test_tags_and_padding_make_no_difference() -> None:
    lab = Lab()
    lab.send(framed(Dot1Q(vlan=5) / udp()) + bytes(18), COMMIT)
    assert lab.send(framed(ANSWER) + b"pad").state == "est|rpl|trk"


def broken(packet: Packet, **fields: int) -> Packet:
    """A packet with fields of its last header but the payload set."""
    copy = packet.copy()
    layer = copy.getlayer(TCP) or copy.getlayer(UDP) or copy.getlayer(ICMP)
    for name, value in fields.items():
        layer.setfieldval(name, value)
    return copy


@pytest.mark.parametrize(
    "packet",
    [
        broken(udp(), chksum=1),
        broken(udp(CLIENT6, SERVER6), chksum=0),
        broken(udp(), len=7),
        broken(udp(), len=13),
        broken(udp(), sport=0),
        broken(udp(), dport=0),
        broken(tcp("S"), chksum=1),
        broken(tcp("S"), dataofs=4),
        broken(tcp("S"), dataofs=6),
        broken(tcp("S"), dport=0),
        broken(ping(), chksum=1),
        broken(ping(), code=1),
        ping(kind=0),
        ping(kind=10),
        IP(src=CLIENT, dst=SERVER, chksum=1) / UDP(sport=1, dport=2),
        IP(src=CLIENT, dst=SERVER, proto=17) / b"short",
        IP(src=CLIENT, dst=SERVER, proto=6) / bytes(19),
        IP(src=CLIENT, dst=SERVER, proto=1) / b"\x08\x00\xf7\xff",
        ip(CLIENT6, SERVER6) / ICMPv6EchoRequest(cksum=1),
    ],
)
def test_what_does_not_add_up_is_invalid(packet: Packet) -> None:
    lab = Lab()
    tracked = lab.send(packet, COMMIT)
    assert tracked.state == "inv|trk"
    assert tracked.data == framed(packet)
    assert lab.dump() == []


def test_ipv4_datagrams_may_come_without_a_checksum() -> None:
    assert Lab().send(broken(udp(), chksum=0), COMMIT).state == "new|trk"


def test_wrong_checksums_are_counted() -> None:
    lab = Lab()
    lab.send(IP(src=CLIENT, dst=SERVER, chksum=1) / UDP())
    lab.send(broken(tcp("S"), chksum=1))
    lab.send(broken(ping(), chksum=1))
    assert (lab.policy.counters.l3_checksum, lab.policy.counters.l4_checksum) == (1, 2)


@pytest.mark.parametrize("cut", [1, 13, 19, 21, 27])
def test_frames_that_are_cut_off_are_invalid(cut: int) -> None:
    assert Lab().send(framed(udp())[: 14 + cut], LOOK).state == "inv|trk"


def test_what_is_no_ip_is_invalid() -> None:
    frame = bytes(Ether(type=0x88B5)) + bytes(50)
    assert Lab().send(frame, COMMIT).state == "inv|trk"
