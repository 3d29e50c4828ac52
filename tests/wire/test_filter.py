"""The filter language means what tcpdump says it means."""

from __future__ import annotations

import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6MLReport2,
    ICMPv6ND_NS,
    IPv6,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from vnet.wire.filter import compile_filter
from vnet.wire.pcap import PcapWriter, read_pcap

TCPDUMP_IS_MISSING = shutil.which("tcpdump") is None

S = 1_000_000_000
MAC1, MAC2, EVERYONE = "02:00:00:00:00:01", "02:00:00:00:00:02", "ff:ff:ff:ff:ff:ff"
OUT, BACK, FLOOD = (
    Ether(src=MAC1, dst=MAC2),
    Ether(src=MAC2, dst=MAC1),
    Ether(src=MAC1, dst=EVERYONE),
)
IP12 = IP(src="10.0.0.1", dst="10.0.0.2")
IP21 = IP(src="10.0.0.2", dst="10.0.0.1")
IP6 = IPv6(src="fd00::1", dst="fd00:0:0:1::2")

PACKETS = {
    "arp-request": FLOOD / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2"),
    "arp-reply": BACK / ARP(op=2, psrc="10.0.0.2", pdst="10.0.0.1"),
    "rarp": Ether(src=MAC1, dst=EVERYONE, type=0x8035) / ARP(op=3, psrc="0.0.0.0", pdst="0.0.0.0"),
    "ping": OUT / IP12 / ICMP(type=8) / b"hello",
    "pong": BACK / IP21 / ICMP(type=0) / b"hello",
    "syn": OUT / IP12 / TCP(sport=1025, dport=80, flags="S"),
    "syn-ack": BACK / IP21 / TCP(sport=80, dport=1025, flags="SA"),
    "options": OUT
    / IP(src="10.0.0.1", dst="192.168.7.9", options=[IPOption_Router_Alert()])
    / TCP(sport=1025, dport=443, flags="PA")
    / b"data",
    "dns": OUT / IP12 / UDP(sport=1026, dport=53) / b"query",
    "dhcp": FLOOD
    / IP(src="0.0.0.0", dst="255.255.255.255")
    / UDP(sport=68, dport=67)
    / b"discover",
    "piece-1": OUT
    / IP(src="10.0.0.1", dst="10.0.0.2", flags="MF")
    / UDP(sport=1026, dport=53)
    / bytes(16),
    "piece-2": OUT / IP(src="10.0.0.1", dst="10.0.0.2", frag=3, proto=17) / Raw(b"\0\x35" * 8),
    "igmp": Ether(src=MAC1, dst="01:00:5e:00:00:16")
    / IP(src="10.0.0.1", dst="224.0.0.22", proto=2)
    / Raw(bytes(8)),
    "ip6-http": OUT / IP6 / TCP(sport=1025, dport=80, flags="S"),
    "ip6-dns": OUT / IP6 / UDP(sport=1026, dport=53) / b"query",
    "ip6-piece": OUT / IP6 / IPv6ExtHdrFragment(m=1) / UDP(sport=1026, dport=53) / bytes(8),
    "ip6-ns": Ether(src=MAC1, dst="33:33:ff:00:00:02")
    / IPv6(src="fd00::1", dst="ff02::1:ff00:2")
    / ICMPv6ND_NS(tgt="fd00::2"),
    "ip6-mld": Ether(src=MAC1, dst="33:33:00:00:00:16")
    / IPv6(src="fe80::1", dst="ff02::16")
    / IPv6ExtHdrHopByHop()
    / ICMPv6MLReport2(),
    "vlan5-ping": OUT / Dot1Q(vlan=5, prio=3) / IP12 / ICMP(type=8),
    "vlan300-arp": FLOOD / Dot1Q(vlan=300) / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2"),
    "qinq-syn": OUT / Dot1AD(vlan=7) / Dot1Q(vlan=5) / IP12 / TCP(sport=1025, dport=80, flags="S"),
}
FRAMES = {name: bytes(packet) for name, packet in PACKETS.items()} | {
    "stp": bytes.fromhex("0180c2000000020000000001002642420300000000") + bytes(31),
    "cut-ping": bytes(OUT / IP12 / ICMP(type=8))[:22],
    "cut-ether": bytes(12),
}

