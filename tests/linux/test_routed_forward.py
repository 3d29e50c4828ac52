"""A router's decisions about packets that are not for itself. Asked of Linux 6.18."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether

from tests.linux.kit import (
    MS,
    Lab,
    Probe,
    S,
    address,
    dropped,
    host,
    host_mac,
    ip,
    route,
    router,
    to_host,
)
from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text, prefix_from_text
from vnet.linux.netns import drops
from vnet.linux.netns.namespace import Namespace
from vnet.sim.frame import Frame
from vnet.tables.fib import Route, RouteType
from vnet.tables.policy import Rule, RuleAction, RulePrefix
from vnet.wire import ipv4

NEAR, FAR = "10.0.1.1", "10.0.2.1"


def routed() -> tuple[Lab, Namespace, Probe, Probe]:
    """A router whose neighbours are known."""
    lab = Lab()
    machine, near, far = router(lab)
    near.send(to_host(near, ip(NEAR, FAR) / UDP()))
    far.send(to_host(far, ip(FAR, NEAR) / UDP(), 2))
    lab.run(10 * MS)
    near.forget()
    far.forget()
    return lab, machine, near, far


def answers_everything(probe: Probe) -> None:
    """From now on the probe has whatever address is asked for."""

    def answer(frame: Frame) -> None:
        probe.heard.append((probe.device.scheduler.now_ns, frame.data))
        packet = Ether(frame.data)
        if ARP in packet and packet[ARP].op == 1:
            asked = packet[ARP]
            reply = ARP(op=2, hwsrc=probe.mac, psrc=asked.pdst, hwdst=packet.src, pdst=asked.psrc)
            probe.device.transmit(Frame(bytes(Ether(src=probe.mac, dst=packet.src) / reply)))

    probe.device.rx_handler = answer


def add(machine: Namespace, text: str, kind: RouteType = RouteType.UNICAST, **more: object) -> None:
    network, length = prefix_from_text(text)
    machine.routes.add(Route(network, length, type=kind, **more))  # type: ignore[arg-type]


# -- the short way


@given(st.integers(2, 255), st.integers(0, 255), st.binary(max_size=40), st.integers(0, 0xFFFF))
def test_the_short_way_changes_what_the_long_one_changes(
    ttl: int, tos: int, data: bytes, ident: int
) -> None:
    lab, machine, near, far = routed()
    packet = ipv4.emit(
        ip_from_text(NEAR), ip_from_text(FAR), 17, data, ttl=ttl, tos=tos, ident=ident
    )
    assert machine.interface("eth1").roads
    near.send(Ether(src=near.mac, dst="02:00:00:00:00:01", type=0x0800) / packet)
    lab.run(MS)
    (sent,) = [frame for _time, frame in far.heard if frame[12:14] == b"\x08\x00"]
    assert sent[14:] == ipv4.decrement_ttl(packet)
    assert sent[:12] == bytes.fromhex("0a0000000002020000000002")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda p: p.setfieldval("ttl", 1), drops.TTL_EXCEEDED),
        (lambda p: p.setfieldval("chksum", 0x1234), drops.IP_MALFORMED),
        (lambda p: p.setfieldval("len", 900), drops.IP_MALFORMED),
    ],
)
def test_what_is_not_plain_takes_the_long_way(spoil: object, reason: object) -> None:
    lab, machine, near, far = routed()
    packet = ip(NEAR, FAR) / UDP()
    spoil(packet)  # type: ignore[operator]
    near.send(to_host(near, packet))
    lab.run(MS)
    assert dropped(machine, reason) == 1  # type: ignore[arg-type]
    assert far.of(UDP) == []


def test_a_change_of_routes_closes_the_short_way() -> None:
    lab, machine, near, far = routed()
    add(machine, "10.0.2.1/32", RouteType.PROHIBIT)
    near.send(to_host(near, ip(NEAR, FAR) / UDP()))
    lab.run(MS)
    assert far.of(UDP) == []
    assert [(p[ICMP].type, p[ICMP].code) for p in near.of(ICMP)] == [(3, 13)]


# -- types of routes


@pytest.mark.parametrize(
    ("kind", "answers", "reason"),
    [
        (RouteType.PROHIBIT, [(3, 13)], drops.ROUTE_PROHIBITED),
        (RouteType.UNREACHABLE, [(3, 1)], drops.ROUTE_UNREACHABLE),
        (RouteType.BLACKHOLE, [], drops.ROUTE_BLACKHOLE),
        (RouteType.THROW, [(3, 0)], drops.NO_ROUTE),
    ],
)
def test_what_a_router_answers_by_the_type_of_the_route(
    kind: RouteType, answers: list[tuple[int, int]], reason: object
) -> None:
    lab, machine, near, _far = routed()
    add(machine, "203.0.113.0/24", kind)
    near.send(to_host(near, ip(NEAR, "203.0.113.9", ttl=1) / UDP()))
    lab.run(MS)
    assert [(p[ICMP].type, p[ICMP].code) for p in near.of(ICMP)] == answers
    assert dropped(machine, reason) == 1  # type: ignore[arg-type]


def test_a_rule_refuses_what_a_route_would_take() -> None:
    lab, machine, near, far = routed()
    source = RulePrefix(*prefix_from_text("10.0.1.0/24"))
    machine.rules.add(4, Rule(100, RuleAction.PROHIBIT, source=source, iif="eth1"))
    near.send(to_host(near, ip(NEAR, FAR) / UDP()))
    lab.run(MS)
    assert [(p[ICMP].type, p[ICMP].code) for p in near.of(ICMP)] == [(3, 13)]
    assert far.of(UDP) == []


def test_routes_by_type_of_service() -> None:
    lab, machine, near, far = routed()
    add(machine, "10.0.2.1/32", RouteType.BLACKHOLE, tos=0x10)
    for tos in (0, 0x10, 0x13):
        near.send(to_host(near, ip(NEAR, FAR, tos=tos) / UDP()))
    lab.run(MS)
    assert [p[IP].tos for p in far.of(UDP)] == [0]
    assert dropped(machine, drops.ROUTE_BLACKHOLE) == 2


def test_an_address_of_nobody_may_be_made_ours() -> None:
    """``ip route add local NETWORK dev lo``: the machine answers for all of it."""
    lab, machine, near, _far = routed()
    hop = machine.routes.nexthop("lo", None)
    network, length = prefix_from_text("192.0.2.0/24")
    local = Route(network, length, (hop,), type=RouteType.LOCAL, table=255)
    machine.routes.add(local)
    near.send(to_host(near, ip(NEAR, "192.0.2.77") / ICMP()))
    lab.run(MS)
    assert [(p[IP].src, p[ICMP].type) for p in near.of(ICMP)] == [("192.0.2.77", 0)]


# -- equal-cost paths


def test_flows_are_dealt_out_and_each_keeps_its_path() -> None:
    lab, machine, near, far = routed()
    third = lab.probe(machine, "eth3", 3)
    address(machine, "eth3", "10.0.3.254/24")
    third.answers_arp("10.0.3.1")
    routes = machine.routes
    hops = tuple(
        routes.nexthop(None, ip_from_text(gateway), weight=weight)
        for gateway, weight in ((FAR, 2), ("10.0.3.1", 1))
    )
    network, length = prefix_from_text("203.0.113.0/24")
    routes.add(Route(network, length, hops))
    for _ in range(2):
        for number in range(1, 61):
            near.send(to_host(near, ip(NEAR, f"203.0.113.{number}") / UDP()))
    lab.run(S)
    taken = [{p[IP].dst for p in probe.of(UDP)} for probe in (far, third)]
    assert not taken[0] & taken[1]
    assert len(taken[0] | taken[1]) == 60
    assert len(taken[0]) > len(taken[1]) > 5
    assert set(Counter(p[IP].dst for p in far.of(UDP)).values()) == {2}


def test_a_path_whose_device_is_down_is_left_out() -> None:
    lab, machine, near, far = routed()
    lab.probe(machine, "eth3", 3)
    address(machine, "eth3", "10.0.3.254/24")
    hops = tuple(
        machine.routes.nexthop(None, ip_from_text(gateway)) for gateway in (FAR, "10.0.3.1")
    )
    network, length = prefix_from_text("203.0.113.0/24")
    machine.routes.add(Route(network, length, hops))
    machine.set_down("eth3")
    for number in range(1, 21):
        near.send(to_host(near, ip(NEAR, f"203.0.113.{number}") / UDP()))
    lab.run(S)
    assert len(far.of(UDP)) == 20


# -- the source


@pytest.mark.parametrize(("mode", "passes"), [(0, True), (1, False), (2, False)])
def test_rp_filter_asks_for_a_way_back(mode: int, passes: bool) -> None:
    lab, machine, near, far = routed()
    machine.sysctls["net.ipv4.conf.eth1.rp_filter"] = mode
    near.send(to_host(near, ip("9.9.9.9", FAR) / UDP()))
    lab.run(MS)
    assert bool(far.of(UDP)) is passes
    assert dropped(machine, drops.RP_FILTER) == (not passes)


@pytest.mark.parametrize(("mode", "passes"), [(0, True), (1, False), (2, True)])
def test_only_strict_rp_filter_asks_for_the_same_interface(mode: int, passes: bool) -> None:
    lab, machine, near, far = routed()
    machine.sysctls["net.ipv4.conf.all.rp_filter"] = mode
    near.send(to_host(near, ip("10.0.2.9", FAR) / UDP()))
    lab.run(MS)
    assert bool(far.of(UDP)) is passes


def test_our_own_address_comes_in_only_where_it_is_accepted() -> None:
    lab, machine, near, far = routed()
    land = ip("10.0.1.254", FAR) / UDP()
    near.send(to_host(near, land))
    machine.sysctls["net.ipv4.conf.eth1.accept_local"] = 1
    near.send(to_host(near, land))
    lab.run(MS)
    assert dropped(machine, drops.MARTIAN_SOURCE) == 1
    assert len(far.of(UDP)) == 1


def test_martians_are_logged_on_request() -> None:
    lab, machine, near, _far = routed()
    machine.sysctls["net.ipv4.conf.eth1.log_martians"] = 1
    near.send(to_host(near, ip("10.0.1.254", FAR) / UDP()))
    near.send(to_host(near, ip(NEAR, "127.0.0.5") / UDP()))
    near.send(Ether(src=near.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc="10.0.1.254", pdst=FAR))
    lab.run(MS)
    near_header = f"{host_mac(1)} {near.mac} 08:00".replace(":", " ")
    said = [text for _time, text in machine.log]
    assert said == [
        f"IPv4: martian source {FAR} from 10.0.1.254, on dev eth1",
        f"ll header: 00000000: {near_header}",
        f"IPv4: martian destination 127.0.0.5 from {NEAR}, dev eth1",
        f"IPv4: martian source {FAR} from 10.0.1.254, on dev eth1",
        f"ll header: 00000000: ff ff ff ff ff ff {near.mac.replace(':', ' ')} 08 06",
    ]


def test_loopback_addresses_travel_where_route_localnet_lets_them() -> None:
    lab, machine, near, _far = routed()
    machine.sysctls["net.ipv4.conf.eth1.route_localnet"] = 1
    near.send(to_host(near, ip(NEAR, "127.0.0.5") / ICMP()))
    lab.run(MS)
    assert [p[IP].src for p in near.of(ICMP)] == ["127.0.0.5"]


# -- loops


def test_two_routers_that_send_a_packet_to_each_other_let_it_die() -> None:
    lab = Lab()
    machine, near, _far = router(lab)
    other = lab.machine("other")
    other.sysctls["net.ipv4.ip_forward"] = 1
    lab.join(machine, "eth3", other, "eth0")
    address(machine, "eth3", "10.0.3.1/24")
    address(other, "eth0", "10.0.3.2/24")
    other.add_route(*prefix_from_text("10.0.1.0/24"), gateway=ip_from_text("10.0.3.1"))
    for one, gateway in ((machine, "10.0.3.2"), (other, "10.0.3.1")):
        one.add_route(*prefix_from_text("203.0.113.0/24"), gateway=ip_from_text(gateway))
    near.send(to_host(near, ip(NEAR, "203.0.113.9", ttl=64) / UDP()))
    lab.run(S)
    died = dropped(machine, drops.TTL_EXCEEDED) + dropped(other, drops.TTL_EXCEEDED)
    assert died == 1
    assert len([p for p in near.of(ICMP) if p[ICMP].type == 11]) == 1


# -- what a router answers for others


def test_unreachable_answers_use_up_two_tokens_each() -> None:
    """A peer has five seconds' worth for them; the errors themselves take from the same store."""
    lab, _machine, near, _far = routed()
    for _ in range(30):
        near.send(to_host(near, ip(NEAR, "172.16.0.9") / UDP()))
        lab.run(10 * MS)
    assert len(near.of(ICMP)) == 2


