"""IPv6 as Linux hosts do it beyond their addresses' beginnings, one fact a test."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6MLQuery,
    ICMPv6MLQuery2,
    ICMPv6MLReport,
    ICMPv6MLReport2,
    IPv6,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.linux.kit import Lab, Probe, S, address, dropped, ip6, swallow, to_host
from vnet.base.ids import ip_from_text
from vnet.linux.netns import drops
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.echo import EchoReply

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
    alert = IPv6ExtHdrHopByHop(options=[])
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
