"""Scapy's own sending and receiving over a vNIC: sr, srp and sndrcv, in virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import scapy.sendrecv
from scapy.layers.inet import ICMP, IP, UDP, Ether, UDPerror
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP
from scapy.packet import Raw
from scapy.plist import PacketList

from vnet.base.errors import ReentryError, UsageError
from vnet.guest.vnic import Vnic
from vnet.lab.lab import Lab

MS = 1_000_000
S = 1_000 * MS


def nic(lab: Lab, name: str = "vm1") -> Vnic:
    return lab.vm(name).vnic(0)


def inside_event(lab: Lab, call: Callable[[], object]) -> None:
    """Run ``call`` from inside one of the lab's events."""
    lab.scheduler.after(0, call)
    lab.advance(0)


# One question, one answer


def test_sr1_with_ip_resolves_asks_and_answers(far: Lab) -> None:
    answer = nic(far).sr1(IP(dst="10.0.0.2") / ICMP(id=7, seq=1) / b"hello")
    assert type(answer) is IP
    assert (answer.src, answer.dst, answer[ICMP].type, answer[Raw].load) == (
        "10.0.0.2",
        "10.0.0.1",
        0,
        b"hello",
    )
    # ARP there and back, echo there and back, 10 ms each, and not a moment longer.
    assert far.now_ns == 40 * MS


def test_sr1_with_ethernet_answers_with_ethernet(two: Lab) -> None:
    answer = nic(two).sr1(Ether(dst=nic(two, "vm2").mac) / IP(dst="10.0.0.2") / ICMP())
    assert answer.src == nic(two, "vm2").mac
    assert answer.dst == nic(two).mac


def test_sr1_speaks_ipv6(six: Lab) -> None:
    answer = nic(six).sr1(IPv6(dst="2001:db8::2") / ICMPv6EchoRequest(id=1, data=b"six"))
    assert answer[ICMPv6EchoReply].data == b"six"
    assert answer.src == "2001:db8::2"


def test_sr1_over_ipv6_link_local(six: Lab) -> None:
    lladdr = next(ip for ip in nic(six, "vm2").iface.ips[6] if ip.startswith("fe80"))
    answer = nic(six).sr1(IPv6(dst=lladdr) / ICMPv6EchoRequest())
    assert answer.src == lladdr
    assert answer.dst.startswith("fe80")


def test_an_error_answers_what_it_quotes(two: Lab) -> None:
    answer = nic(two).sr1(IP(dst="10.0.0.2") / UDP(sport=1234, dport=9) / b"nobody home")
    assert (answer[ICMP].type, answer[ICMP].code) == (3, 3)


def test_the_router_on_the_way_answers(routed: Lab) -> None:
    answer = nic(routed).sr1(IP(dst="10.0.2.1", ttl=1) / ICMP())
    assert (answer.src, answer[ICMP].type) == ("10.0.1.254", 11)
    assert nic(routed).sr1(IP(dst="10.0.2.1") / ICMP()).src == "10.0.2.1"


@pytest.mark.parametrize("timeout", [1, 2.5, 0.1, 0.3])
def test_an_unanswered_question_ends_exactly_at_its_timeout(two: Lab, timeout: float) -> None:
    two.advance(123_456_789)
    began = two.now_ns
    assert nic(two).sr1(IP(dst="10.0.0.99") / ICMP(), timeout=timeout) is None
    assert two.now_ns - began == round(timeout * S)


def test_traffic_does_not_move_the_timeout(far: Lab) -> None:
    far.vm("vm2").vnic(0).send(Ether(dst="ff:ff:ff:ff:ff:ff") / Raw(b"x" * 46))
    for number in range(1, 30):
        far.scheduler.at(
            number * 33_333_333,
            nic(far, "vm2").send,
            Ether(dst="ff:ff:ff:ff:ff:ff") / Raw(b"noise"),
        )
    assert nic(far).sr1(IP(dst="10.0.0.99") / ICMP(), timeout=0.7) is None
    assert far.now_ns == 700 * MS


def test_no_timeout_means_until_the_lab_is_silent_for_an_hour(two: Lab) -> None:
    answered, unanswered = nic(two).sr(IP(dst="10.0.0.99") / ICMP())
    assert (len(answered), len(unanswered)) == (0, 1)
    assert two.now_ns == 3600 * S


