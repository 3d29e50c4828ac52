"""What a Linux host says when its link comes up, one fact a test."""

from __future__ import annotations

import itertools

import pytest
from scapy.layers.inet6 import (
    ICMPv6MLReport2,
    ICMPv6ND_NS,
    ICMPv6ND_RS,
    IPv6,
    RouterAlert,
)
from scapy.layers.l2 import ARP

from tests.linux.kit import MS, Lab, Probe, S, address, host, mld_records
from vnet.base.ids import ip_from_text
from vnet.linux.netns.namespace import Namespace

LINK_LOCAL = "fe80::ff:fe00:1"


def ipv6_host(seed: int = 1, name: str = "host") -> tuple[Lab, Namespace, Probe]:
    lab = Lab(seed)
    machine = lab.machine(name)
    return lab, machine, lab.probe(machine, "eth0", ipv6=True)


def test_mld_reports_the_solicited_node_group_at_once_and_again_within_a_second() -> None:
    lab, _machine, probe = ipv6_host()
    lab.run(1_040 * MS)
    first, second = probe.times_ms(ICMPv6MLReport2)[:2]
    assert first == 12
    assert first < second <= 1_040
    for report in probe.of(ICMPv6MLReport2)[:2]:
        assert report[IPv6].src == "::"
        assert report[IPv6].dst == "ff02::16"
        assert report[IPv6].hlim == 1
        assert report.haslayer(RouterAlert)
        assert mld_records(report) == [(4, "ff02::1:ff00:1")]


@pytest.mark.parametrize("seed", range(12))
def test_mld_reports_twice_more_from_the_address_once_it_is_checked(seed: int) -> None:
    lab, _machine, probe = ipv6_host(seed)
    lab.run(10 * S)
    reports = [p[IPv6].src for p in probe.of(ICMPv6MLReport2)]
    # An early check may end before the first pair of reports has been made.
    assert reports.count("::") in (1, 2)
    assert len(reports) == 4
    assert reports[-1] == LINK_LOCAL


def test_dad_begins_within_a_second_and_takes_one_more() -> None:
    starts = set()
    for seed in range(8):
        lab, machine, probe = ipv6_host(seed)
        lab.run(4 * S)
        (ask,) = probe.of(ICMPv6ND_NS)
        assert (ask[IPv6].src, ask[IPv6].dst, ask[IPv6].hlim) == ("::", "ff02::1:ff00:1", 255)
        assert ask[ICMPv6ND_NS].tgt == LINK_LOCAL
        (asked_ms,) = probe.times_ms(ICMPv6ND_NS)
        assert 0 < asked_ms <= 1_036
        won_ms = probe.times_ms(ICMPv6ND_RS)[0]
        assert 1_000 <= won_ms - asked_ms <= 1_032
        found = machine.interface("eth0").find(ip_from_text(LINK_LOCAL))
        assert found is not None
        assert found.usable
        starts.add(asked_ms)
    assert len(starts) > 4


def test_router_solicitations_follow_after_four_and_eight_seconds_and_go_on_doubling() -> None:
    lab, _machine, probe = ipv6_host()
    lab.run(200 * S)
    times = probe.times_ms(ICMPv6ND_RS)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert 1_000 < times[0] < 2_100
    expected_ms = 4_000.0
    # RFC 7559: 10 % of spread on the first, 5 % on each doubling; the wheel rounds up by 1/8.
    for gap in gaps[:5]:
        assert 0.89 * expected_ms <= gap <= 1.12 * expected_ms + 256
        expected_ms = gap * 2
    assert len(times) == 6


def test_router_solicitations_stop_growing_at_an_hour() -> None:
    lab, _machine, probe = ipv6_host()
    lab.run(8 * 3600 * S)
    times = probe.times_ms(ICMPv6ND_RS)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) < 3_600_000 * 1.1 * 1.13
    assert min(gaps[-3:]) > 3_600_000 * 0.9


def test_a_bridge_joins_the_snoopers_groups_even_without_an_address() -> None:
    lab = Lab()
    machine = lab.machine("br")
    bridge = machine.add_bridge("br0", ipv6=True)
    probe = lab.probe(machine, "p1")
    machine.enslave("p1", "br0")
    machine.set_up("br0")
    lab.run(50 * MS)
    (report,) = probe.of(ICMPv6MLReport2)
    assert mld_records(report) == [(4, "ff02::1:ff00:1"), (4, "ff02::6a")]
    interface = machine.interface("br0")
    assert interface.igmp.is_member(ip_from_text("224.0.0.106"))
    assert bridge.device.running


def test_adding_an_ipv4_address_sends_nothing() -> None:
    lab = Lab()
    machine, probe = host(lab)
    address(machine, "eth0", "10.0.0.2/24")
    lab.run(60 * S)
    assert probe.heard == []


def test_arp_notify_announces_every_ipv4_address_when_the_link_is_set_up() -> None:
    lab = Lab()
    machine, probe = host(lab)
    machine.sysctls["net.ipv4.conf.all.arp_notify"] = 1
    machine.set_down("eth0")
    machine.set_up("eth0")
    lab.run(S)
    (announcement,) = probe.of(ARP)
    assert (announcement[ARP].psrc, announcement[ARP].pdst) == ("10.0.0.1", "10.0.0.1")


def test_setting_a_link_down_takes_its_ipv6_addresses_and_leaves_the_ipv4_ones() -> None:
    lab, machine, probe = ipv6_host()
    address(machine, "eth0", "10.0.0.1/24")
    address(machine, "eth0", "fd00::1/64")
    lab.run(5 * S)
    machine.set_down("eth0")
    assert [a.ip for a in machine.interface("eth0").addresses] == [ip_from_text("10.0.0.1")]
    probe.forget()
    machine.set_up("eth0")
    lab.run(3 * S)
    assert {p[ICMPv6ND_NS].tgt for p in probe.of(ICMPv6ND_NS)} == {LINK_LOCAL}


def test_a_pulled_cable_keeps_the_addresses_and_its_return_repeats_the_reports() -> None:
    lab, machine, probe = ipv6_host()
    lab.run(5 * S)
    before = [a.ip for a in machine.interface("eth0").addresses]
    probe.forget()
    probe.device.set_admin(False)
    lab.run(S)
    probe.device.set_admin(True)
    lab.run(3 * S)
    assert [a.ip for a in machine.interface("eth0").addresses] == before
    assert len(probe.of(ICMPv6MLReport2)) == 2
    assert probe.of(ICMPv6ND_NS) == []


def test_an_address_under_check_when_the_cable_is_pulled_is_not_stuck() -> None:
    lab, machine, probe = ipv6_host()
    lab.run(30 * MS)
    probe.device.set_admin(False)
    lab.run(50 * MS)
    probe.device.set_admin(True)
    lab.run(5 * S)
    found = machine.interface("eth0").find(ip_from_text(LINK_LOCAL))
    assert found is not None
    assert found.usable