def test_errors_come_from_the_interface_that_faces_the_sender_or_took_the_packet() -> None:
    lab, machine, near, _far = routed()
    add_address = machine.add_address
    add_address("eth1", ip_from_text("10.0.9.254"), 24)
    near.send(to_host(near, ip("10.0.2.77", FAR, ttl=1) / UDP()))
    machine.sysctls["net.ipv4.icmp_errors_use_inbound_ifaddr"] = 1
    near.send(to_host(near, ip("10.0.2.77", FAR, ttl=1) / UDP()))
    lab.run(S)
    assert machine.interface("eth2").arp_cache.table.get(ip_from_text("10.0.2.77")) is not None


@pytest.mark.parametrize("pvlan", [0, 1])
def test_proxy_arp_within_one_link_is_for_private_vlans(pvlan: int) -> None:
    lab, machine, near, _far = routed()
    machine.sysctls["net.ipv4.conf.eth1.proxy_arp"] = 1
    machine.sysctls["net.ipv4.conf.eth1.proxy_arp_pvlan"] = pvlan
    ask = ARP(psrc=NEAR, pdst="10.0.1.77", hwsrc=near.mac)
    near.send(Ether(src=near.mac, dst="ff:ff:ff:ff:ff:ff") / ask)
    lab.run(S)
    assert len([p for p in near.of(ARP) if p[ARP].op == 2]) == pvlan


