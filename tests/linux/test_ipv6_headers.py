"""Extension headers and fragments as Linux takes them, one fact a test; each was seen there."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (
    HAO,
    HBHOptUnknown,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ParamProblem,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    PadN,
    RouterAlert,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.linux.kit import Lab, Probe, S, address, drops, ip6, to_host
from vnet.base.ids import ip_from_text, mac_from_text
from vnet.linux.netns.namespace import Namespace

OURS, PEER, FAR = "fd00:1::1", "fd00:1::2", "fd00:2::2"
ALL_NODES = "33:33:00:00:00:01"


def router6() -> tuple[Lab, Namespace, Probe, Probe]:
    """A router between fd00:1::/64 and fd00:2::/64, who knows the ::2 in both."""
    lab = Lab()
    machine = lab.machine("router")
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
    probes = []
    for number in (1, 2):
        name = f"eth{number}"
        probe = lab.probe(machine, name, number, ipv6=True)
        address(machine, name, f"fd00:{number}::1/64")
        table = machine.interface(name).nd_cache.table
        for text in (f"fd00:{number}::2", "fe80::2"):
            table.set_permanent(ip_from_text(text), mac_from_text(probe.mac), 0)
        probes.append(probe)
    lab.run(4 * S)
    for probe in probes:
        probe.forget()
    return lab, machine, probes[0], probes[1]


def hop(*options: Any) -> Any:
    return IPv6ExtHdrHopByHop(options=list(options))


def dest(*options: Any) -> Any:
    return IPv6ExtHdrDestOpt(options=list(options))


def unknown(kind: int) -> Any:
    return HBHOptUnknown(otype=kind, optdata=b"ab")


def echo_bytes(size: int = 8) -> bytes:
    return bytes(ip6(PEER, OURS) / ICMPv6EchoRequest(id=7, data=bytes(size)))[40:]


def header(next_header: int, *body: int) -> bytes:
    return bytes((next_header, (len(body) - 6) // 8, *body))


PAD = PadN(optdata=bytes(4))
ECHO = ICMPv6EchoRequest(id=7, data=bytes(8))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(hop(PAD), id="padding"),
        pytest.param(hop(unknown(0x1E)), id="an unknown hop-by-hop option to be skipped"),
        pytest.param(dest(unknown(0x1E)), id="an unknown destination option to be skipped"),
        pytest.param(hop(RouterAlert(value=0), PadN(optdata=b"")), id="a router alert"),
        pytest.param(dest(RouterAlert(value=0), PadN(optdata=b"")), id="an alert out of place"),
        pytest.param(dest(PAD) / dest(PAD), id="two headers of destination options"),
        pytest.param(IPv6ExtHdrFragment(id=5), id="a fragment that is all of its packet"),
    ],
)
def test_headers_that_change_nothing(headers: Any) -> None:
    _lab, _machine, probe, _far = router6()
    probe.send(to_host(probe, ip6(PEER, OURS) / headers / ECHO))
    assert len(probe.of(ICMPv6EchoReply)) == 1


def test_a_routing_header_with_nothing_left_to_do_is_passed_over() -> None:
    for kind in (0, 1, 2, 5, 253):
        _lab, _machine, probe, _far = router6()
        routing = header(58, kind, 0, 0, 0, 0, 0)
        probe.send(to_host(probe, ip6(PEER, OURS, nh=43) / Raw(routing + echo_bytes())))
        assert len(probe.of(ICMPv6EchoReply)) == 1


REFUSED = [
    pytest.param(hop(unknown(0x9E)) / ECHO, 2, 42, "ipv6-option", id="an unknown hop option"),
    pytest.param(dest(unknown(0xDE)) / ECHO, 2, 42, "ipv6-option", id="an unknown option"),
    pytest.param(
        hop(PAD) / dest(unknown(0x9E)) / ECHO, 2, 50, "ipv6-option", id="a later unknown option"
    ),
    pytest.param(dest(HAO(hoa=PEER)) / ECHO, 2, 46, "ipv6-option", id="a home address"),
    pytest.param(hop(PAD) / hop(PAD) / ECHO, 1, 40, "no-ip-protocol", id="two of hop options"),
    pytest.param(
        dest(PAD) / hop(PAD) / ECHO, 1, 40, "no-ip-protocol", id="hop-by-hop options too late"
    ),
    pytest.param(IPv6ExtHdrFragment(id=1, m=1, nh=6) / Raw(bytes(8)), 3, 0,
                 "fragment-without-headers", id="a first fragment without all of TCP's header"),
    pytest.param(IPv6ExtHdrFragment(id=1, m=1, nh=17) / Raw(bytes(13)), 0, 4,
                 "fragment-malformed", id="a fragment that does not end at an eighth byte"),
    pytest.param(IPv6ExtHdrFragment(id=1, offset=8191, nh=17) / Raw(bytes(16)), 0, 42,
                 "fragment-malformed", id="a fragment beyond the largest packet"),
    pytest.param(IPv6ExtHdrFragment(nh=44) / IPv6ExtHdrFragment() / Raw(echo_bytes()), 0, 48,
                 "fragment-malformed", id="a fragment in a fragment"),
    pytest.param(IPv6ExtHdrFragment(nh=200) / Raw(bytes(8)), 1, 40, "no-ip-protocol",
                 id="an unknown protocol in a whole fragment"),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "code", "pointer", "word"), REFUSED)
def test_what_is_refused_is_reported_with_its_place(
    payload: Any, code: int, pointer: int, word: str
) -> None:
    _lab, machine, probe, _far = router6()
    sent = to_host(probe, ip6(PEER, OURS) / payload)
    probe.send(sent)
    (told,) = probe.of(ICMPv6ParamProblem)
    problem = told[ICMPv6ParamProblem]
    assert (problem.code, problem.ptr) == (code, pointer)
    assert (told[IPv6].src, told[IPv6].dst) == (OURS, PEER)
    assert bytes(problem)[8:] == bytes(sent)[14:]
    assert drops(machine.interface("eth1").device) == {word: 1}


@pytest.mark.parametrize("kind", [0, 1, 2, 5, 253])
def test_nobody_is_source_routed(kind: int) -> None:
    _lab, machine, probe, _far = router6()
    routing = header(58, kind, 1, 0, 0, 0, 0, *ip_from_text(FAR))
    probe.send(to_host(probe, ip6(PEER, OURS, nh=43) / Raw(routing + echo_bytes())))
    (told,) = probe.of(ICMPv6ParamProblem)
    assert (told[ICMPv6ParamProblem].code, told[ICMPv6ParamProblem].ptr) == (0, 42)
    assert drops(machine.interface("eth1").device) == {"routing-header": 1}


DISCARDED = [
    pytest.param(hop(unknown(0x5E)) / ECHO, "ipv6-option", id="an option that forbids a report"),
    pytest.param(dest(unknown(0x5E)) / ECHO, "ipv6-option", id="another"),
    pytest.param(hop(PadN(optdata=b"\1\0\0\0")) / ECHO, "ipv6-option", id="padding of ones"),
    pytest.param(Raw(header(59, *bytes(14))), "ipv6-option", id="fourteen bytes of padding"),
    pytest.param(Raw(header(59, 0x1E, 9, 0, 0, 0, 0)), "ipv6-option", id="an option too long"),
    pytest.param(Raw(header(59, 5, 1, 0, 1, 1, 0)), "ipv6-option", id="a malformed router alert"),
    pytest.param(Raw(header(59, *(0x1E, 0) * 9, 1, 2, 0, 0)), "ipv6-option", id="nine options"),
    pytest.param(Raw(bytes((59, 3, 1, 4, 0, 0, 0, 0))), "ip-header-error", id="a header cut off"),
    pytest.param(Raw(b""), "ip-header-error", id="no header at all"),
]


@pytest.mark.parametrize(("payload", "word"), DISCARDED)
def test_what_is_discarded_without_a_word(payload: Any, word: str) -> None:
    _lab, machine, probe, _far = router6()
    packet = ip6(PEER, OURS, nh=0) if isinstance(payload, Raw) else ip6(PEER, OURS)
    probe.send(to_host(probe, packet / payload))
    assert probe.heard == []
    assert drops(machine.interface("eth1").device) == {word: 1}


@pytest.mark.parametrize(("kind", "reports"), [(0x9E, 1), (0xDE, 0), (0x5E, 0)])
@pytest.mark.parametrize("make", [hop, dest])
def test_a_groups_packet_is_reported_only_if_its_option_insists(
    make: Any, kind: int, reports: int
) -> None:
    _lab, _machine, probe, _far = router6()
    packet = ip6(PEER, "ff02::1") / make(unknown(kind)) / ECHO
    probe.send(Ether(src=probe.mac, dst=ALL_NODES) / packet)
    assert len(probe.of(ICMPv6ParamProblem)) == reports
    assert probe.of(ICMPv6EchoReply) == []


def test_hop_by_hop_options_are_judged_before_it_is_asked_whose_the_packet_is() -> None:
    _lab, _machine, probe, far = router6()
    probe.send(to_host(probe, ip6(PEER, FAR) / hop(unknown(0x9E)) / ECHO))
    assert len(probe.of(ICMPv6ParamProblem)) == 1
    probe.forget()
    other = ip6(PEER, "ff02::99") / hop(unknown(0x9E)) / ECHO
    probe.send(Ether(src=probe.mac, dst="33:33:00:00:00:99") / other)
    assert len(probe.of(ICMPv6ParamProblem)) == 1
    assert far.heard == []


def test_destination_options_are_not_a_routers_business() -> None:
    _lab, _machine, probe, far = router6()
    probe.send(to_host(probe, ip6(PEER, FAR) / dest(unknown(0x9E)) / ECHO))
    assert len(far.of(ICMPv6EchoRequest)) == 1
    assert probe.heard == []


@pytest.mark.parametrize(
    ("jumbo", "pointer"),
    [
        pytest.param((0xC2, 4, 0, 0, 0, 9), 44, id="for a payload that is not large"),
        pytest.param((0xC2, 4, 0, 1, 0, 9), 42, id="besides the ordinary length"),
    ],
)
def test_a_jumbo_payload_out_of_place_is_reported(jumbo: tuple[int, ...], pointer: int) -> None:
    _lab, _machine, probe, _far = router6()
    probe.send(to_host(probe, ip6(PEER, OURS, nh=0) / Raw(header(58, *jumbo) + echo_bytes())))
    (told,) = probe.of(ICMPv6ParamProblem)
    assert (told[ICMPv6ParamProblem].code, told[ICMPv6ParamProblem].ptr) == (0, pointer)


def fragment(offset: int, more: int, data: bytes) -> Any:
    return ip6(PEER, OURS) / IPv6ExtHdrFragment(id=9, offset=offset, m=more, nh=58) / Raw(data)


def test_fragments_are_put_together_whatever_their_order() -> None:
    _lab, _machine, probe, _far = router6()
    whole = echo_bytes(200)
    probe.send(to_host(probe, fragment(13, 0, whole[104:])))
    probe.send(to_host(probe, fragment(0, 1, whole[:104])))
    (reply,) = probe.of(ICMPv6EchoReply)
    assert len(reply[ICMPv6EchoReply].data) == 200


def test_overlapping_fragments_lose_the_whole_packet() -> None:
    """RFC 5722: also the pieces that came before."""
    _lab, machine, probe, _far = router6()
    whole = echo_bytes(200)
    probe.send(to_host(probe, fragment(0, 1, whole[:104])))
    probe.send(to_host(probe, fragment(12, 1, whole[96:160])))
    probe.send(to_host(probe, fragment(13, 0, whole[104:])))
    assert probe.of(ICMPv6EchoReply) == []
    assert drops(machine.interface("eth1").device)["fragment-overlap"] == 2


def test_an_unknown_protocol_behind_fragments_is_pointed_at_in_the_whole_packet() -> None:
    _lab, _machine, probe, _far = router6()
    for offset, more in ((0, 1), (1, 0)):
        piece = IPv6ExtHdrFragment(id=9, offset=offset, m=more, nh=200) / Raw(bytes(8))
        probe.send(to_host(probe, ip6(PEER, OURS) / piece))
    (told,) = probe.of(ICMPv6ParamProblem)
    assert (told[ICMPv6ParamProblem].code, told[ICMPv6ParamProblem].ptr) == (1, 6)


def test_a_closed_port_behind_options_is_reported_all_the_same() -> None:
    _lab, machine, probe, _far = router6()
    probe.send(to_host(probe, ip6(PEER, OURS) / dest(PAD) / UDP(sport=1, dport=999) / b"x"))
    assert drops(machine.interface("eth1").device) == {"no-socket": 1}
    assert [p.type for p in (q[IPv6].payload for q in probe.packets)] == [1]
