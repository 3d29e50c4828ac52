"""ARP and neighbour states as Linux keeps time for them, one fact a test."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether

from tests.linux.kit import BROADCAST, MS, Lab, Probe, S, dropped, host, ip, nud_of, to_host
from vnet.base.ids import IpAddress, ip_from_text, mac_from_text
from vnet.linux.netns import drops
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.errors import SocketError
from vnet.tables.neigh import Nud
from vnet.wire import icmp, ipv4

PEER = "10.0.0.2"


def send_ping(machine: Namespace, target: str, sequence: int = 1) -> None:
    request = icmp.emit(icmp.Icmp(icmp.ECHO_REQUEST, 0, bytes((0, 7, 0, sequence)), b"ping"))
    source = machine.interface("eth0").addresses[0].ip
    machine.ipv4.send(ipv4.emit(source, ip_from_text(target), icmp.PROTOCOL, request, ident=1))


def state(machine: Namespace, text: str = PEER) -> Nud | None:
    return nud_of(machine.interface("eth0"), text)


def advance_to(lab: Lab, time_ms: float) -> None:
    lab.scheduler.run(int(time_ms * MS))


def test_three_broadcasts_one_second_and_24_ms_apart_then_failure() -> None:
    lab = Lab()
    machine, probe = host(lab)
    send_ping(machine, PEER)
    advance_to(lab, 3_071)
    assert state(machine) is Nud.INCOMPLETE
    advance_to(lab, 3_072)
    assert state(machine) is Nud.FAILED
    lab.run(10 * S)
    assert probe.times_ms(ARP) == [0, 1_024, 2_048]
    for request in probe.of(ARP):
        assert request.dst == BROADCAST
        assert (request[ARP].psrc, request[ARP].pdst) == ("10.0.0.1", PEER)
        assert request[ARP].hwdst == "00:00:00:00:00:00"


def test_every_queued_packet_is_answered_with_host_unreachable_when_nobody_is() -> None:
    lab = Lab()
    machine, _probe = host(lab)
    errors: list[tuple[float, SocketError]] = []
    machine.sockets.open_echo(7, lambda _: None, lambda e: errors.append((lab.now_ms, e)))
    for sequence in (1, 2, 3):
        send_ping(machine, PEER, sequence)
    lab.run(4 * S)
    assert [(time, e.sequence, e.text) for time, e in errors] == [
        (3_072, 1, "Destination Host Unreachable"),
        (3_072, 2, "Destination Host Unreachable"),
        (3_072, 3, "Destination Host Unreachable"),
    ]
    assert dropped(machine, drops.NO_NEIGHBOR) == 3


def test_the_queue_holds_101_packets_and_then_drops_the_oldest() -> None:
    lab = Lab()
    machine, probe = host(lab)
    for sequence in range(103):
        send_ping(machine, PEER, sequence)
    assert dropped(machine, drops.NEIGHBOR_QUEUE_FULL) == 2
    probe.send(to_host(probe, ARP(op=2, hwsrc=probe.mac, psrc=PEER, pdst="10.0.0.1")))
    assert [p[ICMP].seq for p in probe.of(ICMP)] == list(range(2, 103))


def test_an_answer_makes_the_neighbour_reachable_and_sends_what_waited() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp(PEER)
    send_ping(machine, PEER)
    lab.run(MS)
    assert state(machine) is Nud.REACHABLE
    (ping,) = probe.of(ICMP)
    assert ping.dst == probe.mac


def asked_by_the_peer(lab: Lab) -> tuple[Namespace, Probe]:
    """A host that has just answered the peer's request, and its ping."""
    machine, probe = host(lab)
    who_has = ARP(op=1, hwsrc=probe.mac, psrc=PEER, pdst="10.0.0.1")
    probe.send(Ether(src=probe.mac, dst=BROADCAST) / who_has)
    return machine, probe


def test_whoever_asks_is_known_as_stale() -> None:
    lab = Lab()
    machine, probe = asked_by_the_peer(lab)
    assert state(machine) is Nud.STALE
    (reply,) = probe.of(ARP)
    assert (reply[ARP].op, reply.dst, reply[ARP].psrc) == (2, probe.mac, "10.0.0.1")