def test_proxy_arp_waits_up_to_proxy_delay_and_not_for_who_asks_it_alone() -> None:
    lab, machine, near, _far = routed()
    machine.sysctls["net.ipv4.conf.eth1.proxy_arp"] = 1
    for target in ("ff:ff:ff:ff:ff:ff", "02:00:00:00:00:01"):
        ask = ARP(psrc=NEAR, pdst="10.0.2.77", hwsrc=near.mac)
        near.forget()
        begun = lab.now_ms
        near.send(Ether(src=near.mac, dst=target) / ask)
        lab.run(S)
        (answered,) = near.times_ms(ARP)[-1:]
        assert answered - begun <= (840 if target[0] == "f" else 0)


def test_a_redirect_names_the_better_way_and_the_packet_goes_on() -> None:
    lab, machine, near, _far = routed()
    answers_everything(near)
    machine.add_route(*prefix_from_text("203.0.113.0/24"), gateway=ip_from_text("10.0.1.7"))
    for _ in range(12):
        near.send(to_host(near, ip(NEAR, "203.0.113.9", ttl=9) / UDP()))
        lab.run(30 * S // 1000)
    redirects = [p for p in near.of(ICMP) if p[ICMP].type == 5]
    assert redirects[0][ICMP].code == 1
    assert redirects[0][ICMP].gw == "10.0.1.7"
    assert bytes(redirects[0][ICMP].payload)[8] == 8  # the quoted TTL, decremented
    assert len([p for p in near.of(UDP) if p[IP].ttl == 8 and ICMP not in p]) == 12


def test_a_gateway_gives_up_redirecting_who_does_not_listen() -> None:
    lab, machine, near, _far = routed()
    answers_everything(near)
    machine.add_route(*prefix_from_text("203.0.113.0/24"), gateway=ip_from_text("10.0.1.7"))
    for _ in range(200):
        near.send(to_host(near, ip(NEAR, "203.0.113.9", ttl=9) / UDP()))
        lab.run(60 * MS)
    assert len([p for p in near.of(ICMP) if p[ICMP].type == 5]) == 9
    near.forget()
    lab.run(21 * S)
    near.send(to_host(near, ip(NEAR, "203.0.113.9", ttl=9) / UDP()))
    lab.run(MS)
    assert len([p for p in near.of(ICMP) if p[ICMP].type == 5]) == 1


# -- our own packets


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (RouteType.PROHIBIT, "Permission denied"),
        (RouteType.UNREACHABLE, "No route to host"),
        (RouteType.BLACKHOLE, "Invalid argument"),
    ],
)
def test_what_a_socket_is_told_of_a_way_that_leads_nowhere(kind: RouteType, words: str) -> None:
    _lab, machine, _near, _far = routed()
    add(machine, "203.0.113.0/24", kind)
    with pytest.raises(UsageError, match=words):
        machine.sockets.source_for(ip_from_text("203.0.113.9"))


