"""The daemon that advertises a router: what it says, to whom and when."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptDNSSL,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRDNSS,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import Ether

from tests.linux.kit import MS, Lab, Probe, S, address, ip6
from vnet.base.ids import ip_from_text
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.namespace import Namespace
from vnet.linux.services.advertising import RouterAdvertising
from vnet.linux.services.dns_server.server import DnsServer
from vnet.linux.services.dns_server.settings import DnsServing
from vnet.linux.services.router_advertiser import RouterAdvertiser
from vnet.wire import ra

ALL_ROUTERS = "33:33:00:00:00:02"


def router6(seed: int = 1, **settings: Any) -> tuple[Lab, Namespace, Probe, RouterAdvertiser]:
    """A router with fd00:1::1/64 on eth0, past its checks, and the daemon just started."""
    lab = Lab(seed)
    machine = lab.machine("router")
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
    probe = lab.probe(machine, "eth0", ipv6=True)
    address(machine, "eth0", "fd00:1::1/64")
    lab.run(4 * S)
    probe.forget()
    daemon = RouterAdvertiser(machine.interface("eth0"), RouterAdvertising(**settings))
    return lab, machine, probe, daemon


def solicit(probe: Probe, source: str = "fe80::9") -> None:
    ask = ip6(source, "ff02::2", hlim=255) / ICMPv6ND_RS()
    if source != "::":
        ask /= ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    probe.send(Ether(src=probe.mac, dst=ALL_ROUTERS) / ask)


def test_who_asks_is_answered_at_once_and_alone() -> None:
    _lab, _machine, probe, _daemon = router6(valid_s=3600, preferred_s=1800, lifetime_s=700)
    solicit(probe)
    (said,) = probe.of(ICMPv6ND_RA)
    assert (said.dst, said[IPv6].dst) == (probe.mac, "fe80::9")
    assert (said[IPv6].src, said[IPv6].hlim, said[IPv6].tc) == ("fe80::ff:fe00:1", 255, 0xC0)
    assert (said[ICMPv6ND_RA].chlim, said[ICMPv6ND_RA].routerlifetime) == (64, 700)
    told = said[ICMPv6NDOptPrefixInfo]
    assert (told.prefix, told.prefixlen, told.L, told.A) == ("fd00:1::", 64, 1, 1)
    assert (told.validlifetime, told.preferredlifetime) == (3600, 1800)
    assert said[ICMPv6NDOptMTU].mtu == 1500
    assert said[ICMPv6NDOptSrcLLAddr].lladdr == "02:00:00:00:00:01"


def test_who_asks_without_an_address_is_answered_as_everybody() -> None:
    _lab, _machine, probe, _daemon = router6()
    solicit(probe, "::")
    (said,) = probe.of(ICMPv6ND_RA)
    assert (said.dst, said[IPv6].dst) == ("33:33:00:00:00:01", "ff02::1")


@pytest.mark.parametrize("seed", range(5))
def test_the_first_minute_is_hasty_and_then_the_interval_holds(seed: int) -> None:
    """5 to 19 seconds at first, in whole seconds; later the interval's last quarter."""
    lab, _machine, probe, _daemon = router6(seed, interval_s=100)
    began_ms = lab.now_ms
    lab.run(1_000 * S)
    times_ms = [time - began_ms for time in probe.times_ms(ICMPv6ND_RA)]
    assert 0 <= times_ms[0] <= 5_000
    for earlier, later in itertools.pairwise(times_ms):
        gap_s = (later - earlier) / 1_000
        assert gap_s == int(gap_s)
        assert 5 <= gap_s <= 19 if earlier < 60_000 else 75 <= gap_s <= 100


@pytest.mark.parametrize(
    ("settings", "lifetime_s"),
    [
        ({}, 1800),
        ({"interval_s": 10}, 30),
        ({"interval_s": 10, "lifetime_s": 300}, 300),
        ({"interval_s": 600, "lifetime_s": 300}, 600),
        ({"lifetime_s": 0}, 0),
        ({"lifetime_s": 10_000}, 9000),
        ({"interval_s": 3600}, 9000),
    ],
)
def test_the_routers_lifetime(settings: dict[str, Any], lifetime_s: int) -> None:
    assert RouterAdvertising(**settings).router_lifetime_s == lifetime_s


def test_flags_preference_and_mtu_are_as_set() -> None:
    _lab, _machine, probe, _daemon = router6(
        preference=ra.HIGH, managed=True, other_configuration=True, mtu_bytes=1400, autonomous=False
    )
    solicit(probe)
    (said,) = probe.of(ICMPv6ND_RA)
    flags = said[ICMPv6ND_RA]
    assert (flags.prf, flags.M, flags.O) == (1, 1, 1)
    assert said[ICMPv6NDOptMTU].mtu == 1400
    assert said[ICMPv6NDOptPrefixInfo].A == 0