CASES = [
    ("ip", "ping pong syn syn-ack options dns dhcp piece-1 piece-2 igmp cut-ping"),
    ("ip6", "ip6-http ip6-dns ip6-piece ip6-ns ip6-mld"),
    ("arp", "arp-request arp-reply"),
    ("rarp", "rarp"),
    ("icmp", "ping pong"),
    ("icmp6", "ip6-ns"),
    ("igmp", "igmp"),
    ("tcp", "syn syn-ack options ip6-http"),
    ("udp", "dns dhcp piece-1 piece-2 ip6-dns ip6-piece"),
    ("ip proto 17", "dns dhcp piece-1 piece-2"),
    ("ip6 proto 17", "ip6-dns ip6-piece"),
    ("ip6 proto 44", "ip6-piece"),
    ("ip6 proto 58", "ip6-ns"),
    (r"proto \udp", "dns dhcp piece-1 piece-2 ip6-dns ip6-piece"),
    ("ether proto 0x806", "arp-request arp-reply"),
    (r"ether proto \ip6", "ip6-http ip6-dns ip6-piece ip6-ns ip6-mld"),
    ("ether proto 0x42", "stp"),
    ("stp", "stp"),
    (
        "not ip",
        "arp-request arp-reply rarp ip6-http ip6-dns ip6-piece ip6-ns ip6-mld vlan5-ping "
        "vlan300-arp qinq-syn stp",
    ),
    (
        "host 10.0.0.1",
        "arp-request arp-reply ping pong syn syn-ack options dns piece-1 piece-2 igmp",
    ),
    ("src host 10.0.0.1", "arp-request ping syn options dns piece-1 piece-2 igmp"),
    ("dst host 10.0.0.1", "arp-reply pong syn-ack"),
    ("src 10.0.0.1 and dst 10.0.0.2", "arp-request ping syn dns piece-1 piece-2"),
    ("src or dst 192.168.7.9", "options"),
    ("src and dst 0.0.0.0", "rarp"),
    ("ip host 10.0.0.1", "ping pong syn syn-ack options dns piece-1 piece-2 igmp"),
    ("arp host 10.0.0.2", "arp-request arp-reply"),
    ("host 10.0", "arp-request arp-reply ping pong syn syn-ack options dns piece-1 piece-2 igmp"),
    ("net 192.168.7", "options"),
    (
        "net 10.0.0.0/8",
        "arp-request arp-reply ping pong syn syn-ack options dns piece-1 piece-2 igmp",
    ),
    ("net 10", "arp-request arp-reply ping pong syn syn-ack options dns piece-1 piece-2 igmp"),
    ("dst net 192.168.0.0 mask 255.255.0.0", "options"),
    ("host fd00::1", "ip6-http ip6-dns ip6-piece ip6-ns"),
    ("ip6 dst net fd00:0:0:1::/64", "ip6-http ip6-dns ip6-piece"),
    ("port 53", "dns piece-1 ip6-dns"),
    ("udp port 53", "dns piece-1 ip6-dns"),
    ("dst port 80", "syn ip6-http"),
    ("src port 80", "syn-ack"),
    ("tcp port http", "syn syn-ack ip6-http"),
    ("port domain", "dns piece-1 ip6-dns"),
    ("portrange 50-60", "dns piece-1 ip6-dns"),
    ("tcp portrange 400-500", "options"),
    ("src portrange 60-70", "dhcp"),
    (
        "ether host 02:00:00:00:00:02",
        "arp-reply ping pong syn syn-ack options dns piece-1 piece-2 ip6-http ip6-dns "
        "ip6-piece vlan5-ping qinq-syn cut-ping",
    ),
    ("ether src 02:00:00:00:00:01 and ether broadcast", "arp-request rarp dhcp vlan300-arp"),
    ("ether dst 0200.0000.0001", "arp-reply pong syn-ack"),
    ("broadcast", "arp-request rarp dhcp vlan300-arp"),
    ("multicast", "arp-request rarp dhcp igmp ip6-ns ip6-mld vlan300-arp stp"),
    ("ip broadcast", "dhcp"),
    ("ip multicast", "dhcp igmp"),
    ("ip6 multicast", "ip6-ns ip6-mld"),
    ("vlan", "vlan5-ping vlan300-arp qinq-syn"),
    ("vlan 5", "vlan5-ping"),
    ("vlan 300 and arp", "vlan300-arp"),
    ("vlan and ip", "vlan5-ping"),
    ("vlan 7 and vlan 5 and tcp", "qinq-syn"),
    ("vlan or ip", "arp-request arp-reply rarp vlan5-ping vlan300-arp qinq-syn"),
    (
        "ip or vlan",
        "ping pong syn syn-ack options dns dhcp piece-1 piece-2 igmp vlan5-ping vlan300-arp "
        "qinq-syn cut-ping",
    ),
    (
        "not vlan",
        "arp-request arp-reply rarp ping pong syn syn-ack options dns dhcp piece-1 piece-2 "
        "igmp ip6-http ip6-dns ip6-piece ip6-ns ip6-mld stp cut-ping",
    ),
    ("not vlan and host 10.0.0.1", ""),
    ("less 42", "arp-request arp-reply rarp igmp cut-ping cut-ether"),
    ("greater 80", ""),
    ("len = 42", "arp-request arp-reply rarp igmp"),
    (
        "len > 40 && len <= 50",
        "arp-request arp-reply rarp ping pong dns dhcp piece-2 igmp vlan5-ping vlan300-arp",
    ),
    ("icmp[icmptype] = icmp-echo", "ping"),
    ("icmp[0] == 0", "pong"),
    ("icmp6[icmp6type] = icmp6-neighborsolicit", "ip6-ns"),
    ("tcp[tcpflags] & tcp-syn != 0", "syn syn-ack"),
    ("tcp[13] & (tcp-syn|tcp-ack) = tcp-syn", "syn"),
    ("tcp[2:2] = 443", "options"),
    ("udp[4:2] >= 16", "dhcp piece-1"),
    ("ip[0] & 0xf > 5", "options"),
    ("ip[6:2] & 0x1fff != 0", "piece-2"),
    ("ip[2:2] - ((ip[0] & 0xf) << 2) = 13", "ping pong dns"),
    ("ether[0] & 1 = 1", "arp-request rarp dhcp igmp ip6-ns ip6-mld vlan300-arp stp"),
    ("ether[12:2] = 0x0806", "arp-request arp-reply"),
    ("arp[6:2] = 2", "arp-reply"),
    ("ip6[40] = 0", ""),
    ("ip[0] ^ 0x41 + 4 = 0", "ping pong syn syn-ack dns dhcp piece-1 piece-2 igmp cut-ping"),
    ("len / (ip[6] % 3) > 0", "piece-1 ip6-dns ip6-piece ip6-ns vlan300-arp qinq-syn"),
    ("1 + tcp[13] = 3", "syn"),
    ("ip[-14] = 2", "ping pong syn syn-ack options dns piece-1 piece-2 cut-ping"),
    ("tcp[4:4] = 0 or arp", "arp-request arp-reply syn syn-ack options"),
    ("arp or ip and src 10.0.0.2", "arp-reply pong syn-ack"),
    ("arp or (ip and src 10.0.0.2)", "arp-request arp-reply pong syn-ack"),
    ("not icmp and ip", "syn syn-ack options dns dhcp piece-1 piece-2 igmp"),
    ("not (icmp or tcp) and ip", "dns dhcp piece-1 piece-2 igmp"),
    (
        "host 10.0.0.1 and not port 80 or 53",
        "arp-request arp-reply ping pong options dns piece-1 piece-2 igmp ip6-dns",
    ),
    ("port 80 or 53 or 67", "syn syn-ack dns dhcp piece-1 ip6-http ip6-dns"),
    ("tcp port 80 or 443", "syn syn-ack options ip6-http"),
    ("src host 10.0.0.2 or 192.168.7.9", "arp-reply pong syn-ack"),
    (
        "host (10.0.0.2 and 10.0.0.1)",
        "arp-request arp-reply ping pong syn syn-ack dns piece-1 piece-2",
    ),
    ("tcp dst port (80 or 443)", "syn options ip6-http"),
    (
        "host 10.0.0.1 and (10.0.0.2 or 192.168.7.9)",
        "arp-request arp-reply ping pong syn syn-ack options dns piece-1 piece-2",
    ),
    ("!arp && !ip && !ip6", "rarp vlan5-ping vlan300-arp qinq-syn stp"),
    ("ether[100] = 0 or ip", ""),
    ("not ether[100] = 0", ""),
]
"""Filters and the frames that tcpdump 4.99.3 with libpcap 1.10.3 shows for them."""

