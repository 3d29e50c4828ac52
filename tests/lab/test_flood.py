"""What a frame to everybody costs those who do not want it, and what they say of it."""

from __future__ import annotations

import pytest
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether

from vnet.lab.lab import Lab
from vnet.sim.frame import Frame

MANY = """
version: 1
hosts: {h: {switches: {br0: }}}
vms: {vm: {host: h, count: 20, vnics: [{ip: [10.0.0.1/24, '2001:db8::1/64']}]}}
"""


def test_a_flooded_frame_is_remembered_by_all_and_kept_once() -> None:
    with Lab.from_text(MANY) as lab:
        lab.vm("vm1").vnic().send(Ether(dst="ff:ff:ff:ff:ff:ff", type=0x1234) / b"to everybody")
        lab.advance("1ms")
        logs = [lab.vm(f"vm{number}").vnic().received for number in range(2, 21)]
        entries = [log.since(log.total - 1) for log in logs]
        assert all(entry is not None and entry[2].endswith(b"to everybody") for entry in entries)
        kept = {(id(entry[1]), id(entry[2])) for entry in entries if entry is not None}
        assert len(kept) == 1, "nineteen cards share one time and one frame"


@pytest.mark.parametrize(
    ("source", "target", "word"),
    [
        ("2001:db8::9", "ff02::1:3", "not-a-group-member"),
        ("2001:db8::1", "ff02::1:3", "not-a-group-member"),
        ("ff02::1", "ff02::1:3", "martian-source"),
        ("ff02::1", "ff02::1", "martian-source"),
    ],
)
def test_a_card_says_why_it_turns_a_groups_packet_away(source: str, target: str, word: str) -> None:
    with Lab.from_text(MANY) as lab:
        lab.advance("3s")
        device = lab.vm("vm1").namespace.interface("eth0").device
        before = dict(device.drops)
        packet = Ether(dst="33:33:00:01:00:03") / IPv6(src=source, dst=target) / ICMPv6EchoRequest()
        device.receive(Frame(bytes(packet)))
        new = {r.word: n - before.get(r, 0) for r, n in device.drops.items()}
        assert {reason: number for reason, number in new.items() if number} == {word: 1}


def test_ipv6_believes_a_sender_who_has_our_address() -> None:
    """IPv4 calls it a martian; the kernel's IPv6 answers, to itself."""
    with Lab.from_text(MANY) as lab:
        lab.advance("3s")
        device = lab.vm("vm1").namespace.interface("eth0").device
        before = dict(device.drops)
        packet = Ether(dst="33:33:00:00:00:01") / IPv6(src="2001:db8::1", dst="ff02::1")
        device.receive(Frame(bytes(packet / ICMPv6EchoRequest())))
        assert device.drops == before


def test_a_cut_off_packet_to_a_foreign_group_is_malformed() -> None:
    with Lab.from_text(MANY) as lab:
        lab.advance("3s")
        device = lab.vm("vm1").namespace.interface("eth0").device
        packet = bytes(
            Ether(dst="33:33:00:01:00:03") / IPv6(src="fe80::9", dst="ff02::1:3") / bytes(100)
        )
        device.receive(Frame(packet[:-1]))
        assert {r.word for r in device.drops} >= {"ip-header-error"}
