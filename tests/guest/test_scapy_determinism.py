"""Scapy over vNICs, twice: the same frames at the same times."""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

from vnet.lab.lab import Lab

S = 1_000_000_000


def test_the_same_run_gives_the_same_frames_and_times(lab_of: Callable[[str], Lab]) -> None:
    from_first, from_second = (_story(lab_of) for _ in range(2))
    assert from_first == from_second
    assert len(from_first) > 20


def _story(lab_of: Callable[[str], Lab]) -> list[tuple[int, bytes]]:
    lab = lab_of(
        """
version: 1
hosts:
  h1: {hypervisor: xen, nics: {eth0: }, switches: {xenbr0: }}
  h2: {hypervisor: xen, nics: {eth0: }, switches: {xenbr0: }}
vms:
  vm1: {host: h1, vnics: [{ip: [10.0.0.1/24, '2001:db8::1/64']}]}
  vm2: {host: h2, vnics: [{ip: [10.0.0.2/24, '2001:db8::2/64']}]}
links: [{ends: ['h1:eth0', 'h2:eth0'], latency: 3ms, bandwidth: 10mbit}]
"""
    )
    vnic = lab.vm("vm1").vnic(0)
    lab.advance("2s")
    vnic.sr([IP(dst="10.0.0.2") / ICMP(seq=n) for n in range(3)], inter=0.2, timeout=1)
    vnic.sr1(IPv6(dst="2001:db8::2") / ICMPv6EchoRequest())
    vnic.sr1(IP(dst="10.0.0.77") / TCP(), timeout=2)
    return [
        (int(packet.time * S), bytes(packet))
        for log in (vnic.sent, vnic.received)
        for packet in log
    ]
