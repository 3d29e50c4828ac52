"""What fragments cost a machine: as much memory and as many events as Linux allows them."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP

from tests.linux.kit import Lab, S, dropped, host, ip, to_host
from vnet.linux.netns import drops
from vnet.wire import ipv4

HIGH_THRESH = 4 << 20
"""net.ipv4.ipfrag_high_thresh."""


def test_half_packets_take_four_megabytes_and_no_more() -> None:
    lab = Lab()
    machine, probe = host(lab)
    machine.set_mtu("eth0", 65_535)
    for number in range(400):
        half = IP(src="10.0.0.2", dst="10.0.0.1", id=number + 1, flags="MF", proto=17)
        # Padding is held, too, for as long as the frame is.
        probe.send(bytes(to_host(probe, half / bytes(8))) + bytes(20_000))
    held = machine.ipv4.held_bytes
    assert HIGH_THRESH < held < HIGH_THRESH + 21_000
    waiting = 400 - dropped(machine, drops.FRAGMENT_LIMIT)
    assert waiting == pytest.approx(HIGH_THRESH / 20_618, abs=1)
    lab.run(31 * S)
    assert machine.ipv4.held_bytes == 0
    assert dropped(machine, drops.FRAGMENT_TIMEOUT) == waiting


def test_packets_that_became_whole_leave_one_event_between_them() -> None:
    lab = Lab()
    _machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")
    before = lab.scheduler.pending
    for number in range(100):
        whole = IP(src="10.0.0.2", dst="10.0.0.1", id=number + 1) / ICMP(id=1) / bytes(2000)
        for piece in ipv4.fragment(bytes(whole), 1500):
            probe.send(bytes(to_host(probe, ip("10.0.0.2", "10.0.0.1")))[:14] + piece)
    assert lab.scheduler.pending <= before + 3
    assert len([p for p in probe.of(IP) if p[IP].frag == 0]) == 100


def test_each_half_packet_still_has_its_own_thirty_seconds() -> None:
    lab = Lab()
    machine, probe = host(lab)
    for number in range(3):
        half = IP(src="10.0.0.2", dst="10.0.0.1", id=number + 1, flags="MF", proto=17)
        probe.send(to_host(probe, half / bytes(8)))
        lab.run(10 * S)
    expired = []
    for _ in range(3):
        lab.run(5 * S)
        expired.append(dropped(machine, drops.FRAGMENT_TIMEOUT))
        lab.run(5 * S)
    assert expired == [1, 2, 3]
