"""Forwarding and reassembly as Linux does them, one fact a test."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP, UDP, IPerror
from scapy.layers.inet6 import (
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from tests.linux.kit import (
    BROADCAST,
    MS,
    Lab,
    Notes,
    Probe,
    S,
    address,
    dropped,
    host,
    ip,
    ip6,
    router,
    to_host,
)
from vnet.base.drops import DropReason
from vnet.base.ids import ip_from_text
from vnet.linux.netns import drops
from vnet.sim.frame import Frame, Meta
from vnet.sim.trace import Trace, TraceNode

FAR = "10.0.2.1"
NEAR = "10.0.1.1"


def test_a_router_forwards_and_takes_one_from_the_ttl() -> None:
    lab = Lab()
    _machine, probe, far = router(lab)
    probe.send(to_host(probe, ip(NEAR, FAR, ttl=9, id=5) / UDP() / b"on its way"))
    lab.run(MS)
    (packet,) = far.of(UDP)
    assert (packet[IP].ttl, packet[IP].id, packet.dst) == (8, 5, far.mac)
    rebuilt = packet[IP].copy()
    del rebuilt.chksum
    assert IP(bytes(rebuilt)).chksum == packet[IP].chksum


def test_without_ip_forward_what_is_not_ours_is_dropped_silently() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    machine.sysctls["net.ipv4.ip_forward"] = 0
    probe.send(to_host(probe, ip(NEAR, FAR) / UDP()))
    assert far.heard == []
    assert probe.of(IPerror) == []
    assert dropped(machine, drops.NOT_FOR_US) == 1


def test_a_router_splits_a_packet_without_df() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    machine.set_mtu("eth2", 1000)
    probe.send(to_host(probe, ip(NEAR, FAR, id=77) / UDP() / bytes(1400)))
    lab.run(MS)
    pieces = [(p[IP].frag * 8, p[IP].len, int(p[IP].flags)) for p in far.of(IP)]
    assert pieces == [(0, 996, 1), (976, 452, 0)]
    assert {p[IP].id for p in far.of(IP)} == {77}


def test_a_router_splits_fragments_without_coalescing() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    machine.set_mtu("eth2", 1000)
    for offset, more, size in ((0, 1, 1200), (1200, 0, 80)):
        piece = ip(NEAR, FAR, id=77, proto=17, flags=more, frag=offset // 8) / bytes(size)
        probe.send(to_host(probe, piece))
    lab.run(MS)
    pieces = [(p[IP].frag * 8, p[IP].len - 20, int(p[IP].flags)) for p in far.of(IP)]
    assert pieces == [(0, 976, 1), (976, 224, 1), (1200, 80, 0)]


def test_an_ip_packet_in_a_broadcast_frame_is_not_forwarded() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    probe.send(Ether(src=probe.mac, dst=BROADCAST) / ip(NEAR, FAR, ttl=9) / UDP())
    lab.run(MS)
    assert far.of(UDP) == []
    assert probe.of(IPerror) == []
    assert dropped(machine, drops.NOT_FORWARDED) == 1


@pytest.mark.parametrize("target", ["255.255.255.255", "224.0.0.5", "239.1.1.1", "10.0.1.255"])
def test_broadcast_and_multicast_stay_on_their_link(target: str) -> None:
    lab = Lab()
    _machine, probe, far = router(lab)
    probe.send(Ether(src=probe.mac, dst=BROADCAST) / ip(NEAR, target, ttl=9) / UDP())
    lab.run(MS)
    assert far.heard == []


def test_an_ipv6_router_reports_hop_limit_and_size() -> None:
    lab = Lab()
    machine = lab.machine("router")
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
    probes = [lab.probe(machine, f"eth{n}", n, ipv6=True) for n in (1, 2)]
    for number in (1, 2):
        address(machine, f"eth{number}", f"fd00:{number}::fe/64")
    lab.run(3 * S)
    for number, probe in enumerate(probes, 1):
        neighbor = bytes.fromhex(probe.mac.replace(":", ""))
        cache = machine.interface(f"eth{number}").nd_cache
        cache.heard(ip_from_text(f"fd00:{number}::1"), neighbor, solicited=True)
    machine.set_mtu("eth2", 1400)
    near, far = probes
    near.send(to_host(near, ip6("fd00:1::1", "fd00:2::1", hlim=1) / UDP()))
    near.send(to_host(near, ip6("fd00:1::1", "fd00:2::1", hlim=9) / UDP() / bytes(1400)))
    near.send(to_host(near, ip6("fd00:1::1", "fd00:2::1", hlim=9) / UDP() / b"small"))
    (exceeded,) = near.of(ICMPv6TimeExceeded)
    (too_big,) = near.of(ICMPv6PacketTooBig)
    assert exceeded[IPv6].src == "fd00:1::fe"
    assert too_big[ICMPv6PacketTooBig].mtu == 1400
    (passed,) = far.of(UDP)
    assert passed[IPv6].hlim == 8


def test_a_packet_without_a_route_is_unreachable_whatever_its_ttl() -> None:
    lab = Lab()
    machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, "192.0.2.9", ttl=1) / UDP()))
    lab.run(MS)
    (error,) = probe.of(IPerror)
    assert (error[ICMP].type, error[ICMP].code) == (3, 0)
    assert dropped(machine, drops.NO_ROUTE) == 1


def test_an_ipv6_packet_without_a_route_is_unreachable_whatever_its_hop_limit() -> None:
    lab = Lab()
    machine, probe = host(lab, ipv6=True)
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
    address(machine, "eth0", "fd00::1/64")
    lab.run(3 * S)
    probe.send(to_host(probe, ip6("fd00::2", "fd00:9::1", hlim=1) / UDP()))
    assert dropped(machine, drops.NO_ROUTE) == 1
    assert dropped(machine, drops.TTL_EXCEEDED) == 0


def test_a_directed_broadcast_may_be_a_source() -> None:
    """Nobody looks for it: without rp_filter, only our own addresses are martian."""
    lab = Lab()
    machine, probe, far = router(lab)
    for source in ("10.0.1.255", "10.0.2.255"):
        probe.send(to_host(probe, ip(source, FAR, ttl=9) / UDP()))
    lab.run(MS)
    assert dropped(machine, drops.MARTIAN_SOURCE) == 0
    assert len(far.of(UDP)) == 2


def test_a_broadcast_of_a_network_beyond_is_ours_and_not_forwarded() -> None:
    lab = Lab()
    _machine, probe, far = router(lab)
    probe.send(to_host(probe, ip("10.0.1.1", "10.0.2.255", ttl=1) / UDP()))
    lab.run(MS)
    assert far.of(UDP) == []
    assert probe.of(ICMP) == []


# -- reassembly


def followed(probe: Probe, packet: Packet) -> TraceNode:
    """Send ``packet`` with a trace, and return its root."""
    root = TraceNode(0, "test", "made")
    probe.device.transmit(Frame(bytes(to_host(probe, packet)), Meta(Trace(root))))
    return root


@pytest.mark.parametrize(
    ("spoiler", "size", "reason"),
    [
        (8, 64, drops.FRAGMENT_OVERLAP),
        (96, 13, drops.FRAGMENT_MALFORMED),
    ],
)
def test_every_piece_of_a_packet_thrown_away_is_counted(
    spoiler: int, size: int, reason: DropReason
) -> None:
    lab = Lab()
    machine, probe = host(lab)
    roots = [
        followed(
            probe,
            ip("10.0.0.2", "10.0.0.1", id=7, proto=17, flags="MF", frag=at // 8) / bytes(length),
        )
        for at, length in ((0, 16), (32, 16), (spoiler, size))
    ]
    lab.run(40 * S)
    assert [[node.drop for node in root.drops] for root in roots] == [[reason]] * 3
    assert dropped(machine, reason) == 3


@pytest.mark.parametrize("family", [4, 16])
@pytest.mark.parametrize("too_much", [0, 1])
def test_no_packet_grows_beyond_the_largest(family: int, too_much: int) -> None:
    lab = Lab()
    machine, probe = host(lab, ipv6=True)
    address(machine, "eth0", "fd00::1/64")
    lab.run(3 * S)
    # The IPv4 header counts, and so does an extension header of IPv6.
    size = 0xFFFF - (20 if family == 4 else 8) + too_much
    pieces = 0
    for at in range(0, size, 1440):
        length, more = min(1440, size - at), int(at + 1440 < size)
        packet = (
            ip("10.0.0.2", "10.0.0.1", id=7, proto=253, flags=more, frag=at // 8)
            if family == 4
            else ip6("fd00::2", "fd00::1")
            / IPv6ExtHdrDestOpt()
            / IPv6ExtHdrFragment(m=more, id=5, nh=253, offset=at // 8)
        )
        probe.send(to_host(probe, packet / bytes(length)))
        pieces += 1
    assert dropped(machine, drops.FRAGMENT_MALFORMED) == pieces * too_much
    assert dropped(machine, drops.NO_PROTOCOL) == 1 - too_much


@pytest.mark.parametrize("family", [4, 16])
def test_pieces_that_time_out_are_lost_as_they_came(family: int) -> None:
    lab = Lab()
    machine, probe = host(lab, ipv6=True)
    address(machine, "eth0", "fd00::1/64")
    lab.run(3 * S)
    notes = Notes()
    machine.interface("eth0").device.add_sniffer(notes)
    packet = (
        ip("10.0.0.2", "10.0.0.1", id=7, proto=17, flags="MF", frag=8) / bytes(64)
        if family == 4
        else ip6("fd00::2", "fd00::1") / IPv6ExtHdrFragment(m=1, id=5, nh=17, offset=8) / bytes(64)
    )
    root = followed(probe, packet)
    lab.run(80 * S)
    assert [node.drop for node in root.drops] == [drops.FRAGMENT_TIMEOUT]
    ours = bytes(to_host(probe, packet))
    assert [(data, reason) for _, data, reason in notes.lost] == [(ours, drops.FRAGMENT_TIMEOUT)]


def test_a_packet_that_stays_incomplete_is_reported_after_thirty_seconds() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")
    piece = ip("10.0.0.2", "10.0.0.1", id=78, flags="MF") / ICMP(id=7, seq=2) / bytes(1000)
    probe.send(to_host(probe, piece))
    lab.run(29 * S)
    assert probe.of(IPerror) == []
    lab.run(5 * S)
    (error,) = probe.of(IPerror)
    assert (error[ICMP].type, error[ICMP].code) == (11, 1)
    assert dropped(machine, drops.FRAGMENT_TIMEOUT) == 1


def test_without_the_first_piece_nobody_is_told() -> None:
    lab = Lab()
    machine, probe = host(lab)
    piece = ip("10.0.0.2", "10.0.0.1", id=78, proto=1, flags="MF", frag=100) / bytes(1000)
    probe.send(to_host(probe, piece))
    lab.run(60 * S)
    assert probe.heard == []
    assert dropped(machine, drops.FRAGMENT_TIMEOUT) == 1


def test_an_incomplete_ipv6_packet_is_reported_after_sixty_seconds() -> None:
    lab = Lab()
    machine, probe = host(lab, ipv6=True)
    address(machine, "eth0", "fd00::1/64")
    lab.run(3 * S)
    head = ip6("fd00::2", "fd00::1") / IPv6ExtHdrFragment(m=1, id=5, nh=17)
    probe.send(to_host(probe, head / bytes(1000)))
    lab.run(57 * S)
    neighbor = bytes.fromhex(probe.mac.replace(":", ""))
    machine.interface("eth0").nd_cache.heard(ip_from_text("fd00::2"), neighbor, solicited=True)
    lab.run(8 * S)
    (error,) = probe.of(ICMPv6TimeExceeded)
    assert error[ICMPv6TimeExceeded].code == 1
