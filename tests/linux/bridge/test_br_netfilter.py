"""br_netfilter without a rule: what it changes on bridged frames, as Linux 6.18 was seen to do."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP, UDP, IPOption
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Padding, Raw

from tests.linux.bridge.kit import Table
from tests.linux.kit import BROADCAST, drops, probe_mac
from vnet.linux.bridge.options import set_options
from vnet.linux.netfilter.drops import DROP
from vnet.linux.netfilter.hooks import FORWARDED, Hook, Priority
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.verdict import ACCEPT, Verdict, drop
from vnet.wire import ipv4

ONE, TWO = "10.0.0.1", "10.0.0.2"


def ether(target: str = probe_mac(2), **fields: Any) -> Any:
    return Ether(src=probe_mac(1), dst=target, **fields)


def udp(size: int, **fields: Any) -> Any:
    return IP(src=ONE, dst=TWO, **fields) / UDP(sport=1000, dport=9) / Raw(b"a" * size)


def udp6(**fields: Any) -> Any:
    return IPv6(src="fd00::1", dst="fd00::2", **fields) / UDP(sport=1, dport=2) / b"x"


@pytest.fixture
def table() -> Table:
    made = Table(3, filtering=False)
    made.machine.links.load_br_netfilter()
    made.send(2)
    return made


def passed(table: Table, packet: Any, number: int = 2) -> list[bytes]:
    """What comes out at a port of what probe 1 sends."""
    table.probes[0].send(packet)
    heard = [data for _, data in table.probes[number - 1].heard]
    for probe in table.probes:
        probe.forget()
    return heard


def with_byte(packet: Any, at: int, value: int) -> bytes:
    data = bytearray(bytes(packet))
    data[at] = value
    return bytes(data)


MALFORMED = {
    "a wrong checksum": ether() / IP(src=ONE, dst=TWO, chksum=0x1234) / UDP() / b"x",
    "a wrong version": with_byte(ether() / udp(4), 14, 0x55),
    "a length beyond the frame": ether() / IP(src=ONE, dst=TWO, len=500) / UDP() / b"x",
    "a header of 16 bytes": ether() / IP(src=ONE, dst=TWO, ihl=4) / UDP() / b"x",
    "a header cut off": ether(type=0x800) / Raw(bytes(IP(src=ONE, dst=TWO))[:12]),
    "an IPv6 payload beyond the frame": ether() / udp6(plen=300),
    "an IPv6 header of version 4": with_byte(ether() / udp6(), 14, 0x40),
}

SHORT_ARP = ether(type=0x806) / Raw(b"\0\1\x08\0\6\4")


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_is_lost_and_its_sender_not_learned(table: Table, case: str) -> None:
    assert passed(table, MALFORMED[case]) == []
    assert drops(table.port(1).device) == {"bridge-nf-malformed": 1}
    assert probe_mac(1) not in {row[0] for row in table.fdb()}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_bridge_without_it_carries_all_of_that(case: str) -> None:
    table = Table(3, filtering=False)
    table.send(2)
    assert passed(table, MALFORMED[case]) == [bytes(MALFORMED[case])]


def test_an_arp_header_that_is_cut_off_goes_no_further_but_is_learned_from(table: Table) -> None:
    assert passed(table, SHORT_ARP) == []
    assert drops(table.port(2).device) == {"bridge-nf-malformed": 1}
    assert probe_mac(1) in {row[0] for row in table.fdb()}


FINE = {
    "options": ether() / udp(1, options=[IPOption(b"\x94\x04\0\0")]),
    "a TTL of zero": ether() / udp(4, ttl=0),
    "a loopback source": ether() / IP(src="127.0.0.1", dst=TWO) / UDP() / b"x",
    "a fragment": ether() / IP(src=ONE, dst=TWO, id=9, flags="MF") / Raw(b"f" * 800),
    "a wrong checksum behind a tag": ether() / Dot1Q(vlan=5) / IP(src=ONE, dst=TWO, chksum=1),
    "IPv6": ether() / udp6(),
    "another protocol": ether(type=0x88B5) / Raw(b"x"),
}


@pytest.mark.parametrize("case", FINE)
def test_these_pass_as_they_are(table: Table, case: str) -> None:
    assert passed(table, FINE[case]) == [bytes(FINE[case])]


def test_padding_is_taken_off(table: Table) -> None:
    for packet in (ether() / udp(4), ether() / udp6()):
        assert passed(table, packet / Padding(b"P" * 30)) == [bytes(packet)]
    nothing = IPv6(src="fd00::1", dst="fd00::2", plen=0, nh=59)
    assert passed(table, ether() / nothing / Raw(b"abcdef")) == [bytes(ether() / nothing)]


def test_a_packet_too_large_for_its_port_is_cut_up(table: Table) -> None:
    table.machine.set_mtu("p2", 1400)
    pieces = [Ether(data) for data in passed(table, ether() / udp(1450, id=1))]
    assert [(len(p), p[IP].frag, int(p[IP].flags)) for p in pieces] == [
        (1410, 0, 1),
        (116, 172, 0),
    ]
    assert b"".join(bytes(p[IP].payload) for p in pieces) == bytes(udp(1450)[UDP])


def test_pieces_are_as_large_as_the_smallest_port_takes(table: Table) -> None:
    table.machine.set_mtu("p2", 1400)
    table.machine.set_mtu("p3", 1280)
    pieces = [Ether(data)[IP] for data in passed(table, ether() / udp(1450, id=1))]
    assert [len(piece) for piece in pieces] == [1276, 222]


@pytest.mark.parametrize(
    ("options", "fine"),
    [
        ("0000000000000000", True),  # padding by ones
        ("0104000000000000", False),  # says that it is 16 bytes long
        ("0000010600000000", False),  # an option that is longer than the header
        ("0000c20400010000", False),  # a jumbogram that is none
    ],
)
def test_hop_by_hop_options_are_looked_through(table: Table, options: str, fine: bool) -> None:
    packet = IPv6(src="fd00::1", dst="fd00::2", nh=0) / Raw(bytes.fromhex(options))
    assert passed(table, ether() / packet) == ([bytes(ether() / packet)] if fine else [])


def test_each_port_cuts_for_itself(table: Table) -> None:
    table.machine.set_mtu("p2", 1400)
    packet = ether(BROADCAST) / udp(1450, id=3)
    table.probes[0].send(packet)
    assert [len(data) for _, data in table.probes[1].heard] == [1410, 116]
    assert [data for _, data in table.probes[2].heard] == [bytes(packet)]


def test_a_piece_is_cut_up_further_and_keeps_its_place(table: Table) -> None:
    table.machine.set_mtu("p2", 1400)
    piece = ether() / IP(src=ONE, dst=TWO, id=10, flags="MF", frag=10) / Raw(b"f" * 1400)
    pieces = [Ether(data)[IP] for data in passed(table, piece)]
    assert [(p.frag, int(p.flags), len(p)) for p in pieces] == [(10, 1, 1396), (182, 1, 44)]


@pytest.mark.parametrize(
    "packet",
    [
        ether() / udp(1450, flags="DF"),
        ether() / IPv6(src="fd00::1", dst="fd00::2") / UDP() / Raw(b"x" * 1430),
        ether() / Dot1Q(vlan=5) / udp(1450),
    ],
)
def test_what_may_not_be_cut_is_lost_without_a_word(table: Table, packet: Any) -> None:
    table.machine.set_mtu("p2", 1400)
    assert passed(table, packet) == []
    assert drops(table.port(2).device) == {"bridge-port-mtu": 1}


def test_each_protocol_has_its_switch(table: Table) -> None:
    switches = {
        "iptables": MALFORMED["a wrong checksum"],
        "ip6tables": MALFORMED["an IPv6 payload beyond the frame"],
        "arptables": SHORT_ARP,
    }
    for name, packet in switches.items():
        table.machine.sysctls[f"net.bridge.bridge-nf-call-{name}"] = 0
        assert passed(table, packet) == [bytes(packet)], name


def test_a_bridge_has_its_packets_shown_by_itself(table: Table) -> None:
    switches = {
        "iptables": MALFORMED["a wrong checksum"],
        "ip6tables": MALFORMED["an IPv6 payload beyond the frame"],
        "arptables": SHORT_ARP,
    }
    for name, packet in switches.items():
        table.machine.sysctls[f"net.bridge.bridge-nf-call-{name}"] = 0
        set_options(table.bridge, {f"nf_call_{name}": 1})
        assert passed(table, packet) == [], name


def test_tagged_packets_are_looked_at_where_that_is_asked_for(table: Table) -> None:
    bad = FINE["a wrong checksum behind a tag"]
    table.machine.sysctls["net.bridge.bridge-nf-filter-vlan-tagged"] = 1
    assert passed(table, bad) == []


def test_a_cut_up_packet_of_a_vlan_keeps_its_tag() -> None:
    table = Table(3)
    table.machine.links.load_br_netfilter()
    table.access(1, 10)
    table.trunk(2, 10)
    table.machine.set_mtu("p2", 1400)
    pieces = [Ether(data) for data in passed(table, ether(BROADCAST) / udp(1450))]
    assert [(p[Dot1Q].vlan, len(p)) for p in pieces] == [(10, 1414), (10, 120)]


@pytest.mark.parametrize("size", [1376, 1377, 1450])
@pytest.mark.parametrize("looks", [False, True])
def test_a_tagged_packet_too_large_for_an_access_port(size: int, looks: bool) -> None:
    """Cut up where packets in VLANs are shown to IP; else there is room for the tag it had."""
    table = Table(3)
    table.machine.links.load_br_netfilter()
    table.machine.sysctls["net.bridge.bridge-nf-filter-vlan-tagged"] = int(looks)
    table.trunk(1, 10)
    table.access(2, 10)
    table.machine.set_mtu("p2", 1400)
    heard = [Ether(d) for d in passed(table, ether(BROADCAST) / Dot1Q(vlan=10) / udp(size))]
    assert not any(Dot1Q in packet for packet in heard)
    whole_bytes = size + 28
    if looks:
        assert [packet[IP].len for packet in heard] == [1396, whole_bytes - 1376]
    else:
        assert [packet[IP].len for packet in heard] == [whole_bytes] * (whole_bytes <= 1404)
        assert drops(table.port(2).device) == ({} if heard else {"bridge-port-mtu": 1})


def test_hooks_see_each_packet_come_in_and_leave(table: Table) -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    def judge(packet: NfPacket) -> Verdict:
        entered, leaves = packet.bridge_entered, packet.bridge_leaves
        out = None if leaves is None else leaves.name
        seen.append((packet.hook.name, None if entered is None else entered.name, out))
        packet.data = ipv4.decrement_ttl(packet.data)
        if packet.hook is Hook.FORWARD and out == "p3":
            return drop(DROP, "because the test says so")
        return ACCEPT

    table.machine.links.load_br_netfilter()
    for hook in FORWARDED:
        table.machine.make_netfilter().register(4, hook, Priority.FILTER, judge)
    (heard,) = passed(table, ether(BROADCAST) / udp(4, ttl=9))
    assert Ether(heard)[IP].ttl == 6
    assert seen == [
        ("PREROUTING", "p1", None),
        ("FORWARD", "p1", "p3"),
        ("FORWARD", "p1", "p2"),
        ("POSTROUTING", "p1", "p2"),
    ]
    assert drops(table.port(1).device) == {"netfilter-drop": 1}
