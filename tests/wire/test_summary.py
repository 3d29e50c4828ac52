"""One line for any frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.geneve import GENEVE
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6PacketTooBig, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import ARP, GRE, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN

from vnet.wire.summary import summarize

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
PACKET = IP(src="10.0.0.1", dst="10.0.0.2")
PACKET6 = IPv6(src="fd00::1", dst="fd00::2")


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (
            ETHER / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2", hwsrc="02:00:00:00:00:01"),
            "ARP who has 10.0.0.2, says 10.0.0.1",
        ),
        (
            ETHER / ARP(op=2, psrc="10.0.0.1", pdst="10.0.0.2", hwsrc="02:00:00:00:00:01"),
            "ARP 10.0.0.1 is at 02:00:00:00:00:01",
        ),
        (ETHER / PACKET / ICMP(), "10.0.0.1 → 10.0.0.2 ICMP echo request"),
        (ETHER / PACKET / ICMP(type=42), "10.0.0.1 → 10.0.0.2 ICMP type 42"),
        (ETHER / PACKET / UDP(sport=1, dport=2), "10.0.0.1 → 10.0.0.2 UDP 1 → 2"),
        (ETHER / PACKET / TCP(sport=1, dport=2), "10.0.0.1 → 10.0.0.2 TCP 1 → 2"),
        (
            ETHER / IP(src="10.0.0.1", dst="10.0.0.2", frag=3, proto=17) / b"x",
            "10.0.0.1 → 10.0.0.2 fragment at 24",
        ),
        (
            ETHER / Dot1Q(vlan=7) / PACKET / ICMP(type=0),
            "VLAN 7 10.0.0.1 → 10.0.0.2 ICMP echo reply",
        ),
        (ETHER / PACKET6 / ICMPv6ND_NS(), "fd00::1 → fd00::2 ICMPv6 neighbor solicitation"),
        (ETHER / PACKET6 / ICMPv6PacketTooBig(), "fd00::1 → fd00::2 ICMPv6 packet too big"),
        (
            ETHER / PACKET6 / IPv6ExtHdrFragment(offset=2, nh=17) / b"x",
            "fd00::1 → fd00::2 fragment at 16",
        ),
        (
            Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02", type=0x88B5) / b"x",
            "02:00:00:00:00:01 → 02:00:00:00:00:02 type 0x88b5",
        ),
        (b"short", "5 bytes"),
        (
            ETHER / PACKET / UDP(dport=4789) / VXLAN(vni=5, flags=8) / ETHER / PACKET6 / TCP(),
            "10.0.0.1 → 10.0.0.2 VXLAN 5: fd00::1 → fd00::2 TCP 20 → 80",
        ),
        (
            ETHER / PACKET6 / UDP(dport=6081) / GENEVE(vni=5, proto=0x6558) / ETHER / PACKET,
            "fd00::1 → fd00::2 Geneve 5: 10.0.0.1 → 10.0.0.2 protocol 0",
        ),
        (
            ETHER / PACKET / GRE(proto=0x6558, key_present=1, key=0x500) / ETHER / PACKET / ICMP(),
            "10.0.0.1 → 10.0.0.2 GRE 0x500: 10.0.0.1 → 10.0.0.2 ICMP echo request",
        ),
        (ETHER / PACKET / GRE(proto=0x800) / PACKET, "10.0.0.1 → 10.0.0.2 protocol 47"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_frame_is_told_by_what_it_carries(packet: Ether, line: str) -> None:
    assert summarize(bytes(packet)) == line


@given(
    st.binary(max_size=80), st.sampled_from([b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x81\x00"])
)
def test_no_bytes_make_it_raise(data: bytes, kind: bytes) -> None:
    assert summarize(data)
    assert summarize(bytes(12) + kind + data)


def test_tunnels_in_tunnels_are_one_line() -> None:
    frame = bytes(ETHER / PACKET / ICMP())
    for _ in range(180):
        frame = bytes(ETHER / PACKET / GRE(proto=0x6558) / frame)
    assert summarize(frame).endswith(" GRE: 10.0.0.1 → 10.0.0.2 protocol 47")
    assert len(summarize(frame)) < 150


@pytest.mark.parametrize("tag", [b"\x81\x00\x00\x07", b"\x88\xa8\x00\x07"])
def test_a_jumbo_frame_of_nothing_but_tags_is_one_line(tag: bytes) -> None:
    """There is room for two thousand: neither the stack nor the line may grow with them."""
    line = summarize(bytes(ETHER)[:12] + tag * 2301)
    assert line.startswith("VLAN 7 VLAN 7 ")
    assert len(line) < 150
