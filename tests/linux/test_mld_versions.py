"""MLD listeners between queriers of both versions, as the kernel's are (RFC 3810 section 8)."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet6 import (
    ICMPv6MLDone,
    ICMPv6MLQuery,
    ICMPv6MLQuery2,
    ICMPv6MLReport,
    ICMPv6MLReport2,
    IPv6,
    IPv6ExtHdrHopByHop,
    PadN,
    RouterAlert,
)
from scapy.layers.l2 import Ether

from tests.linux.kit import MS, Lab, Probe, S, address, drops, ip6
from vnet.base.ids import ip_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.wire import ipv6, mld
from vnet.wire.ipv6_options import router_alert_of

GROUP = "ff02::abcd"
ALERT = IPv6ExtHdrHopByHop(options=[RouterAlert(value=0), PadN(optdata=b"")])
OLD = ICMPv6MLQuery(mrd=100)


def listener() -> tuple[Lab, Namespace, Probe]:
    lab = Lab()
    machine = lab.machine("host")
    probe = lab.probe(machine, "eth0", ipv6=True)
    lab.run(5 * S)
    probe.forget()
    return lab, machine, probe


def say(probe: Probe, message: Any, group: str = "ff02::1", headers: Any = ALERT) -> None:
    packet = ip6("fe80::2", group, hlim=1)
    packet = packet / headers / message if headers is not None else packet / message
    mac = "33:33:" + ":".join(f"{byte:02x}" for byte in ip_from_text(group)[12:])
    probe.send(Ether(src=probe.mac, dst=mac) / packet)


def test_an_old_querier_is_told_at_once_and_once_more_within_ten_seconds() -> None:
    lab, machine, probe = listener()
    say(probe, OLD)
    lab.run(S)
    probe.forget()
    began_ms = lab.now_ms
    machine.interface("eth0").mld.join(ip_from_text(GROUP))
    lab.run(11 * S)
    reports = probe.of(ICMPv6MLReport)
    assert {(p[IPv6].dst, p[ICMPv6MLReport].mladdr) for p in reports} == {(GROUP, GROUP)}
    first_ms, second_ms = (time - began_ms for time in probe.times_ms(ICMPv6MLReport))
    assert first_ms < 1 < second_ms < 10_600
    assert probe.of(ICMPv6MLReport2) == []


def test_leaving_is_told_once_to_all_routers_by_who_reported_last() -> None:
    lab, machine, probe = listener()
    say(probe, OLD)
    membership = machine.interface("eth0").mld
    for heard, told in ((False, 1), (True, 0)):
        membership.join(ip_from_text(GROUP))
        lab.run(12 * S)
        if heard:
            say(probe, ICMPv6MLReport(mladdr=GROUP), GROUP)
        probe.forget()
        membership.leave(ip_from_text(GROUP))
        lab.run(3 * S)
        assert [p[IPv6].dst for p in probe.of(ICMPv6MLDone)] == ["ff02::2"] * told


def test_anothers_report_spares_our_own() -> None:
    lab, machine, probe = listener()
    say(probe, ICMPv6MLQuery(mrd=10_000))
    say(probe, ICMPv6MLReport(mladdr="ff02::1:ff00:1"), "ff02::1:ff00:1")
    lab.run(11 * S)
    assert probe.of(ICMPv6MLReport) == []
    machine.interface("eth0").mld.join(ip_from_text(GROUP))
    say(probe, ICMPv6MLReport(mladdr=GROUP), GROUP)
    lab.run(11 * S)
    assert [p[ICMPv6MLReport].mladdr for p in probe.of(ICMPv6MLReport)].count(GROUP) == 1


def test_version_2_comes_back_when_the_old_querier_has_been_silent() -> None:
    """Robustness times its interval, and a response interval: 260 s unless a querier says."""
    lab, machine, probe = listener()
    say(probe, OLD)
    for wait_s, kind in ((259, ICMPv6MLReport), (2, ICMPv6MLReport2)):
        lab.run(wait_s * S)
        probe.forget()
        machine.interface("eth0").mld.join(ip_from_text(f"ff02::{wait_s}"))
        lab.run(20 * MS)
        assert len(probe.of(kind)) == 1


def test_a_querier_says_how_long_that_is_and_how_often_to_report() -> None:
    lab, machine, probe = listener()
    say(probe, ICMPv6MLQuery2(mrd=100, QRV=3, QQIC=10))
    lab.run(S)
    say(probe, OLD)
    lab.run(31 * S)
    probe.forget()
    machine.interface("eth0").mld.join(ip_from_text(GROUP))
    lab.run(5 * S)
    assert len(probe.of(ICMPv6MLReport2)) == 3


def test_whoever_adds_an_address_makes_the_kernel_forget_what_queriers_said() -> None:
    lab, machine, probe = listener()
    say(probe, OLD)
    lab.run(S)
    probe.forget()
    address(machine, "eth0", "fd00::77/64")
    lab.run(20 * MS)
    assert len(probe.of(ICMPv6MLReport2)) == 1


@pytest.mark.parametrize(("version", "kind"), [(1, ICMPv6MLReport), (2, ICMPv6MLReport2)])
def test_a_version_may_be_forced(version: int, kind: Any) -> None:
    lab, machine, probe = listener()
    say(probe, OLD)
    machine.sysctls["net.ipv6.conf.eth0.force_mld_version"] = version
    machine.interface("eth0").mld.join(ip_from_text(GROUP))
    lab.run(20 * MS)
    assert len(probe.of(kind)) >= 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(None, id="no header for it"),
        pytest.param(IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]), id="only padding"),
        pytest.param(
            IPv6ExtHdrHopByHop(options=[RouterAlert(value=1), PadN(optdata=b"")]), id="RSVP's"
        ),
    ],
)
def test_a_query_that_does_not_alert_routers_is_dropped(headers: Any) -> None:
    lab, machine, probe = listener()
    say(probe, ICMPv6MLQuery2(mrd=100), headers=headers)
    lab.run(S)
    assert probe.of(ICMPv6MLReport2) == []
    assert drops(machine.interface("eth0").device) == {"mld-invalid": 1}


def test_what_a_query_says_of_its_querier() -> None:
    body = bytes(ICMPv6MLQuery2(mrd=1, QRV=5, QQIC=0x9B))[4:]
    assert mld.parse_querier(body) == mld.Querier(5, (0x1B) << 4)
    assert mld.parse_querier(bytes(ICMPv6MLQuery(mrd=1))[4:]) is None


def test_a_router_alert_is_found_behind_other_options() -> None:
    for options, value in (
        ([PadN(optdata=b""), RouterAlert(value=0)], 0),
        ([PadN(optdata=b"abcd")], None),
    ):
        packet = ip6("fe80::1", "ff02::1") / IPv6ExtHdrHopByHop(options=options)
        header = ipv6.parse(bytes(packet))
        assert header is not None
        assert router_alert_of(header) == value