def test_sr1_positional_timeout(two: Lab) -> None:
    assert nic(two).sr1(IP(dst="10.0.0.99") / ICMP(), 2) is None
    assert two.now_ns == 2 * S


# Many questions


def test_sr_pairs_answers_with_questions(far: Lab) -> None:
    packets = [IP(dst="10.0.0.2") / ICMP(id=5, seq=n) / bytes((n,)) for n in range(4)]
    answered, unanswered = nic(far).sr(packets, timeout=2)
    assert [(q[ICMP].seq, a[ICMP].seq, a[Raw].load) for q, a in answered] == [
        (n, n, bytes((n,))) for n in range(4)
    ]
    assert len(unanswered) == 0
    # Everybody answered, so nobody waited: the time of one resolution and one round trip.
    assert far.now_ns == 40 * MS


def test_sr_expands_a_set_of_addresses(two: Lab) -> None:
    answered, unanswered = nic(two).sr(IP(dst="10.0.0.2/30") / ICMP(), timeout=3)
    assert [answer.src for _, answer in answered] == ["10.0.0.2"]
    # 10.0.0.1 is the guest itself, and its answer never passes the card.
    assert sorted(packet.dst for packet in unanswered) == ["10.0.0.0", "10.0.0.1", "10.0.0.3"]
    assert two.now_ns == 3 * S


def test_sr_expands_a_range_of_ports(two: Lab) -> None:
    answered, _ = nic(two).sr(IP(dst="10.0.0.2") / UDP(dport=(1, 3)), timeout=1)
    assert [(query.dport, answer[UDPerror].dport) for query, answer in answered] == [
        (1, 1),
        (2, 2),
        (3, 3),
    ]


def test_sr_takes_packet_lists_and_generators(two: Lab) -> None:
    vnic = nic(two)
    mac = nic(two, "vm2").mac
    frames = [Ether(dst=mac) / IP(dst="10.0.0.2") / ICMP(seq=n) for n in range(3)]
    for many in (PacketList(frames), (frame for frame in frames)):
        answered, _ = vnic.sr(many, timeout=1)
        assert [answer[ICMP].seq for _, answer in answered] == [0, 1, 2]
        assert all(isinstance(answer, Ether) for _, answer in answered)


def test_inter_spaces_packets_in_virtual_time(far: Lab) -> None:
    nic(far).sr1(IP(dst="10.0.0.2") / ICMP())
    began = far.now_ns
    packets = [IP(dst="10.0.0.2") / ICMP(seq=n) for n in range(1, 4)]
    answered, _ = nic(far).sr(packets, inter=0.1, timeout=2)
    gaps = [
        round(1000 * float(query.sent_time - answered[0][0].sent_time)) for query, _ in answered
    ]
    assert gaps == [0, 100, 200]
    # All answers were there when the third pause was over.
    assert far.now_ns - began == 300 * MS


def test_retry_asks_again(two: Lab) -> None:
    _, unanswered = nic(two).sr(
        Ether(dst="02:00:00:00:00:01") / IP(dst="10.0.0.9"), timeout=1, retry=2
    )
    assert len(unanswered) == 1
    assert two.now_ns == 3 * S
    assert [frame.dst for frame in nic(two).sent] == ["02:00:00:00:00:01"] * 3


def test_multi_takes_every_answer(lab_of: Callable[[str], Lab]) -> None:
    text = """
version: 1
hosts: {h1: {hypervisor: kvm, switches: {br0: }}}
vms:
  a: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  b: {host: h1, vnics: [{ip: 10.0.0.2/24}], sysctls: {net.ipv4.icmp_echo_ignore_broadcasts: '0'}}
  c: {host: h1, vnics: [{ip: 10.0.0.3/24}], sysctls: {net.ipv4.icmp_echo_ignore_broadcasts: '0'}}
"""
    lab = lab_of(text)
    scapy_conf = scapy.sendrecv.conf
    before, scapy_conf.checkIPaddr = scapy_conf.checkIPaddr, False
    try:
        frame = Ether(dst="ff:ff:ff:ff:ff:ff") / IP(dst="10.0.0.255") / ICMP()
        answered, _ = nic(lab, "a").sr(frame, multi=True, timeout=1)
    finally:
        scapy_conf.checkIPaddr = before
    assert sorted(answer[IP].src for _, answer in answered) == ["10.0.0.2", "10.0.0.3"]
    assert lab.now_ns == S


