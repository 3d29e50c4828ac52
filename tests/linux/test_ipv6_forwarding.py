"""What a Linux router does with IPv6 packets of others, and whom it tells."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_Redirect,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptRedirectedHdr,
    ICMPv6NDOptSrcLLAddr,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.linux.kit import MS, Lab, Probe, S, address, drops, ip6, nud_of, to_host
from tests.linux.test_ipv6_headers import FAR, OURS, PEER, router6
from vnet.base.ids import ip_from_text, mac_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.tables.fib import Nexthop, Route, RouteType
from vnet.tables.neigh import Nud
from vnet.tables.redirects import RedirectCache

ECHO = ICMPv6EchoRequest(id=7, data=b"data")
NOWHERE = "fd00:99::1"


# -- what goes on, and what does not


def test_a_packet_goes_on_with_one_hop_less() -> None:
    _lab, _machine, probe, far = router6()
    probe.send(to_host(probe, ip6(PEER, FAR, hlim=9) / ECHO))
    (passed,) = far.of(ICMPv6EchoRequest)
    assert passed[IPv6].hlim == 8


@pytest.mark.parametrize("hop_limit", [0, 1])
def test_the_last_hop_is_told(hop_limit: int) -> None:
    _lab, machine, probe, _far = router6()
    probe.send(to_host(probe, ip6(PEER, FAR, hlim=hop_limit) / ECHO))
    (told,) = probe.of(ICMPv6TimeExceeded)
    assert told[IPv6].src == OURS
    assert drops(machine.interface("eth1").device) == {"ttl-exceeded": 1}


def test_no_route_is_told_before_the_hop_limit_is_looked_at() -> None:
    _lab, _machine, probe, _far = router6()
    probe.send(to_host(probe, ip6(PEER, NOWHERE, hlim=1) / ECHO))
    (told,) = probe.of(ICMPv6DestUnreach)
    assert told[ICMPv6DestUnreach].code == 0


def test_a_host_that_does_not_forward_still_says_that_there_is_no_route() -> None:
    _lab, machine, probe, far = router6()
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 0
    probe.send(to_host(probe, ip6(PEER, NOWHERE) / ECHO))
    assert [p[ICMPv6DestUnreach].code for p in probe.of(ICMPv6DestUnreach)] == [0]
    probe.forget()
    probe.send(to_host(probe, ip6(PEER, FAR) / ECHO))
    assert probe.heard == far.heard == []


def test_a_link_local_source_does_not_leave_its_link() -> None:
    """Beyond scope, 1/2; but where there is no route at all that comes first."""
    _lab, _machine, probe, far = router6()
    for target, code in ((FAR, 2), (NOWHERE, 0)):
        probe.forget()
        probe.send(to_host(probe, ip6("fe80::2", target) / ECHO))
        (told,) = probe.of(ICMPv6DestUnreach)
        assert told[ICMPv6DestUnreach].code == code
        assert told[IPv6].src == "fe80::ff:fe00:1"
    assert far.heard == []


def test_a_link_local_target_is_sent_back_to_its_own_link() -> None:
    _lab, _machine, probe, far = router6()
    probe.send(to_host(probe, ip6("fe80::7", "fe80::2") / ECHO))
    assert len(probe.of(ICMPv6EchoRequest)) == 1
    assert far.heard == []


def test_our_own_address_as_source_proves_nothing() -> None:
    """Unlike IPv4, IPv6 of Linux has no check for it."""
    _lab, _machine, probe, far = router6()
    probe.send(to_host(probe, ip6(OURS, FAR) / ECHO))
    assert len(far.of(ICMPv6EchoRequest)) == 1


@pytest.mark.parametrize(
    ("source", "target", "word"),
    [
        ("::1", OURS, "martian-source"),
        ("ff02::5", OURS, "martian-source"),
        (PEER, "::1", "martian-target"),
    ],
)
def test_addresses_that_never_travel(source: str, target: str, word: str) -> None:
    _lab, machine, probe, _far = router6()
    mac = "33:33:00:00:00:01" if target.startswith("ff") else "02:00:00:00:00:01"
    probe.send(Ether(src=probe.mac, dst=mac) / ip6(source, target) / ECHO)
    assert probe.heard == []
    assert drops(machine.interface("eth1").device) == {word: 1}


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        pytest.param(ICMPv6DestUnreach() / ip6(FAR, PEER) / ECHO, False, id="an error"),
        pytest.param(ICMPv6ND_NA(tgt=PEER), True, id="an advertisement"),
        pytest.param(ICMPv6ND_Redirect(tgt="fe80::1", dst=PEER), True, id="a redirect"),
        pytest.param(
            IPv6ExtHdrFragment(id=1, offset=10, nh=58) / Raw(bytes(16)), True, id="a later fragment"
        ),
        pytest.param(
            IPv6ExtHdrFragment(id=1, m=1, nh=58) / Raw(bytes(16)), False, id="an error's beginning"
        ),
    ],
)
def test_whose_sender_is_told_of_a_failure(payload: Any, told: bool) -> None:
    _lab, _machine, probe, _far = router6()
    probe.send(to_host(probe, ip6(PEER, NOWHERE) / payload))
    assert (len(probe.of(ICMPv6DestUnreach)) == 1) is told


def test_nobody_is_told_of_a_frame_that_was_for_many() -> None:
    _lab, machine, probe, far = router6()
    for target in (FAR, NOWHERE):
        probe.send(Ether(src=probe.mac, dst="33:33:00:00:00:01") / ip6(PEER, target) / ECHO)
    assert probe.heard == far.heard == []
    assert drops(machine.interface("eth1").device) == {"ip-not-forwardable": 1, "no-route": 1}


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        (RouteType.UNREACHABLE, [0]),
        (RouteType.PROHIBIT, [1]),
        (RouteType.BLACKHOLE, []),
        (RouteType.THROW, [0]),
    ],
)
def test_routes_that_lead_nowhere(kind: RouteType, codes: list[int]) -> None:
    _lab, machine, probe, _far = router6()
    machine.routes.add(Route(ip_from_text("fd00:99::"), 64, type=kind, metric=1024))
    probe.send(to_host(probe, ip6(PEER, NOWHERE) / ECHO))
    assert [p[ICMPv6DestUnreach].code for p in probe.of(ICMPv6DestUnreach)] == codes
    assert drops(machine.interface("eth1").device) == {"no-route": 1}


def test_a_silent_neighbour_is_reported_from_where_the_packet_came_in() -> None:
    """Also where the way back to its sender is another."""
    lab, machine, probe, far = router6()
    back = Nexthop(machine.interface("eth2").device, ip_from_text("fd00:2::2"))
    machine.routes.add(Route(ip_from_text("fd00:77::"), 64, (back,), metric=1024))
    probe.send(to_host(probe, ip6("fd00:77::1", "fd00:2::9") / ECHO))
    lab.run(4 * S)
    (told,) = far.of(ICMPv6DestUnreach)
    assert told[ICMPv6DestUnreach].code == 3
    assert (told[IPv6].src, told[IPv6].dst) == (OURS, "fd00:77::1")


# -- how often errors are told


def test_errors_to_one_host_come_six_at_once_and_then_one_in_a_tenth_of_a_second() -> None:
    lab, _machine, probe, _far = router6()
    for _ in range(20):
        probe.send(to_host(probe, ip6(PEER, NOWHERE) / ECHO))
        lab.run(20 * MS)
    assert len(probe.of(ICMPv6DestUnreach)) == 6 + 3


def test_too_big_is_told_without_limit_and_the_mask_says_what_is_limited() -> None:
    lab, machine, probe, _far = router6()
    machine.set_mtu("eth2", 1300)
    for _ in range(10):
        probe.send(to_host(probe, ip6(PEER, FAR) / ICMPv6EchoRequest(data=bytes(1400))))
    assert len(probe.heard) == 10
    probe.forget()
    machine.sysctls["net.ipv6.icmp.ratemask"] = "2"
    for _ in range(10):
        probe.send(to_host(probe, ip6(PEER, NOWHERE) / ECHO))
    assert len(probe.of(ICMPv6DestUnreach)) == 10
    lab.run(0)


# -- redirects


def test_a_packet_that_leaves_as_it_came_brings_its_sender_a_redirect() -> None:
    _lab, machine, probe, _far = router6()
    machine.add_route(ip_from_text("fd00:5::"), 64, gateway=ip_from_text("fe80::2"), device="eth1")
    sent = to_host(probe, ip6(PEER, "fd00:5::9") / ECHO)
    probe.send(sent)
    (told,) = probe.of(ICMPv6ND_Redirect)
    assert (told[IPv6].src, told[IPv6].dst, told[IPv6].hlim) == ("fe80::ff:fe00:1", PEER, 255)
    assert (told[ICMPv6ND_Redirect].tgt, told[ICMPv6ND_Redirect].dst) == ("fe80::2", "fd00:5::9")
    assert told[ICMPv6NDOptDstLLAddr].lladdr == probe.mac
    quoted = bytes(told[ICMPv6NDOptRedirectedHdr].pkt)
    assert quoted == bytes(sent)[14:][: len(quoted)]
    assert len(probe.of(ICMPv6EchoRequest)) == 2, "the packet, and its quotation"


def test_redirects_to_one_destination_come_six_at_once_and_then_once_a_second() -> None:
    lab, _machine, probe, _far = router6()
    for _ in range(20):
        probe.send(to_host(probe, ip6("fe80::2", "fe80::7") / ECHO))
        lab.run(100 * MS)
    assert len(probe.of(ICMPv6ND_Redirect)) == 6 + 1


def host6(**conf: int) -> tuple[Lab, Namespace, Probe]:
    """A host whose default router is fe80::9 at the probe."""
    lab = Lab()
    machine = lab.machine("host")
    for name, value in conf.items():
        machine.sysctls[f"net.ipv6.conf.default.{name}"] = value
    probe = lab.probe(machine, "eth0", ipv6=True)
    address(machine, "eth0", "fd00:1::1/64")
    machine.add_route(ip_from_text("::"), 0, gateway=ip_from_text("fe80::9"), device="eth0")
    table = machine.interface("eth0").nd_cache.table
    table.set_permanent(ip_from_text("fe80::9"), mac_from_text(probe.mac), 0)
    lab.run(4 * S)
    probe.forget()
    return lab, machine, probe


BETTER = "0a:00:00:00:00:77"


def redirect(probe: Probe, source: str = "fe80::9", target: str = "fe80::7") -> None:
    told = ICMPv6ND_Redirect(tgt=target, dst=FAR) / ICMPv6NDOptDstLLAddr(lladdr=BETTER)
    probe.send(to_host(probe, ip6(source, OURS, hlim=255) / told))


def first_hop(lab: Lab, machine: Namespace, probe: Probe) -> str:
    probe.forget()
    machine.ipv6.send(bytes(ip6(OURS, FAR) / ECHO))
    lab.run(0)
    return str(probe.of(ICMPv6EchoRequest)[0].dst)


@pytest.mark.parametrize("target", ["fe80::7", FAR])
def test_a_redirect_of_the_first_hop_is_followed(target: str) -> None:
    lab, machine, probe = host6()
    assert first_hop(lab, machine, probe) == probe.mac
    redirect(probe, target=target)
    assert first_hop(lab, machine, probe) == BETTER
    assert nud_of(machine.interface("eth0"), target) is Nud.DELAY


@pytest.mark.parametrize(
    ("source", "target", "conf"),
    [
        pytest.param("fe80::8", "fe80::7", {}, id="from another router"),
        pytest.param("fe80::9", "fd00:1::7", {}, id="to a router without a link-local address"),
        pytest.param("fe80::9", "fe80::7", {"accept_redirects": 0}, id="where none are accepted"),
        pytest.param("fe80::9", "fe80::7", {"forwarding": 1}, id="by a router"),
    ],
)
def test_a_redirect_that_is_not_followed(source: str, target: str, conf: dict[str, int]) -> None:
    lab, machine, probe = host6(**conf)
    redirect(probe, source, target)
    assert first_hop(lab, machine, probe) == probe.mac


def test_a_redirect_is_forgotten_when_nobody_uses_it_for_a_minute() -> None:
    lab, machine, probe = host6()
    redirect(probe)
    lab.run(50 * S)
    assert first_hop(lab, machine, probe) == BETTER
    lab.run(61 * S)
    assert first_hop(lab, machine, probe) == probe.mac


def test_redirects_are_as_many_as_there_is_room_for() -> None:
    cache = RedirectCache()
    for number in range(3000):
        cache.learn(number.to_bytes(16, "big"), b"hop", b"gateway", 0)
    assert len(cache) == 1024
    assert cache.next_hop((2999).to_bytes(16, "big"), b"gateway", 0) == b"hop"
    assert cache.next_hop((2999).to_bytes(16, "big"), b"another", 0) == b"another"


# -- whom a router answers for


def ask(probe: Probe, target: str, group: str, mac: str) -> None:
    question = ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    probe.send(Ether(src=probe.mac, dst=mac) / ip6(PEER, group, hlim=255) / question)


def proxying(*, router: bool = False) -> tuple[Lab, Namespace, Probe]:
    lab, machine, probe, _far = router6()
    for device in ("all", "eth1"):
        machine.sysctls[f"net.ipv6.conf.{device}.proxy_ndp"] = 1
    machine.interface("eth1").nd_cache.add_proxied(ip_from_text("fd00:1::50"), router=router)
    lab.run(2 * S)
    probe.forget()
    return lab, machine, probe


@pytest.mark.parametrize("router", [False, True])
def test_a_proxied_neighbour_is_answered_for_after_a_moment_and_overrides_nothing(
    router: bool,
) -> None:
    lab, _machine, probe = proxying(router=router)
    ask(probe, "fd00:1::50", "ff02::1:ff00:50", "33:33:ff:00:00:50")
    assert probe.heard == []
    lab.run(810 * MS)
    (answer,) = probe.of(ICMPv6ND_NA)
    said = answer[ICMPv6ND_NA]
    assert (said.tgt, said.R, said.S, said.O) == ("fd00:1::50", int(router), 1, 0)
    assert (answer[IPv6].src, answer[IPv6].dst) == (OURS, PEER)
    assert answer[ICMPv6NDOptDstLLAddr].lladdr == "02:00:00:00:00:01"


def test_a_question_to_the_proxy_alone_is_answered_at_once_and_without_the_mac() -> None:
    _lab, _machine, probe = proxying()
    ask(probe, "fd00:1::50", "fd00:1::50", "02:00:00:00:00:01")
    (answer,) = probe.of(ICMPv6ND_NA)
    assert (answer[ICMPv6ND_NA].S, answer[ICMPv6ND_NA].O) == (1, 0)
    assert not answer.haslayer(ICMPv6NDOptDstLLAddr)


def test_nobody_is_answered_for_unless_that_is_switched_on() -> None:
    lab, machine, probe = proxying()
    for device in ("all", "eth1"):
        machine.sysctls[f"net.ipv6.conf.{device}.proxy_ndp"] = 0
    ask(probe, "fd00:1::50", "ff02::1:ff00:50", "33:33:ff:00:00:50")
    lab.run(2 * S)
    assert probe.of(ICMPv6ND_NA) == []


def test_a_subnets_router_answers_to_the_subnets_own_address() -> None:
    """RFC 4291 section 2.6.1, from its own address."""
    lab, _machine, probe, _far = router6()
    ask(probe, "fd00:1::", "ff02::1:ff00:0", "33:33:ff:00:00:00")
    lab.run(2 * S)
    (answer,) = probe.of(ICMPv6ND_NA)
    said = answer[ICMPv6ND_NA]
    assert (said.tgt, said.R, said.S, said.O) == ("fd00:1::", 1, 1, 0)
    for target in ("fd00:1::", "fd00:2::"):
        probe.forget()
        probe.send(to_host(probe, ip6(PEER, target) / ECHO))
        (reply,) = probe.of(ICMPv6EchoReply)
        assert reply[IPv6].src == OURS
