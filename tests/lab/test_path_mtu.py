"""A sender learns what a path can take, and keeps to it (RFC 1191, RFC 8201)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment

from vnet import Lab

NARROW = """\
version: 1
name: narrow
hosts:
  h1: {hypervisor: kvm, nics: {eth0: }, switches: {br0: }}
  h2: {hypervisor: kvm, nics: {eth0: }, switches: {br0: }}
vms:
  a: {host: h1, vnics: [{ip: [10.1.0.1/24, 'fd01::1/64']}], gateway: [10.1.0.254, 'fd01::fe']}
  b: {host: h2, vnics: [{ip: [10.2.0.1/24, 'fd02::1/64']}], gateway: [10.2.0.254, 'fd02::fe']}
routers:
  r1:
    nics:
      eth0: {ip: [10.1.0.254/24, 'fd01::fe/64']}
      eth1: {ip: [10.2.0.254/24, 'fd02::fe/64'], mtu: 1280}
links:
  - {ends: ['h1:eth0', 'r1:eth0'], latency: 1ms}
  - {ends: ['r1:eth1', 'h2:eth0'], latency: 1ms}
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab.from_text(NARROW) as lab:
        lab.advance("3s")
        yield lab


def test_the_first_large_ping_is_lost_and_the_rest_are_fragmented(lab: Lab) -> None:
    result = lab.vm("a").ping("10.2.0.1", size=1400, count=4)
    assert (result.received, result.lost) == (3, 1)
    assert result.errors == ["10.1.0.254 icmp_seq=1 Frag needed and DF set (mtu = 1280)"]
    last = lab.vm("a").vnic(0).sent[-1]
    assert last[IP].frag > 0
    assert "DF" not in last[IP].flags


def test_ipv6_has_no_other_way_through(lab: Lab) -> None:
    result = lab.vm("a").ping("fd02::1", size=1400, count=4)
    assert (result.received, result.lost) == (3, 1)
    assert result.errors == ["fd01::fe icmp_seq=1 Packet too big: mtu=1280"]
    assert all(len(bytes(p[IPv6])) <= 1280 for p in lab.vm("a").vnic(0).sent[-2:])
    assert IPv6ExtHdrFragment in lab.vm("a").vnic(0).sent[-1]


def test_a_ping_that_must_not_be_fragmented_is_refused_at_home(lab: Lab) -> None:
    result = lab.vm("a").ping("10.2.0.1", size=1400, count=3, df=True)
    assert result.received == 0
    assert result.errors[1:] == [
        f"10.1.0.1 icmp_seq={number} Message too long, mtu=1280" for number in (2, 3)
    ]


@pytest.mark.parametrize("target", ["10.2.0.1", "fd02::1"])
def test_a_stream_of_datagrams_loses_only_what_was_under_way(lab: Lab, target: str) -> None:
    lab.vm("b").serve_echo()
    stream = lab.vm("a").udp(target, size=1400, count=10, interval="20ms")
    assert stream.sent - stream.received <= 2, "one each way: both ends learn"


def test_only_the_narrow_direction_is_learned(lab: Lab) -> None:
    # It is the router's card towards b that is narrow; b's answers fit all the way.
    lab.vm("a").ping("10.2.0.1", size=1400, count=2)
    assert lab.vm("b").namespace.ipv4.mtu_to(b"\x0a\x01\0\x01") == 1500
    assert lab.vm("a").namespace.ipv4.mtu_to(b"\x0a\x02\0\x01") == 1280
