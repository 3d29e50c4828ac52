"""Rings of bridges: a spanning tree keeps frames from circling, and finds other ways."""

from __future__ import annotations

import pytest

from vnet.lab.lab import Lab
from vnet.lab.report import Report

RING = """\
version: 1
name: ring
hosts:
  h1: {hypervisor: kvm, nics: {eth0: {ip: 192.0.2.1/24}}, switches: {br0: {}}}
  h2: {hypervisor: kvm, nics: {eth0: {ip: 192.0.2.2/24}}, switches: {br0: {}}}
vms:
  a: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  b: {host: h2, vnics: [{ip: 10.0.0.2/24}]}
switches:
  s1: {type: ovs%(more)s}
  s2: {type: ovs%(more)s}
  s3: {type: ovs%(more)s}
links:
  - {ends: ['h1:eth0', 's1:a'], latency: 10us}
  - {ends: ['h2:eth0', 's2:b'], latency: 10us}
  - {ends: ['s1:p2', 's2:p1'], latency: 1ms}
  - {ends: ['s2:p3', 's3:p2'], latency: 1ms}
  - {ends: ['s3:p1', 's1:p3'], latency: 1ms}
scenario:
%(steps)s
"""

PING = "{ping: {from: a, to: b, count: 2}, expect: {received: 2}}"


def ring(more: str, *steps: str) -> Report:
    written = "\n".join(f"  - {step}" for step in steps)
    return Lab.from_text(RING % {"more": more and f", {more}", "steps": written}).run()


@pytest.mark.slow
def test_without_a_tree_one_broadcast_circles() -> None:
    assert ring("", "{wait: 1s}", "{ping: {from: a, to: b, count: 1}}").storms


@pytest.mark.parametrize(("protocol", "first"), [("rstp", "5s"), ("stp", "35s")])
def test_with_a_tree_all_are_reached_and_nothing_circles(protocol: str, first: str) -> None:
    report = ring(f"{protocol}: true", f"{{wait: {first}}}", PING)
    assert report.held, report
    assert not report.storms


@pytest.mark.parametrize(
    ("protocol", "first", "wait"), [("rstp", "5s", "1s"), ("stp", "35s", "55s")]
)
def test_where_a_link_breaks_the_other_way_round_is_taken(
    protocol: str, first: str, wait: str
) -> None:
    report = ring(
        f"{protocol}: true",
        f"{{wait: {first}}}",
        PING,
        "{link: {end: 's1:p2', state: down}}",
        f"{{wait: {wait}}}",
        PING,
    )
    assert report.held, report
    assert not report.storms


def test_until_the_tree_stands_nothing_passes() -> None:
    report = ring("stp: true", "{ping: {from: a, to: b, count: 2}, expect: {received: 0}}")
    assert report.held, report
    assert not report.storms


LINUX_AND_OVS = [
    ("{type: ovs, stp: true, other_config: {stp-priority: 4096}}", "{stp: true}", "{stp: true}"),
    ("{stp: true, priority: 4096}", "{type: ovs, stp: true}", "{type: ovs, stp: true}"),
    ("{stp: true}", "{type: ovs, stp: true, other_config: {stp-priority: 4096}}", "{stp: true}"),
]


@pytest.mark.parametrize("kinds", LINUX_AND_OVS)
def test_bridges_of_linux_and_of_open_vswitch_make_one_tree(kinds: tuple[str, ...]) -> None:
    steps = ("{wait: 40s}", PING, "{link: {end: 's1:p2', state: down}}", "{wait: 60s}", PING)
    written = "\n".join(f"  - {step}" for step in steps)
    text = RING % {"more": "", "steps": written}
    for number, kind in enumerate(kinds, 1):
        text = text.replace(f"s{number}: {{type: ovs}}", f"s{number}: {kind}")
    report = Lab.from_text(text).run()
    assert report.held, report
    assert not report.storms