def test_a_path_too_small_to_believe_has_its_packets_cut() -> None:
    """Below min_pmtu the path counts as 552 bytes, and packets may be fragmented again."""
    lab, machine, near, _far = routed()
    target = ip_from_text(NEAR)
    assert machine.ipv4.learn_mtu(target, 300)
    assert machine.ipv4.mtu_to(target) == 552
    machine.sockets.open_udp(lambda *_: None).send_to(target, 9, bytes(1000))
    machine.sockets.open_udp(lambda *_: None).send_to(target, 9, bytes(100))
    lab.run(MS)
    sent = [p[IP] for p in near.packets if IP in p]
    assert [(p.len, int(p.flags)) for p in sent] == [(548, 1), (500, 0), (128, 0)]
    lab.run(601 * S)
    assert machine.ipv4.mtu_to(target) == 1500


def test_a_better_gateway_is_taken_once_it_answers_and_forgotten_again() -> None:
    lab = Lab()
    machine, probe = host(lab)
    answers_everything(probe)
    route(machine, "0.0.0.0/0", "10.0.0.254")
    machine.sockets.open_udp(lambda *_: None).send_to(ip_from_text("203.0.113.9"), 9, b"x")
    lab.run(MS)
    quoted = ip("10.0.0.1", "203.0.113.9") / UDP(sport=40000, dport=9)
    redirect = ip("10.0.0.254", "10.0.0.1") / ICMP(type=5, code=1, gw="10.0.0.253") / quoted
    for expected in ("10.0.0.254", "10.0.0.253"):
        probe.send(to_host(probe, redirect))
        lab.run(MS)
        way = machine.ipv4.way_to(ip_from_text("203.0.113.9"))
        assert way is not None
        assert way[1] == ip_from_text(expected)
    lab.run(301 * S)
    way = machine.ipv4.way_to(ip_from_text("203.0.113.9"))
    assert way is not None
    assert way[1] == ip_from_text("10.0.0.254")


@pytest.mark.parametrize(
    ("sender", "gateway"),
    [("10.0.0.253", "10.0.0.252"), ("10.0.0.254", "192.0.2.1"), ("10.0.0.254", "10.0.0.255")],
)
def test_redirects_that_are_not_believed(sender: str, gateway: str) -> None:
    lab = Lab()
    machine, probe = host(lab)
    answers_everything(probe)
    route(machine, "0.0.0.0/0", "10.0.0.254")
    quoted = ip("10.0.0.1", "203.0.113.9") / UDP(sport=40000, dport=9)
    machine.sysctls["net.ipv4.conf.all.shared_media"] = 0
    machine.sysctls["net.ipv4.conf.eth0.shared_media"] = 0
    redirect = ip(sender, "10.0.0.1") / ICMP(type=5, code=1, gw=gateway) / quoted
    for _ in range(2):
        probe.send(to_host(probe, redirect))
        lab.run(MS)
    assert dropped(machine, drops.REDIRECT_REFUSED) == 2
