"""Frames to begin from: recordings, and one by hand of everything that vnet can read.

Mutation finds little in noise, since noise dies at the first check. It finds much near a
frame that is almost right, so there is one here for each branch worth reaching.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6MLQuery,
    ICMPv6MLQuery2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptSrcLLAddr,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, LLC, STP, Dot1AD, Dot1Q, Dot3, Ether

from vnet.wire import icmpv6, igmp, ipv4, ipv6, mld
from vnet.wire.pcap import read_pcap
from vnet.wire.pcapng import LINK_ETHERNET, read_pcapng

OURS, PEER = "02:00:00:00:00:01", "0a:00:00:00:00:01"
BROADCAST = "ff:ff:ff:ff:ff:ff"
OUR_IP, PEER_IP, FAR_IP = "10.0.0.1", "10.0.0.2", "192.0.2.9"
OUR_IP6, PEER_IP6, FAR_IP6 = "fd00::1", "fd00::2", "fd00:9::1"

JUMBO_BYTES = 9216
_GOLDEN = Path(__file__).parents[2] / "pcaps" / "golden"
_ALL_HOSTS = bytes((224, 0, 0, 1))
_TO_US = Ether(src=PEER, dst=OURS)
_TO_ALL6 = Ether(src=PEER, dst="33:33:00:00:00:01")
_TO_ALL4 = Ether(src=PEER, dst="01:00:5e:00:00:01")
_UDP4 = IP(src=PEER_IP, dst=OUR_IP) / UDP(sport=4000, dport=7)
_UDP6 = IPv6(src=PEER_IP6, dst=OUR_IP6) / UDP(sport=4000, dport=7)


def hand_made() -> list[bytes]:
    """A frame of every protocol and for every branch; lengths from 0 to over 65,535 bytes."""
    packets = [*_link_layer(), *_ipv4(), *_icmp(), *_ipv6(), *_icmpv6()]
    frames = [bytes(packet) for packet in packets]
    frames += [*_groups(), *_fragments4(), *_fragments6(), *_sizes()]
    return frames


def _link_layer() -> list[Any]:
    ping = IP(src=PEER_IP, dst=OUR_IP) / ICMP() / b"tagged"
    return [
        Ether(src=PEER, dst=BROADCAST) / ARP(psrc=PEER_IP, pdst=OUR_IP),
        _TO_US / ARP(op=2, psrc=PEER_IP, pdst=OUR_IP),
        Ether(src=PEER, dst=BROADCAST) / ARP(op=2, psrc=PEER_IP, pdst=PEER_IP),
        Ether(src=PEER, dst=BROADCAST) / ARP(psrc="0.0.0.0", pdst=OUR_IP),
        _TO_US / Dot1Q(vlan=0, prio=5) / ping,
        _TO_US / Dot1Q(vlan=100) / ping,
        _TO_US / Dot1AD(vlan=7) / Dot1Q(vlan=100) / ping,
        Dot3(src=PEER, dst="01:80:c2:00:00:00") / LLC() / STP(),
        Ether(src=PEER, dst="01:80:c2:00:00:0e", type=0x88CC) / bytes(30),
        Ether(src=PEER, dst="01:80:c2:00:00:01", type=0x8808) / bytes(46),
        Ether(src=PEER, dst=OURS, type=0x88B5) / b"nobody speaks this",
    ]


def _ipv4() -> list[Any]:
    tcp = TCP(sport=4000, dport=80, flags="S", options=[("MSS", 1460), ("SAckOK", b"")])
    everyone = Ether(src=PEER, dst=BROADCAST)
    return [
        _TO_US / _UDP4 / b"data",
        _TO_US / IP(src=PEER_IP, dst=OUR_IP) / UDP(sport=7, dport=7) / b"echo to echo",
        _TO_US / IP(src=PEER_IP, dst=OUR_IP) / tcp,
        _TO_US / IP(src=PEER_IP, dst=OUR_IP, proto=132) / bytes(20),
        _TO_US / IP(src=PEER_IP, dst=OUR_IP, options=[IPOption_Router_Alert()]) / UDP(dport=7),
        _TO_US / IP(src=PEER_IP, dst=FAR_IP, ttl=1) / UDP(dport=7),
        _TO_US / IP(src=PEER_IP, dst=FAR_IP, ttl=9) / UDP(dport=7) / bytes(1400),
        _TO_US / IP(src=PEER_IP, dst=FAR_IP, ttl=9, flags="DF") / UDP(dport=7) / bytes(1400),
        _TO_US / IP(src=PEER_IP, dst="203.0.113.1", ttl=9) / UDP(dport=7) / bytes(100),
        everyone / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / b"?",
        everyone / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=7) / b"?",
        everyone / IP(src=PEER_IP, dst="10.0.0.255") / UDP(sport=4000, dport=7) / b"all",
        _TO_ALL4 / IP(src=PEER_IP, dst="224.0.0.1") / UDP(sport=4000, dport=7) / b"all",
        _TO_US / IP(src="127.0.0.1", dst=OUR_IP) / UDP(dport=7),
        _TO_US / IP(src=PEER_IP, dst="127.0.0.1") / UDP(dport=7),
        _TO_US / IP(src=OUR_IP, dst=OUR_IP) / UDP(dport=7),
    ]


def _icmp() -> list[Any]:
    us = IP(src=PEER_IP, dst=OUR_IP)
    ours = IP(src=OUR_IP, dst=PEER_IP)
    return [
        _TO_US / us / ICMP(id=1, seq=1) / bytes(56),
        _TO_US / us / ICMP(type=0, id=1, seq=1) / bytes(56),
        _TO_US / us / ICMP(type=3, code=4, nexthopmtu=1300) / ours / UDP(sport=7, dport=9),
        _TO_US / us / ICMP(type=3, code=3) / ours / UDP(sport=7, dport=9),
        _TO_US / us / ICMP(type=3, code=1) / bytes(ours / ICMP(id=1, seq=1))[:28],
        _TO_US / us / ICMP(type=3, code=1) / bytes(ours / UDP())[:21],
        _TO_US / us / ICMP(type=11) / ours / ICMP(id=1, seq=1),
        _TO_US / us / ICMP(type=12, ptr=9) / ours / UDP(),
        _TO_US / us / ICMP(type=5, gw="10.0.0.9") / ours / UDP(),
        _TO_US / us / ICMP(type=13) / bytes(12),
    ]


def _ipv6() -> list[Any]:
    us = IPv6(src=PEER_IP6, dst=OUR_IP6)
    chain = IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting()
    return [
        _TO_US / _UDP6 / b"data",
        _TO_US / us / chain / UDP(sport=4000, dport=7) / b"behind three headers",
        _TO_US / us / IPv6ExtHdrDestOpt(nh=59) / bytes(8),
        _TO_US / us / TCP(sport=4000, dport=80, flags="S", options=[("MSS", 1440)]),
        _TO_US / IPv6(src=PEER_IP6, dst=OUR_IP6, nh=132) / bytes(20),
        _TO_US / IPv6(src=PEER_IP6, dst=FAR_IP6, hlim=1) / UDP(dport=7),
        _TO_US / IPv6(src=PEER_IP6, dst=FAR_IP6, hlim=9) / UDP(dport=7) / bytes(1400),
        _TO_US / IPv6(src=PEER_IP6, dst="2001:db8:ffff::1", hlim=9) / UDP(dport=7) / bytes(100),
        _TO_ALL6 / IPv6(src="fe80::9", dst="ff02::1") / UDP(sport=4000, dport=7) / b"all",
        _TO_US / IPv6(src="::1", dst=OUR_IP6) / UDP(dport=7),
        _TO_US / IPv6(src=PEER_IP6, dst="::1") / UDP(dport=7),
        _TO_US / IPv6(src="::", dst=OUR_IP6) / UDP(sport=4000, dport=7) / b"from nobody",
    ]


def _icmpv6() -> list[Any]:
    us = IPv6(src=PEER_IP6, dst=OUR_IP6)
    ours = IPv6(src=OUR_IP6, dst=PEER_IP6)
    near = IPv6(src=PEER_IP6, dst=OUR_IP6, hlim=255)
    link = IPv6(src="fe80::9", dst="ff02::1", hlim=255)
    asking = IPv6(src=PEER_IP6, dst="ff02::1:ff00:1", hlim=255)
    group = Ether(src=PEER, dst="33:33:ff:00:00:01")
    prefix = ICMPv6NDOptPrefixInfo(prefix="fd00::", prefixlen=64)
    mac = ICMPv6NDOptSrcLLAddr(lladdr=PEER)
    return [
        _TO_US / us / ICMPv6EchoRequest(id=1, seq=1, data=bytes(56)),
        _TO_US / us / ICMPv6EchoReply(id=1, seq=1, data=bytes(56)),
        _TO_US / us / ICMPv6PacketTooBig(mtu=1300) / ours / UDP(sport=7, dport=9),
        _TO_US / us / ICMPv6PacketTooBig(mtu=1) / bytes(ours / UDP())[:44],
        _TO_US / us / ICMPv6DestUnreach(code=4) / ours / UDP(sport=7, dport=9),
        _TO_US / us / ICMPv6TimeExceeded() / ours / ICMPv6EchoRequest(id=1, seq=1),
        group / asking / ICMPv6ND_NS(tgt=OUR_IP6) / mac,
        group / asking / ICMPv6ND_NS(tgt=OUR_IP6),
        group / IPv6(src="::", dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt=OUR_IP6),
        _TO_US / near / ICMPv6ND_NA(tgt=PEER_IP6, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=PEER),
        _TO_ALL6 / link / ICMPv6ND_NA(tgt=OUR_IP6, O=1) / ICMPv6NDOptDstLLAddr(lladdr=PEER),
        _TO_ALL6 / link / ICMPv6ND_RA() / mac / prefix / ICMPv6NDOptMTU(mtu=1280),
        _TO_ALL6 / link / ICMPv6ND_RA(),
        _TO_ALL6 / link / ICMPv6ND_RS() / mac,
        _TO_US / near / ICMPv6ND_Redirect(tgt="fe80::9", dst=FAR_IP6),
        _TO_ALL6 / IPv6(src="fe80::9", dst="ff02::1", hlim=1) / ICMPv6MLQuery(mrd=100),
        _TO_ALL6 / IPv6(src="fe80::9", dst="ff02::1", hlim=1) / ICMPv6MLQuery2(mrd=100),
    ]


def _frame4(packet: bytes, target: str = OURS) -> bytes:
    return bytes(Ether(src=PEER, dst=target, type=0x0800)) + packet


def _frame6(packet: bytes, target: str = OURS) -> bytes:
    return bytes(Ether(src=PEER, dst=target, type=0x86DD)) + packet


def _groups() -> list[bytes]:
    """IGMP queries of each version, its reports, and an MLDv2 report."""
    peer, group = bytes((10, 0, 0, 2)), bytes((239, 1, 2, 3))
    messages = [
        igmp.message_v2(igmp.QUERY, bytes(4)),
        igmp.message_v2(igmp.QUERY, group),
        bytes.fromhex("1164ee9b00000000"),
        bytes.fromhex("1114ebeb00000000027d0000"),
        igmp.message_v2(igmp.REPORT_V2, group),
        igmp.message_v2(igmp.LEAVE, group),
        igmp.report_v3((igmp.Record(igmp.CHANGE_TO_EXCLUDE, group, (peer, peer)),)),
    ]
    frames = [
        _frame4(
            ipv4.emit(peer, _ALL_HOSTS, ipv4.IGMP, message, ttl=1, options=ipv4.ROUTER_ALERT),
            "01:00:5e:00:00:01",
        )
        for message in messages
    ]
    near, group6 = bytes.fromhex("fe80" + "00" * 13 + "09"), b"\xff\x0e" + bytes(13) + b"\x07"
    body = mld.report_v2((igmp.Record(igmp.CHANGE_TO_EXCLUDE, group6, (near,)),))
    report = icmpv6.emit(near, mld.ALL_MLDV2_ROUTERS, icmpv6.Icmpv6(icmpv6.MLDV2_REPORT, 0, body))
    payload = ipv6.hop_by_hop(icmpv6.PROTOCOL, ipv6.ROUTER_ALERT_MLD) + report
    packet = ipv6.emit(near, mld.ALL_MLDV2_ROUTERS, ipv6.HOP_BY_HOP, payload, hop_limit=1)
    return [*frames, _frame6(packet, "33:33:00:00:00:16")]


def _fragments4() -> list[bytes]:
    """Whole trains in and out of order, overlaps, duplicates, and a packet over 64 KiB."""
    whole = bytes(IP(src=PEER_IP, dst=OUR_IP, id=77) / ICMP(id=1, seq=1) / bytes(3000))
    train = [_frame4(piece) for piece in ipv4.fragment(whole, 576)]

    def piece(offset: int, more: bool, size: int, ident: int) -> bytes:
        packet = IP(src=PEER_IP, dst=OUR_IP, id=ident, flags=more, frag=offset // 8, proto=17)
        return bytes(_TO_US / packet / bytes(size))

    odd = [
        piece(0, True, 64, 1),
        piece(0, True, 64, 1),
        piece(32, True, 64, 1),
        piece(128, False, 64, 2),
        piece(64, False, 64, 2),
        piece(0, True, 63, 3),
        piece(65528, True, 8, 4),
        piece(65528, False, 1400, 4),
        piece(8, False, 0, 5),
        piece(0, True, 24, 6),
        piece(24, False, 65_480, 6),
    ]
    return train + train[::-1] + odd


def _fragments6() -> list[bytes]:
    request = IPv6(src=PEER_IP6, dst=OUR_IP6) / ICMPv6EchoRequest(id=1, seq=1, data=bytes(4000))
    train = [_frame6(piece) for piece in ipv6.fragment(bytes(request), 1280, 78)]
    us = IPv6(src=PEER_IP6, dst=OUR_IP6)

    def piece(offset: int, more: bool, size: int, ident: int, chain: Any = us) -> bytes:
        header = IPv6ExtHdrFragment(nh=17, offset=offset // 8, m=more, id=ident)
        return bytes(_TO_US / chain / header / bytes(size))

    odd = [
        piece(0, True, 64, 1),
        piece(32, True, 64, 1),
        piece(64, False, 64, 2),
        piece(0, False, 64, 3),
        piece(65528, False, 64, 4),
        piece(0, True, 64, 5, us / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt()),
        bytes(_TO_US / us / IPv6ExtHdrFragment(nh=44, m=1, id=6) / bytes(64)),
    ]
    return train + train[::-1] + odd


def _sizes() -> list[bytes]:
    """Nothing, less than a header, jumbo, the largest packets, and more than any may have."""
    ping = bytes(_TO_US / _UDP4 / b"short")
    tags = bytes(_TO_US)[:12] + b"\x81\x00\x00\x00" * (JUMBO_BYTES // 4)
    services = bytes(_TO_US)[:12] + b"\x88\xa8\x00\x07" * (JUMBO_BYTES // 4)
    headers = ipv6.hop_by_hop(0, bytes(6)) * (JUMBO_BYTES // 8)
    peer6, our6 = bytes.fromhex("fd00" + "00" * 13 + "02"), bytes.fromhex("fd00" + "00" * 13 + "01")
    return [
        *(ping[:size] for size in range(15)),
        bytes(14),
        bytes(_TO_US / _UDP4 / bytes(JUMBO_BYTES - 42)),
        bytes(_TO_US / _UDP6 / bytes(JUMBO_BYTES - 62)),
        bytes(_TO_US / IP(src=PEER_IP, dst=OUR_IP) / ICMP(id=1) / bytes(65_507)),
        bytes(_TO_US / _UDP4 / bytes(65_507)),
        bytes(_TO_US / _UDP6 / bytes(65_527)),
        bytes(_TO_US / IPv6(src=PEER_IP6, dst=OUR_IP6) / ICMPv6EchoRequest(data=bytes(65_527))),
        bytes(_TO_US / _UDP4) + bytes(70_000),
        tags,
        services,
        _frame6(ipv6.emit(peer6, our6, 0, headers)),
    ]


def captured() -> list[bytes]:
    """The frames of the golden captures, and of the recorded kernel where they are to be had."""
    frames: dict[bytes, None] = {}
    for path in sorted(_GOLDEN.glob("*/*.pcapng")):
        with path.open("rb") as stream:
            for packet in read_pcapng(stream):
                if packet.interface.link_type == LINK_ETHERNET:
                    frames[packet.data] = None
    oracle = os.environ.get("VNET_ORACLE")
    for path in sorted(Path(oracle, "linux").rglob("*.pcap")) if oracle else []:
        with path.open("rb") as stream:
            for packet in read_pcap(stream):
                if packet.interface.link_type == LINK_ETHERNET:
                    frames[packet.data] = None
    return list(frames)
