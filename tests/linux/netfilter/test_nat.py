"""Translation at a router, as Linux does it, one fact a test."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP

from tests.linux.kit import MS, Lab, dropped, ip, router, to_host
from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text
from vnet.linux.netfilter.drops import CONNTRACK_FULL, NAT_EXHAUSTED
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.verdict import ACCEPT, Verdict
from vnet.linux.netns.namespace import Namespace
from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.linux.nat_range import NatRange

NEAR, FAR = "10.0.1.1", "10.0.2.1"
ANY = NatRange()


def masquerade(machine: Namespace, out: str, choice: NatRange = ANY) -> None:
    netfilter = machine.make_netfilter()

    def judge(packet: NfPacket) -> Verdict:
        if packet.leaves is None or packet.leaves.name != out:
            return ACCEPT
        return netfilter.nat.masquerade(packet, choice)

    netfilter.register_nat(4, Hook.POSTROUTING, judge)


def test_a_masqueraded_packet_leaves_from_the_routers_address_and_its_answer_finds_back() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    masquerade(machine, "eth2")
    probe.send(to_host(probe, ip(NEAR, FAR, ttl=9) / UDP(sport=40000, dport=7) / b"hi"))
    lab.run(MS)
    (packet,) = far.of(UDP)
    outer = packet[IP].src
    assert outer != NEAR
    assert (packet[UDP].sport, packet[IP].ttl) == (40000, 8)
    far.send(to_host(far, ip(FAR, outer) / UDP(sport=7, dport=40000) / b"ho", 2))
    lab.run(MS)
    (answer,) = probe.of(UDP)
    assert (answer[IP].src, answer[IP].dst, answer[UDP].dport) == (FAR, NEAR, 40000)


def test_a_port_forwarded_to_a_guest_is_answered_from_the_routers_address() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    netfilter = machine.make_netfilter()

    def judge(packet: NfPacket) -> Verdict:
        if packet.target_port != 8080:
            return ACCEPT
        choice = NatRange(ip_from_text(NEAR), None, 80)
        return netfilter.nat.set_up(packet, NatKind.DESTINATION, choice)

    netfilter.register_nat(4, Hook.PREROUTING, judge)
    far.send(to_host(far, ip(FAR, "10.0.2.254") / TCP(sport=5000, dport=8080), 2))
    lab.run(MS)
    (packet,) = probe.of(TCP)
    assert (packet[IP].src, packet[IP].dst, packet[TCP].dport) == (FAR, NEAR, 80)
    reply = ip(NEAR, FAR) / TCP(sport=80, dport=5000, flags="SA", seq=9, ack=1)
    probe.send(to_host(probe, reply))
    lab.run(MS)
    (answer,) = far.of(TCP)
    assert (answer[IP].src, answer[TCP].sport) == ("10.0.2.254", 8080)


def test_errors_about_translated_packets_are_translated_inside_as_well() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    masquerade(machine, "eth2")
    probe.send(to_host(probe, ip(NEAR, FAR) / UDP(sport=40000, dport=99) / b"hi"))
    lab.run(MS)
    (packet,) = far.of(UDP)
    error = ip(FAR, packet[IP].src) / ICMP(type=3, code=3) / bytes(packet[IP])
    far.send(to_host(far, error, 2))
    lab.run(MS)
    (answer,) = probe.of(ICMP)
    assert answer[IP].dst == NEAR
    quoted = answer.getlayer("IP in ICMP")
    assert (quoted.src, quoted.dst) == (NEAR, FAR)


def test_the_number_of_connections_is_a_sysctl_that_is_only_read() -> None:
    lab = Lab()
    machine, probe, _far = router(lab)
    assert machine.sysctls["net.netfilter.nf_conntrack_count"] == 0
    masquerade(machine, "eth2")
    probe.send(to_host(probe, ip(NEAR, FAR) / UDP(sport=40000, dport=7)))
    assert machine.sysctls["net.netfilter.nf_conntrack_count"] == 1
    with pytest.raises(UsageError, match="permission denied"):
        machine.sysctls["net.netfilter.nf_conntrack_count"] = 3


def test_a_full_table_drops_what_is_new_and_says_so() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    masquerade(machine, "eth2")
    machine.sysctls["net.netfilter.nf_conntrack_max"] = 2
    for port in (40000, 40001, 40002):
        probe.send(to_host(probe, ip(NEAR, FAR) / UDP(sport=port, dport=7)))
        lab.run(MS)
    assert [packet[UDP].sport for packet in far.of(UDP)] == [40000, 40001]
    assert dropped(machine, CONNTRACK_FULL) == 1
    assert "table full" in list(machine.log)[-1][1]


def test_when_no_port_is_left_the_packet_is_lost_with_its_reason() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    masquerade(machine, "eth2", NatRange(first_port=2000, last_port=2001))
    for port in (40000, 40001, 40002):
        probe.send(to_host(probe, ip(NEAR, FAR) / UDP(sport=port, dport=7)))
        lab.run(MS)
    assert sorted(packet[UDP].sport for packet in far.of(UDP)) == [2000, 2001]
    assert dropped(machine, NAT_EXHAUSTED) == 1


def test_what_was_masqueraded_is_over_when_its_address_goes() -> None:
    lab = Lab()
    machine, probe, _far = router(lab)
    masquerade(machine, "eth2")
    probe.send(to_host(probe, ip(NEAR, FAR) / UDP(sport=40000, dport=7)))
    machine.delete_address("eth2", ip_from_text("10.0.2.254"))
    assert machine.sysctls["net.netfilter.nf_conntrack_count"] == 0


def test_a_packet_in_pieces_leaves_in_the_same_pieces() -> None:
    lab = Lab()
    machine, probe, far = router(lab)
    masquerade(machine, "eth2")
    whole = ip(NEAR, FAR, id=7) / UDP(sport=40000, dport=7) / bytes(2000)
    for piece in whole.fragment(1000):
        probe.send(to_host(probe, piece))
    lab.run(MS)
    pieces = [packet[IP] for packet in far.of(IP)]
    assert [(p.src, p.frag * 8, p.len, int(p.flags)) for p in pieces] == [
        ("10.0.2.254", 0, 1020, 1),
        ("10.0.2.254", 1000, 1020, 1),
        ("10.0.2.254", 2000, 28, 0),
    ]


def test_our_error_about_a_translated_packet_speaks_of_what_was_sent() -> None:
    """Even of a connection that never begins: its first packet is what the error is about."""
    lab = Lab()
    machine, probe, far = router(lab)
    netfilter = machine.make_netfilter()
    choice = NatRange(ip_from_text(FAR))

    def judge(packet: NfPacket) -> Verdict:
        return netfilter.nat.set_up(packet, NatKind.DESTINATION, choice)

    netfilter.register_nat(4, Hook.PREROUTING, judge)
    probe.send(to_host(probe, ip(NEAR, "10.0.9.9", ttl=1) / UDP(sport=4000, dport=7)))
    lab.run(MS)
    assert far.of(UDP) == []
    (error,) = probe.of(ICMP)
    assert error[IP].src == "10.0.9.9"
    quoted = error.getlayer("IP in ICMP")
    assert (quoted.dst, quoted.ttl) == ("10.0.9.9", 1)