@pytest.mark.slow
def test_more_answers_than_a_card_remembers(two: Lab) -> None:
    mac = nic(two, "vm2").mac
    frames = [Ether(dst=mac) / IP(dst="10.0.0.2") / ICMP(id=n) for n in range(1200)]
    answered, unanswered = nic(two).sr(frames, inter=0.001, timeout=1)
    assert (len(answered), len(unanswered)) == (1200, 0)
    assert len(nic(two).received) == 1000
    assert nic(two).received.total == 1201  # the answers, and one question for our MAC


# The same through Scapy's module functions


def test_sndrcv_needs_no_thread(two: Lab) -> None:
    frame = Ether(dst=nic(two, "vm2").mac) / IP(dst="10.0.0.2") / ICMP()
    for options in ({}, {"threaded": True}, {"threaded": False}):
        answered, _ = scapy.sendrecv.sndrcv(nic(two), frame, timeout=1, **options)
        assert len(answered) == 1
    assert two.now_ns == 0


def test_sndrcv_with_ip_packets_finds_the_ip_face(two: Lab) -> None:
    answered, _ = scapy.sendrecv.sndrcv(nic(two), IP(dst="10.0.0.2") / ICMP(), timeout=1)
    assert type(answered[0].answer) is IP


def test_srp_and_srp1_by_interface(far: Lab) -> None:
    question = Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(pdst="10.0.0.2")
    answered, _ = scapy.sendrecv.srp(question, iface=nic(far).iface, timeout=2)
    query, answer = answered[0]
    assert (answer[ARP].hwsrc, answer[ARP].psrc) == (nic(far, "vm2").mac, "10.0.0.2")
    assert answer.time - query.sent_time == pytest.approx(0.02)
    assert int((answer.time - query.sent_time) * S) == 20 * MS
    assert scapy.sendrecv.srp1(question, iface=nic(far).iface, timeout=2)[ARP].op == 2
    assert nic(far).srp(question, timeout=1)[0][0].answer[ARP].op == 2


def test_sr1_by_interface(two: Lab) -> None:
    answer = scapy.sendrecv.sr1(IP(dst="10.0.0.2") / ICMP(), iface=nic(two).iface, timeout=2)
    assert answer.src == "10.0.0.2"


def test_send_and_sendp_pause_in_virtual_time(two: Lab) -> None:
    began = time.monotonic()
    vnic = nic(two)
    frame = Ether(dst=nic(two, "vm2").mac) / IP(dst="10.0.0.2") / ICMP()
    scapy.sendrecv.sendp(frame, iface=vnic.iface, inter=2, count=3)
    assert two.now_ns == 6 * S
    scapy.sendrecv.sendp([frame, frame], socket=vnic, inter=1)
    scapy.sendrecv.send(IP(dst="10.0.0.2") / ICMP(), iface=vnic.iface, inter=4)
    assert two.now_ns == 12 * S
    assert len([f for f in vnic.sent if ICMP in f]) == 6
    assert time.monotonic() - began < 12


def test_srploop_runs_in_virtual_time(two: Lab) -> None:
    began = time.monotonic()
    question = Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(pdst="10.0.0.2")
    answered, _ = scapy.sendrecv.srploop(question, iface=nic(two).iface, count=3, inter=10)
    assert len(answered) == 3
    assert two.now_ns == 30 * S
    assert time.monotonic() - began < 30


def test_flooding_is_refused(two: Lab) -> None:
    with pytest.raises(UsageError, match="srflood"):
        scapy.sendrecv.srpflood(Ether() / IP(dst="10.0.0.2"), iface=nic(two).iface)


# recv


def test_recv_waits_for_the_next_frame(far: Lab) -> None:
    far.scheduler.at(
        5 * MS, nic(far, "vm2").send, Ether(dst=nic(far).mac, type=0x88B5) / Raw(b"hi")
    )
    packet = nic(far).recv()
    assert packet[Raw].load == b"hi"
    assert far.now_ns == 15 * MS
    assert int(packet.time * S) == far.topology.epoch_ns + 15 * MS


