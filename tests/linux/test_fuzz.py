"""Frames nobody would send: nothing raises, and every one of them is accounted for."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6MLQuery2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6NDOptSrcLLAddr,
    ICMPv6PacketTooBig,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether

from tests.linux.kit import BROADCAST, Lab, S, address, host_mac, probe_mac
from vnet.base.ids import ip_from_text, mac_from_text
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.membership import GroupMembership
from vnet.linux.netns.namespace import Namespace
from vnet.sim.frame import Frame
from vnet.wire import arp, icmpv6, igmp, ipv4, ipv6, mld, nd

OURS, PEER = host_mac(1), probe_mac(1)

SEEDS: list[Any] = [
    Ether(src=PEER, dst=BROADCAST) / ARP(psrc="10.0.0.2", pdst="10.0.0.1"),
    Ether(src=PEER, dst=OURS) / ARP(op=2, psrc="10.0.0.2", pdst="10.0.0.1"),
    Ether(src=PEER, dst=OURS) / IP(src="10.0.0.2", dst="10.0.0.1") / ICMP() / b"ping",
    Ether(src=PEER, dst=OURS) / IP(src="10.0.0.2", dst="10.0.0.1") / ICMP(type=3) / IP() / UDP(),
    Ether(src=PEER, dst=OURS) / IP(src="10.0.0.2", dst="10.0.0.1") / UDP(dport=7) / b"udp",
    Ether(src=PEER, dst=OURS) / IP(src="10.0.0.2", dst="192.0.2.9", ttl=2) / UDP(dport=7),
    Ether(src=PEER, dst=OURS) / IP(src="10.0.0.2", dst="10.0.0.1", flags=1, proto=17) / bytes(64),
    Ether(src=PEER, dst=OURS) / IP(src="10.0.0.2", dst="10.0.0.1", frag=8, proto=17) / bytes(64),
    Ether(src=PEER, dst="01:00:5e:00:00:01")
    / IP(src="10.0.0.9", dst="224.0.0.1", proto=2)
    / bytes.fromhex("1114eeeb00000000"),
    Ether(src=PEER, dst=OURS) / Dot1Q(vlan=0) / IP(src="10.0.0.2", dst="10.0.0.1") / ICMP(),
    Ether(src=PEER, dst=OURS) / IPv6(src="fd00::2", dst="fd00::1") / ICMPv6EchoRequest(data=b"x"),
    Ether(src=PEER, dst=OURS) / IPv6(src="fd00::2", dst="fd00::1") / UDP(dport=7) / b"udp",
    Ether(src=PEER, dst=OURS) / IPv6(src="fd00::2", dst="fd00:9::1", hlim=2) / UDP(dport=7),
    Ether(src=PEER, dst=OURS)
    / IPv6(src="fd00::2", dst="fd00::1")
    / IPv6ExtHdrHopByHop()
    / IPv6ExtHdrDestOpt()
    / IPv6ExtHdrFragment(m=1, id=9)
    / bytes(64),
    Ether(src=PEER, dst="33:33:ff:00:00:01")
    / IPv6(src="fd00::2", dst="ff02::1:ff00:1", hlim=255)
    / ICMPv6ND_NS(tgt="fd00::1"),
    Ether(src=PEER, dst=OURS)
    / IPv6(src="fd00::2", dst="fd00::1", hlim=255)
    / ICMPv6ND_NA(tgt="fd00::2"),
    Ether(src=PEER, dst="33:33:00:00:00:01")
    / IPv6(src="fe80::9", dst="ff02::1", hlim=255)
    / ICMPv6ND_RA(),
    Ether(src=PEER, dst="33:33:00:00:00:01")
    / IPv6(src="fe80::9", dst="ff02::1", hlim=1)
    / ICMPv6MLQuery2(),
    Ether(src=PEER, dst=OURS)
    / IPv6(src="fd00::2", dst="fd00::1")
    / ICMPv6PacketTooBig(mtu=1300)
    / IPv6(src="fd00::1", dst="fd00::2")
    / UDP(),
]

TO_ALL = Ether(src=PEER, dst="33:33:00:00:00:01")
TO_ALL_HOSTS = Ether(src=PEER, dst="01:00:5e:00:00:01")

INVALID: list[Any] = [
    Ether(src=PEER, dst=OURS) / ARP(op=9, psrc="10.0.0.2", pdst="10.0.0.1"),
    Ether(src=PEER, dst=OURS) / ARP(hwtype=6, psrc="10.0.0.2", pdst="10.0.0.1"),
    TO_ALL_HOSTS / IP(src="10.0.0.9", dst="224.0.0.1", proto=2) / bytes.fromhex("1114000000000000"),
    TO_ALL_HOSTS / IP(src="10.0.0.9", dst="224.0.0.1", proto=2) / bytes.fromhex("990066ff00000000"),
    Ether(src=PEER, dst=OURS)
    / IPv6(src="fd00::2", dst="fd00::1", hlim=64)
    / ICMPv6ND_NS(tgt="fd00::1"),
    Ether(src=PEER, dst=OURS)
    / IPv6(src="::", dst="fd00::1", hlim=255)
    / ICMPv6ND_NS(tgt="fd00::1"),
    Ether(src=PEER, dst=OURS)
    / IPv6(src="fd00::2", dst="fd00::1", hlim=255)
    / ICMPv6ND_NS(tgt="fd00::1")
    / ICMPv6NDOptSrcLLAddr(len=0),
    Ether(src=PEER, dst=OURS)
    / IPv6(src="fd00::2", dst="fd00::1", hlim=254)
    / ICMPv6ND_NA(tgt="fd00::2"),
    TO_ALL / IPv6(src="fd00::2", dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt="fd00::2", S=1),
    Ether(src=PEER, dst=OURS)
    / IPv6(src="fd00::2", dst="fd00::1", hlim=255)
    / ICMPv6ND_NA(tgt="ff02::1"),
    TO_ALL / IPv6(src="fd00::2", dst="ff02::1", hlim=255) / ICMPv6ND_RA(),
    TO_ALL / IPv6(src="fe80::9", dst="ff02::1", hlim=64) / ICMPv6ND_RA(),
    TO_ALL / IPv6(src="fd00::2", dst="ff02::1", hlim=1) / ICMPv6MLQuery2(),
    TO_ALL / IPv6(src="fe80::9", dst="ff02::1", hlim=9) / ICMPv6MLQuery2(),
    TO_ALL / IPv6(src="fe80::9", dst="ff02::1", hlim=1) / ICMPv6MLQuery2(sources_number=3),
]
"""Frames with good checksums that break a rule of their protocol; each has to be dropped."""

SEED_BYTES = [bytes(packet) for packet in [*SEEDS, *INVALID]]

NOISE = st.binary(max_size=200)
ADDRESSED_NOISE = st.tuples(
    st.sampled_from([OURS, BROADCAST, "33:33:00:00:00:01"]),
    st.sampled_from([b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x81\x00", b"\x00\x26"]),
    st.binary(max_size=120),
).map(lambda t: bytes(Ether(src=PEER, dst=t[0]))[:12] + t[1] + t[2])


def mutate(seed: bytes, chance: Random) -> bytes:
    """A few bytes changed, cut off or added; checksums are left as they fall."""
    data = bytearray(seed)
    for _ in range(chance.randrange(4)):
        data[chance.randrange(len(data))] = chance.choice(
            (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
        )
    if chance.random() < 0.3:
        del data[chance.randrange(len(data)) :]
    elif chance.random() < 0.2:
        data += chance.randbytes(chance.randrange(1, 40))
    return bytes(data)


MUTATED = st.builds(
    mutate, st.sampled_from(SEED_BYTES), st.randoms(use_true_random=False, note_method_calls=False)
)
FRAMES = st.lists(
    st.one_of(MUTATED, st.sampled_from(SEED_BYTES), ADDRESSED_NOISE, NOISE), min_size=1, max_size=20
)
SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


class Watched:
    """A machine that forwards both families, with everything that can be seen of it."""

    def __init__(self) -> None:
        self.lab = Lab()
        self.machine: Namespace = self.lab.machine("m")
        self.machine.sysctls["net.ipv4.ip_forward"] = 1
        self.machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
        self.probe = self.lab.probe(self.machine, "eth0", ipv6=True)
        self.lab.probe(self.machine, "eth1", 2, ipv6=True)
        for device, text in (("eth0", "10.0.0.1/24"), ("eth0", "fd00::1/64")):
            address(self.machine, device, text)
        for device, text in (("eth1", "192.0.2.1/24"), ("eth1", "fd00:9::2/64")):
            address(self.machine, device, text)
        self.delivered = 0
        self.machine.sockets.open_udp(self._count, 7)
        self.lab.run(4 * S)

    def _count(self, *_: object) -> None:
        self.delivered += 1

    def evidence(self) -> tuple[object, ...]:
        """Where a frame must leave a mark: drops, answers, neighbours, waits, paths, deliveries."""
        interfaces = self.machine.interfaces.values()
        return (
            self.delivered,
            sum(sum(i.device.drops.values()) for i in interfaces),
            sum(i.device.tx_packets for i in interfaces),
            self.lab.scheduler.pending,
            [
                (n.ip, n.mac, n.state, n.confirmed_ns, n.updated_ns, len(n.pending))
                for i in interfaces
                for cache in (i.arp_cache, i.nd_cache)
                for n in cache.table
            ],
            len(self.machine.ipv4._reassembler._table),
            [len(b.pieces) for b in self.machine.ipv4._reassembler._table._buffers.values()],
            [len(b.pieces) for b in self.machine.ipv6._reassembler._table._buffers.values()],
            dict(self.machine.ipv4.paths._paths),
            dict(self.machine.ipv6.paths._paths),
        )


def says_nothing_new(interface: Interface, data: bytes) -> bool:
    """Whether a frame is valid and may rightly leave no mark.

    A neighbour repeats what is known of it, or somebody queries for a group that is not here
    or whose answer is due already. Everything else has to show.
    """
    if data[12:14] == b"\x81\x00":
        data = data[:12] + data[16:]
    kind, packet = data[12:14], data[14:]
    if kind == b"\x08\x06":
        return arp_is_known(interface, arp.parse(data, 14))
    if kind == b"\x08\x00":
        header = ipv4.parse(packet)
        if header is None or header.protocol != ipv4.IGMP:
            return False
        query = igmp.parse_query(header.payload)
        return query is not None and query_is_idle(interface.igmp, query.group)
    header6 = ipv6.parse(packet) if kind == b"\x86\xdd" else None
    upper = None if header6 is None else ipv6.upper_layer(header6)
    if header6 is None or upper is None or upper.protocol != icmpv6.PROTOCOL:
        return False
    message = icmpv6.parse(header6.source, header6.target, upper.payload)
    return message is not None and message6_is_known(interface, header6, message)


def arp_is_known(interface: Interface, packet: arp.Arp | None) -> bool:
    if packet is None or packet.operation not in (arp.REQUEST, arp.REPLY):
        return False
    ours = interface.namespace.owns(packet.target_ip)
    about_itself = packet.sender_ip == packet.target_ip
    answers_us = packet.operation == arp.REPLY and ours
    known = interface.arp_cache.table.get(packet.sender_ip) is not None
    return known and (about_itself or answers_us)


def query_is_idle(membership: GroupMembership, group: bytes) -> bool:
    if group in membership._query_timers:
        return True
    return any(group) and not membership.is_member(group)


def message6_is_known(interface: Interface, header: ipv6.Ipv6, message: icmpv6.Icmpv6) -> bool:
    from_the_link = header.source[0] == 0xFE and header.source[1] >> 6 == 2
    if message.type == icmpv6.MLD_QUERY:
        query = mld.parse_query(message.body)
        if query is None or header.hop_limit != 1 or not from_the_link:
            return False
        return query_is_idle(interface.mld, query.group)
    if header.hop_limit != nd.HOP_LIMIT or message.code != 0:
        return False
    known = interface.nd_cache.table.get
    if message.type == icmpv6.NEIGHBOR_ADVERTISEMENT:
        claim = nd.parse_advertisement(message.body)
        if claim is None or (header.target[0] == 0xFF and claim.flags & nd.SOLICITED):
            return False
        return known(claim.target) is not None
    if message.type == icmpv6.ROUTER_ADVERTISEMENT:
        router = nd.parse_router_advertisement(message.body)
        if router is None or not from_the_link:
            return False
        return router.source_mac is None or known(header.source) is not None
    return False


@pytest.mark.parametrize("packet", INVALID, ids=lambda packet: packet.summary())
def test_what_breaks_a_rule_is_dropped_even_by_who_knows_the_sender(packet: Any) -> None:
    watched = Watched()
    interface = watched.machine.interface("eth0")
    mac = mac_from_text(PEER)
    for text, cache in (("10.0.0.2", interface.arp_cache), ("fd00::2", interface.nd_cache)):
        cache.heard(ip_from_text(text), mac, solicited=True)
    before = sum(interface.device.drops.values())
    interface.device.receive(Frame(bytes(packet)))
    assert sum(interface.device.drops.values()) == before + 1
    assert not says_nothing_new(interface, bytes(packet))


@SETTINGS
@given(FRAMES)
def test_a_machine_accounts_for_every_frame(frames: list[bytes]) -> None:
    watched = Watched()
    interface = watched.machine.interface("eth0")
    device = interface.device
    for data in frames:
        before, received = watched.evidence(), device.rx_packets
        excused = says_nothing_new(interface, data)
        device.receive(Frame(data))
        assert device.rx_packets == received + 1
        assert watched.evidence() != before or excused, data.hex()
        watched.lab.run(0)
    watched.lab.run(100 * S)


@SETTINGS
@given(FRAMES, st.lists(st.integers(0, 2), min_size=1, max_size=20))
def test_a_bridge_accounts_for_every_frame(frames: list[bytes], ports: list[int]) -> None:
    lab = Lab()
    machine = lab.machine("br")
    bridge: Bridge = machine.add_bridge("br0", ipv6=True)
    for number in (1, 2, 3):
        lab.probe(machine, f"p{number}", number)
        machine.enslave(f"p{number}", "br0")
    machine.set_up("br0")
    devices = [port.device for port in bridge.ports]

    def accounted() -> int:
        everyone = [*devices, bridge.device]
        drops = sum(sum(device.drops.values()) for device in everyone)
        return drops + sum(d.tx_packets for d in devices) + bridge.device.rx_packets

    for number, data in enumerate(frames):
        before = accounted()
        devices[ports[number % len(ports)]].receive(Frame(data))
        assert accounted() > before, data.hex()
        lab.run(0)
    lab.run(400 * S)
    assert all(entry.is_local for entry in bridge.fdb)
