"""What a host takes from router advertisements, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRouteInfo,
    ICMPv6NDOptSrcLLAddr,
)
from scapy.layers.l2 import Ether

from tests.linux.kit import Lab, Probe, S, address, drops, ip6, nud_of
from vnet.base.ids import ip_from_text, ip_text
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.namespace import Namespace
from vnet.shell.views.address import addresses_text
from vnet.shell.views.route import routes_text
from vnet.tables.neigh import Nud
from vnet.wire.ra import FOREVER_S

ROUTER = "fe80::9"
MADE = "fd00:1::ff:fe00:1"
DEFAULT = "default via fe80::9 dev eth0 proto ra metric 1024"
ON_LINK = "fd00:1::/64 dev eth0 proto kernel metric 256"


def machine6(**conf: int) -> tuple[Lab, Namespace, Probe]:
    """A host past its link-local check, with settings of ``net.ipv6.conf.all`` and eth0."""
    lab = Lab()
    machine = lab.machine("host")
    for name, value in conf.items():
        for device in ("default", "all"):
            machine.sysctls[f"net.ipv6.conf.{device}.{name}"] = value
    probe = lab.probe(machine, "eth0", ipv6=True)
    lab.run(4 * S)
    probe.forget()
    return lab, machine, probe


def prefix(text: str = "fd00:1::", length: int = 64, **fields: int) -> Any:
    return ICMPv6NDOptPrefixInfo(
        prefix=text,
        prefixlen=length,
        **{"validlifetime": 3600, "preferredlifetime": 1800, **fields},
    )


def advertise(
    probe: Probe, *options: Any, source: str = ROUTER, lifetime: int = 1800, **fields: int
) -> None:
    """A router at the probe advertises itself to everybody."""
    fields = {"prf": 0, **fields}
    packet = ip6(source, "ff02::1", hlim=255) / ICMPv6ND_RA(routerlifetime=lifetime, **fields)
    packet /= ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    for option in options:
        packet /= option
    probe.send(Ether(src=probe.mac, dst="33:33:00:00:00:01") / packet)


def routes(machine: Namespace) -> list[str]:
    """``ip -6 route`` without the link-local network, seconds and preference."""
    lines = routes_text(machine, 6).splitlines()
    return [
        line.split(" expires")[0].split(" pref")[0] for line in lines if "fe80::/64" not in line
    ]


def made(machine: Namespace, text: str = MADE) -> InterfaceAddress | None:
    return machine.interface("eth0").find(ip_from_text(text))


# -- what is made of an advertisement


def test_a_prefix_gives_a_route_and_an_address_that_is_checked_first() -> None:
    lab, machine, probe = machine6()
    advertise(probe, prefix())
    assert routes(machine) == [ON_LINK, DEFAULT]
    found = made(machine)
    assert found is not None
    assert found.tentative
    lab.run(3 * S)
    assert found.usable
    (ask,) = probe.of(ICMPv6ND_NS)
    assert ask[ICMPv6ND_NS].tgt == MADE


def test_the_made_address_is_shown_as_dynamic_with_its_lifetimes() -> None:
    lab, machine, probe = machine6()
    advertise(probe, prefix())
    lab.run(3 * S)
    lines = addresses_text([machine.interface("eth0")], family=6).splitlines()
    assert lines[1] == f"    inet6 {MADE}/64 scope global dynamic mngtmpaddr "
    assert lines[2] == "       valid_lft 3597sec preferred_lft 1797sec"


def test_the_router_becomes_a_stale_neighbour_and_known_as_one() -> None:
    _lab, machine, probe = machine6()
    advertise(probe)
    neighbor = machine.interface("eth0").nd_cache.table.get(ip_from_text(ROUTER))
    assert neighbor is not None
    assert (neighbor.state, neighbor.is_router) == (Nud.STALE, True)


def test_packets_leave_by_the_router_from_the_made_address() -> None:
    lab, machine, probe = machine6()
    advertise(probe, prefix())
    lab.run(3 * S)
    target = "2001:db8::1"
    machine.ipv6.send(bytes(ip6(MADE, target) / ICMPv6EchoRequest()))
    lab.run(0)
    (request,) = probe.of(ICMPv6EchoRequest)
    assert request.dst == probe.mac
    assert machine.sockets.source_for(ip_from_text(target)) == ip_from_text(MADE)


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(prefix(A=0), id="not for autoconfiguration"),
        pytest.param(prefix(length=63), id="not 64 bits long"),
        pytest.param(prefix(validlifetime=0, preferredlifetime=0), id="over already"),
        pytest.param(prefix(preferredlifetime=3601), id="preferred for longer than valid"),
        pytest.param(prefix("fe80::"), id="link-local"),
        pytest.param(prefix("ff05::"), id="multicast"),
    ],
)
def test_a_prefix_that_makes_no_address(option: Any) -> None:
    lab, machine, probe = machine6()
    advertise(probe, option)
    lab.run(3 * S)
    assert [a for a in machine.interface("eth0").addresses if a.from_router] == []


def test_a_prefix_that_is_not_on_link_gives_an_address_and_no_route() -> None:
    _lab, machine, probe = machine6()
    advertise(probe, prefix(L=0))
    assert routes(machine) == [DEFAULT]
    assert made(machine) is not None


def test_a_prefix_of_another_length_is_a_route_all_the_same() -> None:
    _lab, machine, probe = machine6()
    advertise(probe, prefix(length=56))
    assert routes(machine)[0] == ON_LINK.replace("/64", "/56")


def test_the_link_takes_mtu_hop_limit_and_timers_from_the_router() -> None:
    _lab, machine, probe = machine6()
    advertise(probe, ICMPv6NDOptMTU(mtu=1400), chlim=17, retranstimer=500, reachabletime=60_000)
    conf = machine.interface("eth0").conf6
    assert (conf.mtu, conf.hop_limit) == (1400, 17)
    parameters = machine.interface("eth0").nd_cache.table.parameters
    assert parameters.retrans_ns == S // 2
    assert parameters.base_reachable_ns == 60 * S
    assert machine.interface("eth0").device.mtu_bytes == 1500


def test_the_default_route_shows_what_the_router_said() -> None:
    _lab, machine, probe = machine6()
    advertise(probe, ICMPv6NDOptMTU(mtu=1400), chlim=17, lifetime=900)
    (line,) = [x for x in routes_text(machine, 6).splitlines() if "default" in x]
    assert line == f"{DEFAULT} expires 900sec mtu 1400 hoplimit 17 pref medium"


@pytest.mark.parametrize("mtu", [1279, 1501])
def test_an_mtu_that_the_link_cannot_have_is_ignored(mtu: int) -> None:
    _lab, machine, probe = machine6()
    advertise(probe, ICMPv6NDOptMTU(mtu=mtu))
    assert machine.interface("eth0").conf6.mtu == 1500


def test_further_routes_are_taken_only_if_wanted() -> None:
    further = ICMPv6NDOptRouteInfo(prefix="fd00:9::", plen=48, rtlifetime=600)
    _lab, machine, probe = machine6()
    advertise(probe, further)
    assert routes(machine) == [DEFAULT]
    _lab, machine, probe = machine6(accept_ra_rt_info_max_plen=48)
    advertise(probe, further)
    assert routes(machine) == ["fd00:9::/48 via fe80::9 dev eth0 proto ra metric 1024", DEFAULT]


# -- what is not listened to


def test_a_router_does_not_listen_to_routers() -> None:
    _lab, machine, probe = machine6(forwarding=1)
    advertise(probe, prefix())
    assert routes(machine) == []
    assert made(machine) is None


def test_whoever_begins_to_forward_lets_go_of_its_default_router() -> None:
    _lab, machine, probe = machine6()
    advertise(probe, prefix())
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
    assert routes(machine) == [ON_LINK]


def test_a_made_address_that_another_has_is_given_up() -> None:
    _lab, machine, probe = machine6()
    advertise(probe, prefix())
    claim = ip6("fe80::7", "ff02::1", hlim=255) / ICMPv6ND_NA(tgt=MADE, S=0, O=1)
    probe.send(Ether(src=probe.mac, dst="33:33:00:00:00:01") / claim)
    assert made(machine) is None
    advertise(probe, prefix())
    assert made(machine) is not None


def test_a_router_listens_if_told_to_in_spite_of_that() -> None:
    _lab, machine, probe = machine6(forwarding=1, accept_ra=2)
    advertise(probe, prefix())
    assert routes(machine) == [ON_LINK, DEFAULT]


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        ("accept_ra", []),
        ("accept_ra_defrtr", [ON_LINK]),
        ("accept_ra_pinfo", [DEFAULT]),
        ("autoconf", [ON_LINK, DEFAULT]),
    ],
)
def test_each_part_can_be_switched_off(setting: str, kept: list[str]) -> None:
    _lab, machine, probe = machine6(**{setting: 0})
    advertise(probe, prefix())
    assert routes(machine) == kept
    assert (made(machine) is None) == (setting != "accept_ra_defrtr")


@pytest.mark.parametrize("source", ["fd00::9", "::"])
def test_only_a_link_local_address_may_advertise(source: str) -> None:
    _lab, machine, probe = machine6()
    advertise(probe, prefix(), source=source)
    assert routes(machine) == []
    assert drops(machine.interface("eth0").device) == {"nd-invalid": 1}


def test_a_router_with_too_short_a_lifetime_is_not_used() -> None:
    _lab, machine, probe = machine6(accept_ra_min_lft=600)
    advertise(probe, lifetime=599)
    assert routes(machine) == []


def test_an_advertisement_before_the_first_solicitation_does_not_spare_it() -> None:
    lab = Lab()
    machine = lab.machine("host")
    probe = lab.probe(machine, "eth0", ipv6=True)
    advertise(probe)
    lab.run(60 * S)
    assert len(probe.of(ICMPv6ND_RS)) >= 1


# -- time


def test_a_default_route_ends_with_the_routers_lifetime() -> None:
    lab, machine, probe = machine6()
    advertise(probe, lifetime=30)
    lab.run(29 * S)
    assert routes(machine) == [DEFAULT]
    lab.run(4 * S)
    assert routes(machine) == []


def test_a_router_that_takes_its_leave_is_no_longer_used() -> None:
    _lab, machine, probe = machine6()
    advertise(probe)
    advertise(probe, lifetime=0)
    assert routes(machine) == []


def test_an_address_is_first_deprecated_and_then_gone() -> None:
    lab, machine, probe = machine6()
    advertise(probe, prefix(validlifetime=60, preferredlifetime=30))
    lab.run(20 * S)
    found = made(machine)
    assert found is not None
    deprecated = [found.deprecated]
    lab.run(15 * S)
    deprecated.append(found.deprecated)
    assert deprecated == [False, True]
    line = addresses_text([machine.interface("eth0")], family=6).splitlines()[1]
    assert line.endswith("scope global deprecated dynamic mngtmpaddr ")
    lab.run(35 * S)
    assert made(machine) is None
    assert ON_LINK not in routes(machine)


def test_every_advertisement_starts_the_lifetimes_anew() -> None:
    lab, machine, probe = machine6()
    for _ in range(4):
        advertise(probe, prefix(validlifetime=60, preferredlifetime=30))
        lab.run(25 * S)
    found = made(machine)
    assert found is not None
    assert found.usable
    assert not found.deprecated


def test_no_router_cuts_an_address_below_two_hours() -> None:
    """RFC 4862 section 5.5.3 e: an attacker could end all addresses otherwise."""
    lab, machine, probe = machine6()
    advertise(probe, prefix(validlifetime=86_400, preferredlifetime=86_400))
    advertise(probe, prefix(validlifetime=60, preferredlifetime=0))
    found = made(machine)
    assert found is not None
    assert found.lifetimes_s(lab.scheduler.now_ns) == (7_200, 0)
    assert found.deprecated


def test_a_lifetime_of_all_ones_never_ends() -> None:
    lab, machine, probe = machine6()
    advertise(probe, prefix(validlifetime=FOREVER_S, preferredlifetime=FOREVER_S))
    lab.run(100_000 * S)
    found = made(machine)
    assert found is not None
    assert found.lifetimes_s(lab.scheduler.now_ns) == (FOREVER_S, FOREVER_S)
    assert routes(machine) == [ON_LINK]


def test_an_administrators_address_keeps_the_routers_network() -> None:
    lab, machine, probe = machine6()
    advertise(probe, prefix(validlifetime=60, preferredlifetime=60), lifetime=0)
    address(machine, "eth0", "fd00:1::77/64")
    lab.run(120 * S)
    assert made(machine) is None
    assert routes(machine) == [ON_LINK]


def test_a_link_that_goes_down_takes_everything_learned_with_it() -> None:
    lab, machine, probe = machine6()
    advertise(probe, prefix())
    machine.set_down("eth0")
    assert routes_text(machine, 6) == ""
    assert made(machine) is None
    machine.set_up("eth0")
    lab.run(4_000 * S)
    assert routes(machine) == []
    assert nud_of(machine.interface("eth0"), ROUTER) is None


# -- several routers


def two_routers(*preferences: int) -> tuple[Lab, Namespace, Probe]:
    """fe80::8 and fe80::9 at the probe, of some preference each; neither is known by its MAC."""
    lab, machine, probe = machine6()
    for source, preference in zip(("fe80::8", "fe80::9"), preferences, strict=True):
        packet = ip6(source, "ff02::1", hlim=255) / ICMPv6ND_RA(prf=preference, routerlifetime=900)
        probe.send(Ether(src=probe.mac, dst="33:33:00:00:00:01") / packet / prefix())
    lab.run(3 * S)
    probe.forget()
    return lab, machine, probe


def gateway(machine: Namespace, target: str = "2001:db8::1") -> str:
    found = machine.route_to(ip_from_text(target))
    assert found is not None
    assert found.gateway is not None
    return ip_text(found.gateway)


@pytest.mark.parametrize(
    ("preferences", "chosen"),
    [
        pytest.param((0, 1), "fe80::9", id="medium and high"),
        pytest.param((1, 0), "fe80::8", id="high and medium"),
        pytest.param((3, 0), "fe80::9", id="low and medium"),
        pytest.param((3, 3), "fe80::8", id="both low: the first"),
        pytest.param((2, 1), "fe80::9", id="reserved counts as medium"),
    ],
)
def test_the_preferred_router_is_used(preferences: tuple[int, int], chosen: str) -> None:
    _lab, machine, _probe = two_routers(*preferences)
    assert gateway(machine) == chosen


def test_a_router_may_change_its_preference() -> None:
    _lab, machine, probe = two_routers(0, 1)
    advertise(probe, source="fe80::9", prf=3)
    assert gateway(machine) == "fe80::8"
    lines = [line for line in routes_text(machine, 6).splitlines() if "default" in line]
    assert [line.split()[-1] for line in lines] == ["medium", "low"]


def test_a_router_that_does_not_answer_is_passed_over() -> None:
    lab, machine, probe = two_routers(1, 0)
    machine.ipv6.send(bytes(ip6(MADE, "2001:db8::1") / ICMPv6EchoRequest()))
    lab.run(4 * S)
    assert {p[ICMPv6ND_NS].tgt for p in probe.of(ICMPv6ND_NS)} == {"fe80::8"}
    assert gateway(machine) == "fe80::9"


def test_a_router_that_is_back_is_found_within_the_probe_interval() -> None:
    lab, machine, probe = two_routers(1, 0)
    machine.ipv6.send(bytes(ip6(MADE, "2001:db8::1") / ICMPv6EchoRequest()))
    lab.run(4 * S)
    probe.forget()
    lab.run(61 * S)
    assert gateway(machine) == "fe80::9"
    lab.run(0)
    assert [p[ICMPv6ND_NS].tgt for p in probe.of(ICMPv6ND_NS)] == ["fe80::8"]
    claim = ICMPv6ND_NA(tgt="fe80::8", R=1, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=probe.mac)
    answer = ip6("fe80::8", "fe80::ff:fe00:1", hlim=255) / claim
    probe.send(Ether(src=probe.mac, dst="02:00:00:00:00:01") / answer)
    assert gateway(machine) == "fe80::8"


def test_if_no_router_answers_the_first_is_used_all_the_same() -> None:
    lab, machine, _probe = two_routers(0, 0)
    for _ in range(2):
        machine.ipv6.send(bytes(ip6(MADE, "2001:db8::1") / ICMPv6EchoRequest()))
        lab.run(4 * S)
    assert gateway(machine) == "fe80::8"


def test_a_router_that_says_it_is_none_is_no_longer_used() -> None:
    _lab, machine, probe = machine6()
    advertise(probe)
    claim = ip6(ROUTER, "ff02::1", hlim=255) / ICMPv6ND_NA(tgt=ROUTER, R=0, S=0, O=1)
    target = ICMPv6NDOptDstLLAddr(lladdr=probe.mac)
    probe.send(Ether(src=probe.mac, dst="33:33:00:00:00:01") / claim / target)
    assert routes(machine) == []
