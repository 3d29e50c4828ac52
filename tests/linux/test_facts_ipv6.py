"""IPv6 as Linux hosts do it beyond their addresses' beginnings, one fact a test."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6MLQuery,
    ICMPv6MLQuery2,
    ICMPv6MLReport,
    ICMPv6MLReport2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    IPv6,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    PadN,
    RouterAlert,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.linux.kit import Lab, Probe, S, address, dropped, ip6, swallow, to_host
from vnet.base.ids import IPV6_ANY, ip_from_text, mac_from_text
from vnet.linux.netns import drops
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.echo import EchoReply
from vnet.tables.fib import Nexthop, Route
from vnet.tables.policy import Rule, RulePrefix
from vnet.wire import udp
from vnet.wire.checksum import checksum, pseudo_header_sum

OURS, PEER = "fd00::1", "fd00::2"
LINK_LOCAL = "fe80::ff:fe00:1"


def machine6(**sysctls: int) -> tuple[Lab, Namespace, Probe]:
    lab = Lab()
    machine = lab.machine("host")
    for key, value in sysctls.items():
        machine.sysctls[f"net.ipv6.conf.all.{key}"] = value
    probe = lab.probe(machine, "eth0", ipv6=True)
    address(machine, "eth0", "fd00::1/64")
    lab.run(4 * S)
    probe.forget()
    return lab, machine, probe


@pytest.mark.parametrize("target", [LINK_LOCAL, OURS, "::1"])
def test_a_machine_pings_itself_by_any_of_its_addresses(target: str) -> None:
    lab, machine, _probe = machine6()
    replies: list[EchoReply] = []
    machine.sockets.open_echo(7, replies.append, swallow)
    machine.ipv6.send(bytes(ip6(target, target) / ICMPv6EchoRequest(id=7, seq=1, data=b"self")))
    lab.run(0)
    assert replies == [EchoReply(ip_from_text(target), 1, b"self", 64)]


def test_a_link_local_address_of_another_link_is_not_answered_for() -> None:
    lab, machine, probe = machine6()
    lab.probe(machine, "eth1", 2, ipv6=True)
    lab.run(4 * S)
    probe.send(to_host(probe, ip6("fe80::9", "fe80::ff:fe00:2") / ICMPv6EchoRequest()))
    assert dropped(machine, drops.NOT_FOR_US) == 1


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(IPv6(dst=PEER) / IPv6ExtHdrFragment() / Raw(b"x" * 2000), id="a piece"),
        pytest.param(
            IPv6(dst=PEER, nh=0) / Raw(b"\x3b\xff" + bytes(1800)), id="a chain that is cut off"
        ),
        pytest.param(
            IPv6(dst=PEER, nh=0) / Raw(b"\x3b\xb4" + bytes(2000)), id="headers that fill the mtu"
        ),
        pytest.param(IPv6(dst=PEER, plen=9000) / Raw(bytes(2000)), id="shorter than it says"),
    ],
)
def test_what_cannot_be_cut_is_dropped_and_nobody_is_told(packet: Any) -> None:
    lab, machine, probe = machine6()
    told: list[object] = []
    machine.sockets.open_echo(7, swallow, told.append)
    machine.ipv6.send(bytes(packet))
    lab.run(5 * S)
    assert dropped(machine, drops.IP_MALFORMED) == 1
    assert probe.of(UDP) == []
    assert told == []


# -- who may query for group members


def query(probe: Probe, version: Any, source: str, hop_limit: int) -> None:
    alert = IPv6ExtHdrHopByHop(options=[RouterAlert(value=0), PadN(optdata=b"")])
    packet = ip6(source, "ff02::1", hlim=hop_limit) / alert / version
    probe.send(Ether(src=probe.mac, dst="33:33:00:00:00:01") / packet)


@pytest.mark.parametrize("version", [ICMPv6MLQuery(), ICMPv6MLQuery2()])
@pytest.mark.parametrize(("source", "hop_limit"), [(PEER, 1), ("fe80::9", 64), ("::", 1)])
def test_an_mld_query_from_off_the_link_is_dropped(
    version: Any, source: str, hop_limit: int
) -> None:
    lab, machine, probe = machine6()
    query(probe, version, source, hop_limit)
    lab.run(20 * S)
    assert dropped(machine, drops.MLD_INVALID) == 1
    assert probe.of(ICMPv6MLReport) == probe.of(ICMPv6MLReport2) == []
    query(probe, version, "fe80::9", 1)
    lab.run(20 * S)
    assert probe.of(ICMPv6MLReport) or probe.of(ICMPv6MLReport2)


# -- disable_ipv6


def test_a_machine_without_ipv6_says_nothing_and_hears_nothing() -> None:
    lab, machine, probe = machine6(disable_ipv6=1)
    machine.set_down("eth0")
    machine.set_up("eth0")
    lab.run(60 * S)
    assert probe.heard == []
    interface = machine.interface("eth0")
    assert interface.find(ip_from_text(LINK_LOCAL)) is None
    probe.send(to_host(probe, ip6(PEER, OURS) / ICMPv6EchoRequest()))
    query(probe, ICMPv6MLQuery2(), "fe80::9", 1)
    assert interface.device.drops == {drops.IPV6_DISABLED: 2}


def test_ipv6_comes_with_the_next_link_once_it_is_allowed() -> None:
    lab, machine, _probe = machine6(disable_ipv6=1)
    machine.sysctls["net.ipv6.conf.all.disable_ipv6"] = 0
    machine.set_down("eth0")
    machine.set_up("eth0")
    lab.run(4 * S)
    found = machine.interface("eth0").find(ip_from_text(LINK_LOCAL))
    assert found is not None
    assert found.usable


# -- what is sent to many, and by whom it is routed


def test_a_machine_hears_what_it_sends_to_its_own_groups() -> None:
    """As ping does on ff02::1; no capture shows it."""
    lab, machine, probe = machine6()
    replies: list[EchoReply] = []
    machine.sockets.open_echo(7, replies.append, swallow)
    packet = bytes(ip6(LINK_LOCAL, "ff02::1", hlim=1) / ICMPv6EchoRequest(id=7, seq=1))
    machine.ipv6.send(packet, out=machine.interface("eth0"))
    lab.run(0)
    assert [reply.source for reply in replies] == [ip_from_text(LINK_LOCAL)]
    assert len(probe.of(ICMPv6EchoRequest)) == 1


def test_our_own_packets_are_routed_by_their_source_where_rules_ask_for_it() -> None:
    lab, machine, probe = machine6()
    macs = ["0a:00:00:00:00:08", "0a:00:00:00:00:09"]
    interface = machine.interface("eth0")
    for gateway, mac, table in zip(("fe80::8", "fe80::9"), macs, (254, 100), strict=True):
        ip = ip_from_text(gateway)
        interface.nd_cache.table.set_permanent(ip, mac_from_text(mac), 0)
        hop = Nexthop(interface.device, ip)
        machine.routes.add(Route(IPV6_ANY, 0, (hop,), metric=1024, table=table))
    source = RulePrefix(ip_from_text("fd00::99"), 128)
    machine.routing6.policy.add_rule(Rule(100, table=100, source=source))
    machine.routing6.forget()
    for text in (OURS, "fd00::99"):
        machine.ipv6.send(bytes(ip6(text, "2001:db8::1") / ICMPv6EchoRequest()))
    lab.run(0)
    assert [p.dst for p in probe.of(ICMPv6EchoRequest)] == macs


def test_an_echo_reply_has_the_code_of_its_request() -> None:
    _lab, _machine, probe = machine6()
    probe.send(to_host(probe, ip6(PEER, OURS) / ICMPv6EchoRequest(code=3)))
    probe.device.scheduler.run(probe.device.scheduler.now_ns)
    asked = probe.of(ICMPv6ND_NS)
    assert [p[ICMPv6ND_NS].tgt for p in asked] == [PEER]
    claim = ICMPv6ND_NA(tgt=PEER, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=probe.mac)
    probe.send(to_host(probe, ip6(PEER, OURS, hlim=255) / claim))
    (reply,) = probe.of(ICMPv6EchoReply)
    assert reply[ICMPv6EchoReply].code == 3


def test_a_datagram_that_tells_no_length_is_as_long_as_its_packet() -> None:
    _lab, machine, probe = machine6()
    heard: list[bytes] = []
    machine.sockets.open_udp(lambda _socket, datagram: heard.append(datagram.data), 7)
    datagram = udp.emit(ip_from_text(PEER), ip_from_text(OURS), 9, 7, b"whole")
    bare = datagram[:4] + b"\0\0\0\0" + datagram[8:]
    total = pseudo_header_sum(ip_from_text(PEER), ip_from_text(OURS), udp.PROTOCOL, len(bare))
    whole = bare[:6] + checksum(bare, total).to_bytes(2, "big") + bare[8:]
    probe.send(to_host(probe, ip6(PEER, OURS, nh=17) / Raw(whole)))
    assert heard == [b"whole"]


def test_identifications_of_fragments_are_not_to_be_guessed() -> None:
    lab, machine, probe = machine6()
    mac = mac_from_text(probe.mac)
    machine.interface("eth0").nd_cache.table.set_permanent(ip_from_text(PEER), mac, 0)
    for _ in range(3):
        machine.ipv6.send(bytes(ip6(OURS, PEER) / UDP(sport=1, dport=2) / bytes(2000)))
    lab.run(0)
    idents = [p[IPv6ExtHdrFragment].id for p in probe.of(IPv6ExtHdrFragment)]
    assert len(idents) == 6
    assert idents[::2] == idents[1::2]
    first, second, third = idents[::2]
    assert second - first != third - second