OPTIMIZED = ("ip[-14] = 2", "ip6 dst net fd00:0:0:1::/64")
"""What reaches back before a header, and a mask's zeros that are not read: libpcap's optimizer
makes them so, and tcpdump uses it unless told not to."""


@pytest.mark.parametrize(("text", "names"), CASES, ids=[text for text, _ in CASES])
def test_a_filter_takes_the_frames_that_tcpdump_shows(text: str, names: str) -> None:
    accepts = compile_filter(text)
    assert [name for name, frame in FRAMES.items() if accepts(frame)] == names.split()


def test_an_empty_filter_takes_everything() -> None:
    assert all(map(compile_filter(" \t\n"), (b"", *FRAMES.values())))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ip&&tcp||arp", "ip and tcp or arp"),
        ("!ip", "not ip"),
        ("len==42", "length = 42"),
        ("link host 2:0:0:0:0:1", "ether host 02-00-00-00-00-01"),
        ("proto UDP", "ip proto \\udp or ip6 proto 17"),
        ("ether host 020000000001", "ether host 0200.0000.0001"),
        ("src || dst port 80", "dst or src port 80"),
        ("port 0x50 or 065", "port 80 or 53"),
        ("portrange 90-50", "portrange 50-90"),
        ("portrange domain-bootpc", "udp portrange 53-68 or tcp portrange 53-68"),
        ("net 10.0/16", "net 10.0.0.0 mask 255.255"),
        ("net ::/0", "ip6"),
        ("tcp[(12) + (1)] & 2 = 2", "tcp[0xd:1] & (1 << 1) != 0"),
        ("ip[8] > - 2 or ip[8] = 64", "ip[8] = 64"),
        ("(((host 10.0.0.1)))", "host 10.0.0.1"),
        ("not not arp", "arp"),
    ],
)
def test_two_spellings_of_one_filter(text: str, same: str) -> None:
    one, other = compile_filter(text), compile_filter(same)
    taken = [name for name, frame in FRAMES.items() if one(frame)]
    assert taken
    assert taken == [name for name, frame in FRAMES.items() if other(frame)]