def test_a_responder_probes_by_unicast_about_five_seconds_later() -> None:
    lab = Lab()
    machine, probe = asked_by_the_peer(lab)
    probe.forget()
    probe.send(to_host(probe, ip(PEER, "10.0.0.1") / ICMP()))
    assert state(machine) is Nud.DELAY
    probe.answers_arp(PEER)
    advance_to(lab, 5_119)
    assert state(machine) is Nud.DELAY
    advance_to(lab, 5_121)
    assert state(machine) is Nud.REACHABLE
    (request,) = probe.of(ARP)
    assert probe.times_ms(ARP) == [5_120]
    assert (request[ARP].op, request.dst) == (1, probe.mac)


def test_a_probe_nobody_answers_fails_after_three_tries() -> None:
    lab = Lab()
    machine, probe = asked_by_the_peer(lab)
    probe.send(to_host(probe, ip(PEER, "10.0.0.1") / ICMP()))
    probe.forget()
    advance_to(lab, 5_130)
    assert state(machine) is Nud.PROBE
    advance_to(lab, 9_000)
    assert state(machine) is Nud.FAILED
    assert probe.times_ms(ARP) == [5_120, 6_144, 7_168]
    assert {p.dst for p in probe.of(ARP)} == {probe.mac}


def test_a_reachable_neighbour_goes_stale_when_left_alone() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp(PEER)
    send_ping(machine, PEER)
    lab.run(MS)
    reachable_ns = machine.interface("eth0").arp_cache.table.reachable_ns
    assert 15 * S <= reachable_ns < 45 * S
    lab.run(reachable_ns - 10 * MS)
    assert state(machine) is Nud.REACHABLE
    lab.run(reachable_ns // 8 + 10 * MS)
    assert state(machine) is Nud.STALE
    send_ping(machine, PEER)
    assert state(machine) is Nud.DELAY


def test_a_reachable_neighbour_in_use_is_doubted_without_a_stop() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp(PEER)
    seen = set()
    for _ in range(60):
        send_ping(machine, PEER)
        lab.run(S)
        seen.add(state(machine))
    assert seen == {Nud.REACHABLE, Nud.DELAY}
    assert len(probe.of(ICMP)) == 60


def test_a_stale_neighbour_is_never_forgotten_while_there_are_few() -> None:
    """The collector does nothing below gc_thresh1."""
    lab = Lab()
    machine, _probe = asked_by_the_peer(lab)
    lab.run(24 * 3600 * S)
    assert state(machine) is Nud.STALE


def test_a_confirmation_from_above_spares_the_probe() -> None:
    lab = Lab()
    machine, probe = asked_by_the_peer(lab)
    probe.forget()
    probe.send(to_host(probe, ip(PEER, "10.0.0.1") / ICMP()))
    lab.run(3 * S)
    request = icmp.emit(icmp.Icmp(icmp.ECHO_REQUEST, 0, b"\0\7\0\1", b""))
    source, target = ip_from_text("10.0.0.1"), ip_from_text(PEER)
    machine.ipv4.send(ipv4.emit(source, target, 1, request, ident=1), confirm=True)
    lab.run(5 * S)
    assert state(machine) is Nud.REACHABLE
    assert probe.of(ARP) == []


# -- who is answered


def ask(probe: Probe, target: str, source: str = PEER) -> list[ARP]:
    probe.forget()
    who_has = ARP(op=1, hwsrc=probe.mac, psrc=source, pdst=target)
    probe.send(Ether(src=probe.mac, dst=BROADCAST) / who_has)
    return [p[ARP] for p in probe.of(ARP) if p[ARP].op == 2]


def test_a_probe_from_the_null_address_is_answered_and_not_remembered() -> None:
    lab = Lab()
    machine, probe = host(lab)
    (answer,) = ask(probe, "10.0.0.1", "0.0.0.0")
    assert (answer.psrc, answer.pdst, answer.hwdst) == ("10.0.0.1", "0.0.0.0", probe.mac)
    assert state(machine, "0.0.0.0") is None


@pytest.mark.parametrize(
    ("target", "source", "why"),
    [
        ("10.0.0.9", PEER, "somebody else's address"),
        ("127.0.0.1", PEER, "a loopback address is on no wire"),
        ("10.0.0.1", "10.0.0.1", "a rival that claims our own address"),
    ],
)
def test_no_answer(target: str, source: str, why: str) -> None:
    lab = Lab()
    machine, probe = host(lab)
    assert ask(probe, target, source) == [], why
    assert dropped(machine, drops.ARP_IGNORED) == 1


def test_the_weak_host_answers_for_the_address_of_another_interface() -> None:
    lab = Lab()
    machine, probe = host(lab)
    second = lab.probe(machine, "eth1", 2)
    machine.add_address("eth1", ip_from_text("192.0.2.1"), 24)
    assert second.heard == []
    assert len(ask(probe, "192.0.2.1")) == 1


def test_a_device_without_arp_neither_asks_nor_answers() -> None:
    lab = Lab()
    machine, probe = host(lab)
    machine.set_flags("eth0", arp=False)
    assert ask(probe, "10.0.0.1") == []
    send_ping(machine, PEER)
    lab.run(0)
    assert probe.of(ARP) == []
    (ping,) = probe.of(IP)
    assert ping.dst == "00:00:00:00:00:00"


def test_a_gratuitous_arp_mends_a_known_neighbour_and_makes_no_new_one() -> None:
    lab = Lab()
    machine, probe = asked_by_the_peer(lab)
    lab.run(2 * S)
    new_mac = "0a:00:00:00:00:99"
    for ip_text in (PEER, "10.0.0.3"):
        claim = ARP(op=1, hwsrc=new_mac, psrc=ip_text, pdst=ip_text)
        probe.send(Ether(src=new_mac, dst=BROADCAST) / claim)
    neighbor = machine.interface("eth0").arp_cache.table.get(ip_from_text(PEER))
    assert neighbor is not None
    assert neighbor.mac == bytes.fromhex("0a0000000099")
    assert state(machine, "10.0.0.3") is None


def test_setting_the_link_down_forgets_the_neighbours() -> None:
    lab = Lab()
    machine, probe = asked_by_the_peer(lab)
    send_ping(machine, "10.0.0.77")
    lab.run(0)
    machine.set_down("eth0")
    assert state(machine) is None
    assert dropped(machine, drops.NO_NEIGHBOR) == 1
    machine.set_up("eth0")
    probe.forget()
    lab.run(5 * S)
    assert probe.of(ARP) == []


def test_an_address_that_is_not_ip_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        IpAddress(ip_from_text("10.0.0"))


@pytest.mark.parametrize("sender", ["224.0.0.1", "255.255.255.255", "127.0.0.5"])
def test_who_cannot_exist_is_neither_answered_nor_remembered(sender: str) -> None:
    """arp_process() asks the routing, which calls such a source a martian."""
    lab = Lab()
    machine, probe = host(lab)
    probe.send(Ether(src=probe.mac, dst=BROADCAST) / ARP(psrc=sender, pdst="10.0.0.1"))
    assert probe.of(ARP) == []
    assert list(machine.interface("eth0").arp_cache.table) == []
    assert dropped(machine, drops.ARP_IGNORED) == 1


@pytest.mark.parametrize("sender", ["10.0.0.255", "0.0.0.9"])
def test_an_unlikely_asker_is_answered_all_the_same(sender: str) -> None:
    """Without rp_filter only our own addresses are looked for among the routes."""
    lab = Lab()
    _machine, probe = host(lab)
    probe.send(Ether(src=probe.mac, dst=BROADCAST) / ARP(psrc=sender, pdst="10.0.0.1"))
    assert [packet.pdst for packet in probe.of(ARP)] == [sender]


def test_a_gratuitous_answer_overrides_at_once_only_with_its_mac_in_both_places() -> None:
    lab = Lab()
    machine, probe = host(lab)
    asked = ARP(psrc="10.0.0.2", pdst="10.0.0.1", hwsrc=probe.mac)
    probe.send(Ether(src=probe.mac, dst=BROADCAST) / asked)
    neighbor = machine.interface("eth0").arp_cache.table.get(ip_from_text("10.0.0.2"))
    assert neighbor is not None
    other = "0e:00:00:00:00:09"
    for target, believed in ((BROADCAST, probe.mac), (other, other)):
        news = ARP(op=2, psrc="10.0.0.2", pdst="10.0.0.2", hwsrc=other, hwdst=target)
        probe.send(Ether(src=other, dst=BROADCAST) / news)
        assert neighbor.mac == mac_from_text(believed)