def test_without_a_network_of_its_own_it_says_nothing() -> None:
    lab = Lab()
    machine = lab.machine("router")
    probe = lab.probe(machine, "eth0", ipv6=True)
    RouterAdvertiser(machine.interface("eth0"), RouterAdvertising())
    lab.run(4 * S)
    solicit(probe)
    lab.run(60 * S)
    assert probe.of(ICMPv6ND_RA) == []


@pytest.mark.parametrize("seed", range(4))
def test_who_asks_before_the_router_has_a_link_local_address_waits_for_it(seed: int) -> None:
    """Hosts believe no other source: from the global address, which is there first, nothing."""
    lab = Lab(seed)
    machine = lab.machine("router")
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
    machine.sysctls["net.ipv6.conf.default.router_solicitation_delay"] = 3
    probe = lab.probe(machine, "eth0", ipv6=True)
    interface = machine.interface("eth0")
    machine.addresses.put(interface, InterfaceAddress(ip_from_text("fd00:1::1"), 64))
    daemon = RouterAdvertiser(interface, RouterAdvertising())
    solicit(probe)
    won_ms = []
    machine.listeners.append(lambda _change: won_ms.append(lab.now_ms))
    lab.run(4500 * MS)
    daemon.stop()
    said = probe.of(ICMPv6ND_RA)
    assert {(p[IPv6].src, p[IPv6].dst) for p in said} == {("fe80::ff:fe00:1", "ff02::1")}
    assert probe.times_ms(ICMPv6ND_RA)[0] == won_ms[0] > 0
    assert len(machine.listeners) == 1


def test_every_network_is_advertised_once() -> None:
    lab, machine, probe, _daemon = router6()
    for text in ("fd00:1::2/64", "fd00:2::1/64"):
        address(machine, "eth0", text)
    lab.run(3 * S)
    probe.forget()
    solicit(probe)
    (said,) = probe.of(ICMPv6ND_RA)
    first = said[ICMPv6NDOptPrefixInfo]
    assert [first.prefix, first.payload.prefix] == ["fd00:1::", "fd00:2::"]
    assert not isinstance(first.payload.payload, ICMPv6NDOptPrefixInfo)


def test_a_stopped_daemon_is_silent() -> None:
    lab, _machine, probe, daemon = router6()
    daemon.stop()
    solicit(probe)
    lab.run(600 * S)
    assert probe.of(ICMPv6ND_RA) == []


def test_the_kernel_notes_who_asked_as_no_router() -> None:
    lab, machine, probe, _daemon = router6()
    solicit(probe)
    lab.run(10 * MS)
    found = list(machine.interface("eth0").nd_cache.table)
    assert [(n.mac.hex(":") if n.mac else None, n.is_router) for n in found] == [(probe.mac, False)]


def test_a_router_that_serves_names_says_so_as_dnsmasq_does() -> None:
    _lab, machine, probe, _daemon = router6(preferred_s=1800)
    solicit(probe)
    DnsServer(machine.interface("eth0"), DnsServing())
    solicit(probe)
    before, behind = probe.of(ICMPv6ND_RA)
    assert ICMPv6NDOptRDNSS not in before
    told = behind[ICMPv6NDOptRDNSS]
    assert (told.dns, told.lifetime) == (["fe80::ff:fe00:1"], 1800)
    assert ICMPv6NDOptDNSSL not in behind


def test_name_servers_and_search_list_are_told_behind_the_mac() -> None:
    servers = tuple(map(ip_from_text, ("2001:db8::53", "2001:db8::54")))
    _lab, _machine, probe, _daemon = router6(name_servers=servers, search=("a.test", "b.example"))
    solicit(probe)
    (said,) = probe.of(ICMPv6ND_RA)
    search = said[ICMPv6NDOptSrcLLAddr].payload
    assert search[ICMPv6NDOptDNSSL].searchlist == ["a.test.", "b.example."]
    assert search.payload[ICMPv6NDOptRDNSS].dns == ["2001:db8::53", "2001:db8::54"]


def test_who_is_told_to_say_nothing_of_names_says_nothing() -> None:
    _lab, machine, probe, _daemon = router6(name_servers=())
    DnsServer(machine.interface("eth0"), DnsServing())
    solicit(probe)
    (said,) = probe.of(ICMPv6ND_RA)
    assert ICMPv6NDOptRDNSS not in said
