"""ICMP as Linux hosts and routers send it, one fact a test."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP, UDP, ICMPerror, IPerror
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    IPv6,
)
from scapy.layers.l2 import ARP, Ether

from tests.linux.kit import BROADCAST, MS, Lab, S, address, dropped, host, ip, ip6, router, to_host
from vnet.base.ids import ip_from_text
from vnet.linux.netns import drops

FAR = "10.0.2.1"
NEAR = "10.0.1.1"


# -- what an error looks like


def test_errors_have_tos_c0_ttl_64_and_no_df() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, FAR, ttl=1, flags="DF") / UDP()))
    (error,) = probe.of(ICMPerror) or probe.of(IPerror)
    assert (error[ICMP].type, error[ICMP].code) == (11, 0)
    assert (error.tos, error.ttl, int(error[IP].flags)) == (0xC0, 64, 0)
    assert (error[IP].src, error[IP].dst) == ("10.0.1.254", NEAR)


def test_an_error_takes_the_type_of_service_over_but_not_its_precedence() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, FAR, ttl=1, tos=0xFF) / UDP()))
    assert [error.tos for error in probe.of(IPerror)] == [0xDE]


def test_an_echo_reply_has_the_code_of_the_request() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, "10.0.1.254") / ICMP(code=3)))
    assert [reply[ICMP].code for reply in probe.of(ICMP)] == [3]


@pytest.mark.parametrize(
    ("kind", "answers"), [(11, 0), (12, 0), (10, 0), (18, 1), (19, 0), (200, 0)]
)
def test_no_error_answers_an_error_or_what_may_be_one(kind: int, answers: int) -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, FAR, ttl=1) / ICMP(type=kind) / bytes(40)))
    assert len(probe.of(IPerror)) == answers


def test_an_error_quotes_no_more_than_the_datagram() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, "10.0.1.254") / UDP(len=12, chksum=0) / bytes(20)))
    (error,) = probe.of(IPerror)
    assert error[IP].len == 28 + 20 + 12


def test_an_ipv4_error_is_capped_at_576_bytes() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, FAR, ttl=1) / UDP() / bytes(1400)))
    (error,) = probe.of(IPerror)
    assert error[IP].len == 576


def test_a_short_packet_is_quoted_whole() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, FAR, ttl=1) / UDP() / b"whole"))
    (error,) = probe.of(IPerror)
    assert error[IP].len == 20 + 8 + 20 + 8 + 5


def test_an_ipv6_error_is_capped_at_1280_bytes() -> None:
    lab = Lab()
    machine, probe = host(lab, "10.0.0.1/24", ipv6=True)
    address(machine, "eth0", "fd00::1/64")
    lab.run(3 * S)
    probe.send(to_host(probe, ip6("fd00::2", "fd00::1") / UDP(dport=9) / bytes(1400)))
    neighbor = bytes.fromhex(probe.mac.replace(":", ""))
    machine.interface("eth0").nd_cache.heard(ip_from_text("fd00::2"), neighbor, solicited=True)
    lab.run(0)
    (error,) = probe.of(ICMPv6DestUnreach)
    assert error[ICMPv6DestUnreach].code == 4
    assert 40 + error[IPv6].plen == 1280
    assert error[IPv6].hlim == 64


# -- the quoted TTL


def quoted_ttl(error: IP) -> int:
    return int(error[IPerror].ttl)


def test_time_exceeded_quotes_the_ttl_as_it_came() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, FAR, ttl=1) / UDP()))
    (error,) = probe.of(IPerror)
    assert quoted_ttl(error) == 1


def test_net_unreachable_quotes_the_ttl_as_it_came() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, "203.0.113.9", ttl=9) / UDP()))
    (error,) = probe.of(IPerror)
    assert (error[ICMP].type, error[ICMP].code, quoted_ttl(error)) == (3, 0, 9)


def test_fragmentation_needed_quotes_the_ttl_as_it_came_and_tells_the_mtu() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    machine.set_mtu("eth2", 1400)
    probe.send(to_host(probe, ip(NEAR, FAR, ttl=9, flags="DF") / UDP() / bytes(1400)))
    (error,) = probe.of(IPerror)
    assert (error[ICMP].type, error[ICMP].code, quoted_ttl(error)) == (3, 4, 9)
    assert error[ICMP].nexthopmtu == 1400
    assert far.of(UDP) == []


def test_host_unreachable_quotes_the_decremented_ttl() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, "10.0.2.77", ttl=9) / UDP()))
    lab.run(4 * S)
    (error,) = probe.of(IPerror)
    assert (error[ICMP].type, error[ICMP].code, quoted_ttl(error)) == (3, 1, 8)
    assert probe.times_ms(IPerror) == [3_072]


def test_a_router_reports_an_unreachable_host_from_the_card_that_faces_the_sender() -> None:
    lab = Lab()
    _machine, near, far = router(lab)
    near.send(to_host(near, ip(NEAR, "10.0.2.77", ttl=9) / UDP()))
    far.send(to_host(far, ip(FAR, "10.0.1.77", ttl=9) / UDP(), 2))
    lab.run(4 * S)
    (towards_near,) = near.of(IPerror)
    (towards_far,) = far.of(IPerror)
    assert (towards_near[IP].src, towards_far[IP].src) == ("10.0.1.254", "10.0.2.254")


def test_without_a_route_to_the_sender_an_unreachable_host_is_not_reported() -> None:
    lab = Lab()
    _machine, near, far = router(lab)
    near.send(to_host(near, ip("192.0.2.9", "10.0.2.77", ttl=9) / UDP()))
    lab.run(4 * S)
    assert near.of(IPerror) == far.of(IPerror) == []


def test_the_quoted_header_has_a_correct_checksum() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    probe.send(to_host(probe, ip(NEAR, "10.0.2.77", ttl=9) / UDP()))
    lab.run(4 * S)
    (error,) = probe.of(IPerror)
    quoted = bytes(error[IPerror])[:20]
    again = IP(quoted)
    del again.chksum
    assert bytes(IP(bytes(again)))[:20] == quoted


# -- rate limits


def test_six_errors_at_once_and_then_one_a_second() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")

    def burst(count: int) -> int:
        probe.forget()
        for _ in range(count):
            probe.send(to_host(probe, ip("10.0.0.2", "10.0.0.1") / UDP(dport=9)))
        return len(probe.of(IPerror))

    assert burst(20) == 6
    lab.run(999 * MS)
    assert burst(5) == 0
    lab.run(1 * MS)
    assert burst(5) == 1
    lab.run(3 * S)
    assert burst(20) == 3
    lab.run(60 * S)
    assert burst(20) == 6
    assert dropped(machine, drops.NO_SOCKET) == 70


def test_the_limit_counts_each_destination_for_itself() -> None:
    lab = Lab()
    _machine, probe = host(lab)
    for last in (2, 3):
        probe.answers_arp(f"10.0.0.{last}")
        for _ in range(8):
            probe.send(to_host(probe, ip(f"10.0.0.{last}", "10.0.0.1") / UDP(dport=9)))
    assert [p[IP].dst for p in probe.of(IPerror)] == ["10.0.0.2"] * 6 + ["10.0.0.3"] * 6


def test_echo_and_fragmentation_needed_are_not_limited() -> None:
    lab = Lab()
    machine, probe, _far = router(lab)
    machine.set_mtu("eth2", 1400)
    for _ in range(20):
        probe.send(to_host(probe, ip(NEAR, "10.0.1.254") / ICMP()))
        probe.send(to_host(probe, ip(NEAR, FAR, flags="DF") / UDP() / bytes(1400)))
    assert len([p for p in probe.of(ICMP) if p[ICMP].type == 0]) == 20
    assert len([p for p in probe.of(ICMP) if p[ICMP].type == 3]) == 20


def test_ipv6_errors_come_six_at_once_and_then_ten_a_second() -> None:
    lab = Lab()
    machine, probe = host(lab, ipv6=True)
    address(machine, "eth0", "fd00::1/64")
    lab.run(3 * S)
    neighbor = bytes.fromhex(probe.mac.replace(":", ""))
    machine.interface("eth0").nd_cache.heard(ip_from_text("fd00::2"), neighbor, solicited=True)

    def burst(count: int) -> int:
        probe.forget()
        for _ in range(count):
            probe.send(to_host(probe, ip6("fd00::2", "fd00::1") / UDP(dport=9)))
        return len(probe.of(ICMPv6DestUnreach))

    assert burst(20) == 6
    lab.run(100 * MS)
    assert burst(20) == 1
    lab.run(300 * MS)
    assert burst(20) == 3


# -- echo


def test_an_echo_reply_has_no_df_and_copies_the_tos() -> None:
    lab = Lab()
    _machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")
    request = ip("10.0.0.2", "10.0.0.1", tos=0x48, flags="DF", id=0, ttl=3) / ICMP(id=7, seq=9)
    probe.send(to_host(probe, request / b"payload"))
    (reply,) = [p for p in probe.of(ICMP) if p[ICMP].type == 0]
    assert (reply[IP].tos, int(reply[IP].flags), reply[IP].ttl) == (0x48, 0, 64)
    assert reply[IP].id != 0
    assert (reply[ICMP].id, reply[ICMP].seq) == (7, 9)
    assert bytes(reply[ICMP].payload) == b"payload"


def test_an_ipv6_echo_reply_copies_the_traffic_class() -> None:
    lab = Lab()
    machine, probe = host(lab, ipv6=True)
    address(machine, "eth0", "fd00::1/64")
    lab.run(3 * S)
    neighbor = bytes.fromhex(probe.mac.replace(":", ""))
    machine.interface("eth0").nd_cache.heard(ip_from_text("fd00::2"), neighbor, solicited=True)
    request = ip6("fd00::2", "fd00::1", tc=0x48) / ICMPv6EchoRequest(id=7, seq=9, data=b"six")
    probe.send(to_host(probe, request))
    (reply,) = probe.of(ICMPv6EchoReply)
    assert (reply[IPv6].tc, reply[ICMPv6EchoReply].id, reply[ICMPv6EchoReply].data) == (
        0x48,
        7,
        b"six",
    )


def test_a_broadcast_ping_is_ignored_until_the_sysctl_says_otherwise() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")
    ping = Ether(src=probe.mac, dst=BROADCAST) / ip("10.0.0.2", "10.0.0.255") / ICMP()
    probe.send(ping)
    assert probe.of(ICMP) == []
    machine.sysctls["net.ipv4.icmp_echo_ignore_broadcasts"] = 0
    probe.send(ping)
    (reply,) = probe.of(ICMP)
    assert reply[IP].src == "10.0.0.1"


# -- who is told nothing


@pytest.mark.parametrize(
    "packet",
    [
        ip("10.0.0.2", "255.255.255.255") / UDP(dport=9),
        ip("10.0.0.2", "10.0.0.255") / UDP(dport=9),
        ip("0.0.0.0", "255.255.255.255") / UDP(dport=9),
        ip("10.0.0.2", "10.0.0.1", frag=10, proto=17) / b"later piece",
        ip("10.0.0.2", "10.0.0.1") / ICMP(type=3, code=1) / ip("10.0.0.1", "10.0.0.2") / UDP(),
        ip("224.0.0.1", "10.0.0.1") / UDP(dport=9),
        ip("127.0.0.1", "10.0.0.1") / UDP(dport=9),
        ip("10.0.0.1", "10.0.0.1") / UDP(dport=9),
        ip("10.0.0.2", "127.0.0.1") / UDP(dport=9),
    ],
    ids=lambda packet: packet.summary(),
)
def test_no_error_for(packet: IP) -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.send(to_host(probe, packet))
    lab.run(S)
    assert probe.of(ICMP) == []
    assert probe.of(ARP) == []
    assert sum(sum(i.device.drops.values()) for i in machine.interfaces.values()) <= 1


def test_no_error_for_a_unicast_packet_in_a_broadcast_frame() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.send(Ether(src=probe.mac, dst=BROADCAST) / ip("10.0.0.2", "10.0.0.1") / UDP(dport=9))
    lab.run(S)
    assert probe.heard == []
    assert dropped(machine, drops.NO_SOCKET) == 1


# -- the time of day


def test_a_timestamp_request_is_answered_with_the_time_of_day() -> None:
    lab = Lab()
    _machine, probe, _far = router(lab)
    lab.run(7 * S)
    probe.send(to_host(probe, ip(NEAR, "10.0.1.254") / ICMP(type=13, id=3, seq=4, ts_ori=99)))
    (reply,) = (packet[ICMP] for packet in probe.of(ICMP))
    assert (reply.type, reply.id, reply.seq, reply.ts_ori) == (14, 3, 4, 99)
    assert reply.ts_rx == reply.ts_tx == lab.scheduler.now_ns // MS


# -- what is too large


def test_only_who_sent_something_is_told_that_it_was_too_large() -> None:
    lab = Lab()
    machine, probe, _far = router(lab)
    for quoted, learned in ((UDP(sport=7, dport=9), False), (ICMP(type=0, id=1), True)):
        inner = IP(src="10.0.1.254", dst=NEAR) / quoted
        told = ICMP(type=3, code=4, nexthopmtu=600) / inner / bytes(20)
        probe.send(to_host(probe, ip(NEAR, "10.0.1.254") / told))
        assert (machine.ipv4.mtu_to(ip_from_text(NEAR)) == 600) is learned
