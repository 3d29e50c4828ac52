"""What a comparison calls a difference, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from tests.compare.kit import MS, compared, rules, told
from vnet.compare.capture import Reading
from vnet.wire.filter import compile_filter

A, B = "10.0.0.1", "10.0.0.2"
MAC_A, MAC_B = "52:54:00:00:00:01", "52:54:00:00:00:02"


def ether() -> Packet:
    return Ether(src=MAC_A, dst=MAC_B)


def echo(seq: int, *, ttl: int = 64, ident: int = 7, ip_id: int = 1, size: int = 8) -> Packet:
    packet = IP(src=A, dst=B, ttl=ttl, id=ip_id) / ICMP(id=ident, seq=seq)
    return ether() / packet / Raw(bytes(size))


def datagram(sport: int, dport: int, data: bytes = b"x") -> Packet:
    return ether() / IP(src=A, dst=B, id=1) / UDP(sport=sport, dport=dport) / Raw(data)


def segment(flags: str, seq: int, ack: int = 0, data: bytes = b"", sport: int = 40_000) -> Packet:
    tcp = TCP(sport=sport, dport=80, flags=flags, seq=seq, ack=ack)
    return ether() / IP(src=A, dst=B, id=1) / tcp / Raw(data)


def test_a_field_that_differs_is_named(tmp_path: Path) -> None:
    diff = compared(tmp_path, [echo(1), echo(2), echo(3)], [echo(1), echo(2, ttl=63), echo(3)])
    assert told(diff) == [("changed", ["ip.ttl"])]
    (changed,) = diff.points[0].differences
    assert (changed.differing[0].first, changed.differing[0].second) == ("64", "63")
    assert changed.first is not None
    assert changed.first.number == 2


def test_a_frame_that_is_missing_does_not_hide_the_rest(tmp_path: Path) -> None:
    diff = compared(tmp_path, [echo(n) for n in range(9)], [echo(n) for n in range(9) if n != 4])
    assert told(diff) == [("only in the first", [])]
    back = compared(tmp_path, [echo(n) for n in range(9) if n != 4], [echo(n) for n in range(9)])
    assert told(back) == [("only in the second", [])]


def test_order_counts_unless_frames_came_within_a_tie(tmp_path: Path) -> None:
    first, second = [echo(1), echo(2), echo(3)], [echo(2), echo(1), echo(3)]
    assert told(compared(tmp_path, first, second)) == [("moved", [])]
    assert told(compared(tmp_path, first, second, within_ns=10 * MS)) == []
    assert told(compared(tmp_path, first, second, within_ns=9 * MS)) != []


def test_a_tie_is_no_wider_than_it_was_said(tmp_path: Path) -> None:
    first = [echo(1), echo(2), echo(3), echo(4)]
    second = [echo(2), echo(3), echo(4), echo(1)]
    assert told(compared(tmp_path, first, second, within_ns=30 * MS)) == []
    assert len(told(compared(tmp_path, first, second, within_ns=20 * MS))) == 1


def test_an_id_is_a_label(tmp_path: Path) -> None:
    """Two pings with an id each: which it is does not count, but that they are two does."""
    first = [echo(1, ident=7), echo(1, ident=8), echo(2, ident=7)]
    assert (
        told(compared(tmp_path, first, [echo(1, ident=3), echo(1, ident=4), echo(2, ident=3)]))
        == []
    )
    mixed = [echo(1, ident=3), echo(1, ident=4), echo(2, ident=4)]
    assert told(compared(tmp_path, first, mixed)) == [("changed", ["icmp.id"])]


def test_an_ip_id_of_zero_is_no_label(tmp_path: Path) -> None:
    diff = compared(tmp_path, [echo(1, ip_id=9)], [echo(1, ip_id=0)])
    assert told(diff) == [("changed", ["ip.id"])]


def test_a_clients_port_is_a_label_and_a_servers_is_not(tmp_path: Path) -> None:
    assert told(compared(tmp_path, [datagram(40_000, 80)], [datagram(51_234, 80)])) == []
    assert told(compared(tmp_path, [datagram(40_000, 80)], [datagram(40_000, 81)])) == [
        ("changed", ["udp.dstport"])
    ]
    assert told(compared(tmp_path, [datagram(40_000, 80)], [datagram(1_024, 80)])) == [
        ("changed", ["udp.srcport"])
    ]


def test_a_port_that_changes_on_the_way_is_found(tmp_path: Path) -> None:
    kept = [datagram(40_000, 80, b"1"), datagram(40_000, 80, b"2")]
    translated = [datagram(40_000, 80, b"1"), datagram(40_001, 80, b"2")]
    diff = compared(tmp_path, kept, translated)
    assert told(diff) == [("changed", ["udp.srcport"])]
    assert "40000 was 40000 so far" in diff.points[0].differences[0].differing[0].note


def test_tcp_counts_from_its_flows_first_segment(tmp_path: Path) -> None:
    def talk(isn: int, port: int, skip: int = 0) -> list[bytes | Packet]:
        return [
            segment("S", isn, sport=port),
            segment("A", isn + 1, ack=5, sport=port),
            segment("PA", isn + 1 + skip, 5, b"hello", sport=port),
        ]

    assert told(compared(tmp_path, talk(100, 40_000), talk(2**32 - 3, 50_000))) == []
    assert told(compared(tmp_path, talk(100, 40_000), talk(77, 50_000, skip=1))) == [
        ("changed", ["tcp.seq"])
    ]


def test_a_retransmission_is_shown(tmp_path: Path) -> None:
    once = [segment("S", 1), segment("PA", 2, 5, b"hello")]
    diff = compared(tmp_path, once, [*once, segment("PA", 2, 5, b"hello")])
    (extra,) = diff.points[0].differences
    assert extra.second is not None
    assert extra.second.summary.endswith("(retransmission)")
    assert diff.points[0].repeated == (0, 1)


@pytest.mark.parametrize(
    ("fine", "damaged"), [({}, {"chksum": 1}), ({"chksum": 2}, {}), ({}, {"chksum": 0})]
)
def test_a_checksum_counts_as_right_or_wrong(
    tmp_path: Path, fine: dict[str, int], damaged: dict[str, int]
) -> None:
    def frames(options: dict[str, int]) -> list[bytes | Packet]:
        return [ether() / IP(src=A, dst=B, id=1) / UDP(sport=9, dport=9, **options) / Raw(b"x")]

    diff = compared(tmp_path, frames(fine), frames(damaged))
    assert told(diff) == [("changed", ["udp.checksum"])]


def test_a_checksum_that_is_left_to_the_card_holds(tmp_path: Path) -> None:
    """On a veth the kernel leaves the sum of the pseudo-header there."""
    whole = datagram(9, 9)
    left = datagram(9, 9)
    left[UDP].chksum = (0x0A00_0001 + 0x0A00_0002 + 17 + 9) % 0xFFFF
    assert told(compared(tmp_path, [whole], [left])) == []


def test_what_ping_notes_of_the_time_does_not_count(tmp_path: Path) -> None:
    def timed(time: bytes, last: int = 0x17) -> Packet:
        data = time + bytes(range(16, 0x17)) + bytes([last])
        return ether() / IP(src=A, dst=B, id=1) / ICMP(id=7, seq=1) / Raw(data)

    assert told(compared(tmp_path, [timed(bytes(16))], [timed(b"\x01" * 16)])) == []
    assert told(compared(tmp_path, [timed(bytes(16))], [timed(bytes(16), 9)])) != []


def dhcp(xid: int, secs: int, lease: int) -> Packet:
    boot = BOOTP(op=1, xid=xid, secs=secs, chaddr=bytes.fromhex("525400000001"))
    options = [("message-type", "request"), ("lease_time", lease), "end"]
    return (
        ether()
        / IP(src="0.0.0.0", dst="255.255.255.255")
        / UDP(sport=68, dport=67)
        / boot
        / DHCP(options=options)
    )


def test_of_dhcp_the_transaction_and_the_seconds_are_free(tmp_path: Path) -> None:
    assert told(compared(tmp_path, [dhcp(1, 0, 3600)], [dhcp(0xABCD, 3, 3600)])) == []
    assert told(compared(tmp_path, [dhcp(1, 0, 3600)], [dhcp(1, 0, 1800)])) == [
        ("changed", ["dhcp.option.51"])
    ]


def test_of_dns_the_id_is_free_and_the_name_is_not(tmp_path: Path) -> None:
    def query(ident: int, name: str) -> Packet:
        asked = DNS(id=ident, rd=1, qd=DNSQR(qname=name))
        return ether() / IP(src=A, dst=B, id=1) / UDP(sport=40_000, dport=53) / asked

    assert told(compared(tmp_path, [query(1, "vm1.lab.")], [query(2, "vm1.lab.")])) == []
    assert told(compared(tmp_path, [query(1, "vm1.lab.")], [query(1, "vm2.lab.")])) == [
        ("changed", ["dns.name"])
    ]


def test_a_tunnels_source_port_is_a_label_of_the_flow_inside(tmp_path: Path) -> None:
    def carried(port: int, seq: int) -> Packet:
        outer = IP(src="192.0.2.1", dst="192.0.2.2", id=0) / UDP(sport=port, dport=4789, chksum=0)
        return ether() / outer / VXLAN(vni=42, flags=8) / echo(seq)

    first = [carried(33_000, 1), carried(33_000, 2)]
    assert told(compared(tmp_path, first, [carried(44_000, 1), carried(44_000, 2)])) == []
    assert told(compared(tmp_path, first, [carried(44_000, 1), carried(44_001, 2)])) == [
        ("changed", ["udp.srcport"])
    ]


def with_macs(mac: str, low: str) -> list[bytes | Packet]:
    asks = ICMPv6ND_NS(tgt="fe80::1") / ICMPv6NDOptSrcLLAddr(lladdr=mac)
    local = f"fe80::5054:ff:fe00:{low}"
    return [
        Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=mac, psrc=A, pdst=B),
        Ether(src=mac, dst="33:33:ff:00:00:01") / IPv6(src=local, dst="ff02::1:ff00:1") / asks,
        Ether(src=mac, dst=MAC_B) / IPv6(src=local, dst="fe80::2") / ICMPv6EchoRequest(id=1),
    ]


def test_macs_are_labels_if_asked_in_addresses_made_from_them_too(tmp_path: Path) -> None:
    first, second = with_macs(MAC_A, "1"), with_macs("52:54:00:00:00:09", "9")
    assert len(told(compared(tmp_path, first, second))) >= 3
    assert told(compared(tmp_path, first, second, rules(macs=True))) == []
    assert told(compared(tmp_path, first, [*second[:2], first[2]], rules(macs=True))) != []


def test_fields_are_compared_as_the_user_wants(tmp_path: Path) -> None:
    first, second = [echo(1, ttl=64), echo(2, ttl=64)], [echo(1, ttl=32), echo(2, ttl=32)]
    assert told(compared(tmp_path, first, second, rules(skip=("ip.t*",)))) == []
    assert told(compared(tmp_path, first, second, rules(labels=("ip.ttl",)))) == []
    third = [echo(1, ttl=32), echo(2, ttl=33)]
    assert told(compared(tmp_path, first, third, rules(labels=("ip.ttl",)))) != []
    other = [echo(1, ident=9), echo(2, ident=9)]
    assert told(compared(tmp_path, first, other)) == []
    assert len(told(compared(tmp_path, first, other, rules(exact=("icmp.id",))))) == 2


def test_frames_are_left_out_by_a_filter(tmp_path: Path) -> None:
    tagged = ether() / Dot1Q(vlan=5) / IP(src=A, dst=B) / ICMP()
    reading = Reading(ignored=(compile_filter("vlan 5"),))
    assert told(compared(tmp_path, [echo(1), tagged], [echo(1)], reading)) == []


def test_a_refresh_of_arp_is_left_out_with_its_answer_and_a_first_question_is_not(
    tmp_path: Path,
) -> None:
    asks = Ether(src=MAC_A, dst=MAC_B) / ARP(op=1, hwsrc=MAC_A, psrc=A, pdst=B)
    says = Ether(src=MAC_B, dst=MAC_A) / ARP(op=2, hwsrc=MAC_B, psrc=B, hwdst=MAC_A, pdst=A)
    first = Ether(src=MAC_A, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=MAC_A, psrc=A, pdst=B)
    reading = Reading(periodic=True)
    assert told(compared(tmp_path, [echo(1), asks, says], [echo(1)], reading)) == []
    assert len(told(compared(tmp_path, [echo(1), first, says], [echo(1)], reading))) == 2