def test_what_libpcap_refuses_for_its_own_reasons_is_taken() -> None:
    ping = FRAMES["ping"]
    assert compile_filter("len / ip[0] = 0")(ping)
    assert compile_filter("tcp or host ((10.0.0.1 or 10.0.0.9) and 10.0.0.2)")(ping)


def test_a_division_by_a_zero_from_the_frame_refuses_the_frame() -> None:
    ping = FRAMES["ping"]
    assert not compile_filter("not len / ip[1] = 1")(ping)
    assert compile_filter("not len / ip[8] = 1")(ping)


def test_numbers_are_unsigned_and_wrap_at_32_bits() -> None:
    ping = FRAMES["ping"]
    for text in (
        "ip[1] - 1 = 0xffffffff",
        "ip[12:4] * ip[12:4] = 0x14000001",
        "- ip[0] = 4294967227",
        "ip[0] << 31 = 0x80000000",
        "1 << ip[12:4] = 0",
        "1 << (4 * 8) = 0",
    ):
        assert compile_filter(text)(ping), text


def test_long_chains_are_no_deep_recursion() -> None:
    accepts = compile_filter("arp||ip&&" * 450 + "arp")
    assert accepts(FRAMES["arp-reply"])
    assert not accepts(FRAMES["ping"])


def shown_by_tcpdump(path: Path, text: str, *options: str) -> set[int]:
    """The numbers of a capture's frames, one a second, that ``text`` shows."""
    done = subprocess.run(
        ["tcpdump", *options, "-r", str(path), "-w", "-", "--", text], capture_output=True
    )
    if b"expression rejects all packets" in done.stderr:
        return set()
    assert done.returncode == 0, done.stderr
    return {packet.time_ns // S for packet in read_pcap(BytesIO(done.stdout), strict=True)}


def compare_with_tcpdump(path: Path, frames: list[bytes], texts: list[str], *options: str) -> None:
    with path.open("wb") as stream:
        writer = PcapWriter(stream)
        for number, frame in enumerate(frames):
            writer.write(number * S, frame)
    for text in texts:
        accepts = compile_filter(text)
        taken = {number for number, frame in enumerate(frames) if accepts(frame)}
        assert taken == shown_by_tcpdump(path, text, *options), text


@pytest.mark.tcpdump
@pytest.mark.skipif(TCPDUMP_IS_MISSING, reason="tcpdump is not installed")
def test_tcpdump_agrees_on_whole_frames(tmp_path: Path) -> None:
    texts = [text for text, _ in CASES]
    compare_with_tcpdump(tmp_path / "whole.pcap", list(FRAMES.values()), texts)


@pytest.mark.tcpdump
@pytest.mark.skipif(TCPDUMP_IS_MISSING, reason="tcpdump is not installed")
def test_tcpdump_agrees_on_every_cut_of_every_frame(tmp_path: Path) -> None:
    """Without its optimizer, which leaves out reads that change nothing but short frames."""
    cuts = [frame[:size] for frame in FRAMES.values() for size in range(1, len(frame))]
    texts = [text for text, _ in CASES if text not in OPTIMIZED]
    compare_with_tcpdump(tmp_path / "cut.pcap", cuts, texts, "-O")