def test_recv_after_advance_gives_what_came(two: Lab) -> None:
    for number in range(3):
        nic(two, "vm2").send(Ether(dst=nic(two).mac, type=0x88B5) / Raw(bytes((number,))))
    two.advance("1s")
    assert [nic(two).recv()[Raw].load[0] for _ in range(3)] == [0, 1, 2]
    assert two.now_ns == S


def test_recv_gives_none_after_an_hour_of_silence(two: Lab) -> None:
    assert nic(two).recv() is None
    assert two.now_ns == 3600 * S
    assert nic(two).recv() is None


def test_recv_of_a_card_that_forgot_goes_on_with_the_oldest_it_has(two: Lab) -> None:
    for number in range(1005):
        nic(two, "vm2").send(Ether(dst=nic(two).mac, type=0x88B5) / Raw(number.to_bytes(2, "big")))
    two.advance(0)
    numbers = [int.from_bytes(nic(two).recv()[Raw].load[:2], "big") for _ in range(1000)]
    assert numbers == list(range(5, 1005))


def test_a_question_does_not_hear_what_came_before_it(two: Lab) -> None:
    nic(two, "vm2").send(Ether(dst=nic(two).mac) / IP(dst="10.0.0.1") / ICMP(type=0, id=3))
    two.advance("1s")
    assert nic(two).sr1(Ether(dst="02:00:00:00:00:01") / IP(dst="10.0.0.2") / ICMP(id=3)) is None


# Mistakes


def background(vnic: Vnic) -> Any:
    sniffer = scapy.sendrecv.AsyncSniffer(opened_socket=vnic)
    sniffer.start()
    return sniffer


@pytest.mark.parametrize(
    "call",
    [
        lambda vnic: vnic.recv(),
        lambda vnic: vnic.sr1(IP(dst="10.0.0.2") / ICMP()),
        lambda vnic: vnic.sr(IP(dst="10.0.0.2") / ICMP(), timeout=1, inter=0.1),
        lambda vnic: vnic.sniff(timeout=1),
        lambda vnic: scapy.sendrecv.sendp(Ether(dst="02:00:00:00:00:01"), socket=vnic, inter=1),
        lambda vnic: background(vnic).join(timeout=1),
    ],
)
def test_waiting_inside_an_event_is_refused(two: Lab, call: Callable[[Vnic], Any]) -> None:
    with pytest.raises(ReentryError):
        inside_event(two, lambda: call(nic(two)))
    two.advance("1s")


def test_sending_inside_an_event_is_fine(two: Lab) -> None:
    inside_event(two, lambda: nic(two).send(IP(dst="10.0.0.2") / ICMP()))
    two.advance("1s")
    assert [frame[ICMP].type for frame in nic(two).received if ICMP in frame] == [0]


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (Raw(b"abc"), "neither a frame nor an IP packet"),
        (Raw(b"\x45abc"), "neither a frame nor an IP packet"),
        (ARP(pdst="10.0.0.2"), "neither a frame nor an IP packet"),
        (Ether(src="02:00:00:00:00:09") / IP(dst="10.0.0.2"), "nobody has told the MAC"),
        ([Ether(), Ether()], "not list"),
        (None, "not NoneType"),
    ],
)
def test_what_cannot_be_sent_says_why(two: Lab, packet: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        nic(two).send(packet)


def test_a_mistake_in_a_question_is_raised_not_logged(two: Lab) -> None:
    with pytest.raises(UsageError, match="neither a frame"):
        nic(two).sr1(Raw(b"abc"))


@pytest.mark.parametrize("data", [b"", b"abc", bytes(13), bytes(14)])
def test_short_frames_travel_and_are_dropped_by_name(two: Lab, data: bytes) -> None:
    assert nic(two).send(data) == len(data)
    two.advance("1s")
    assert two.report().drops


def test_two_labs_are_not_mixed(two: Lab, far: Lab) -> None:
    with pytest.raises(UsageError, match="two labs"):
        scapy.sendrecv.sniff(opened_socket=[nic(two), nic(far)], timeout=1)
