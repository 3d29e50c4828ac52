"""Frames nobody would send: nothing raises, and every one of them is accounted for."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP
from scapy.layers.inet6 import (
    ICMPv6MLQuery2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6NDOptMTU,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, Ether

from benchmarks.fuzzing.accounting import Witness, imbalances, says_nothing_new
from benchmarks.fuzzing.mutate import Mutator, Stations
from benchmarks.fuzzing.seeds import OURS, PEER, hand_made
from tests.examples import examples
from tests.linux.kit import BROADCAST, Lab, S, address
from vnet.base.ids import ip_from_text, mac_from_text
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame

TO_US = Ether(src=PEER, dst=OURS)
TO_ALL = Ether(src=PEER, dst="33:33:00:00:00:01")
TO_ALL_HOSTS = Ether(src=PEER, dst="01:00:5e:00:00:01")

INVALID: list[Any] = [
    TO_US / ARP(op=9, psrc="10.0.0.2", pdst="10.0.0.1"),
    TO_US / ARP(hwtype=6, psrc="10.0.0.2", pdst="10.0.0.1"),
    TO_ALL_HOSTS / IP(src="10.0.0.9", dst="224.0.0.1", proto=2) / bytes.fromhex("1114000000000000"),
    TO_ALL_HOSTS / IP(src="10.0.0.9", dst="224.0.0.1", proto=2) / bytes.fromhex("990066ff00000000"),
    TO_US / IPv6(src="fd00::2", dst="fd00::1", hlim=64) / ICMPv6ND_NS(tgt="fd00::1"),
    TO_US / IPv6(src="::", dst="fd00::1", hlim=255) / ICMPv6ND_NS(tgt="fd00::1"),
    TO_US
    / IPv6(src="fd00::2", dst="fd00::1", hlim=255)
    / ICMPv6ND_NS(tgt="fd00::1")
    / ICMPv6NDOptSrcLLAddr(len=0),
    TO_US / IPv6(src="fd00::2", dst="fd00::1", hlim=254) / ICMPv6ND_NA(tgt="fd00::2"),
    TO_ALL / IPv6(src="fd00::2", dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt="fd00::2", S=1),
    TO_US / IPv6(src="fd00::2", dst="fd00::1", hlim=255) / ICMPv6ND_NA(tgt="ff02::1"),
    TO_ALL / IPv6(src="fd00::2", dst="ff02::1", hlim=255) / ICMPv6ND_RA(),
    TO_ALL / IPv6(src="fe80::9", dst="ff02::1", hlim=64) / ICMPv6ND_RA(),
    TO_ALL / IPv6(src="fe80::9", dst="ff02::1", hlim=255) / ICMPv6ND_RA() / ICMPv6NDOptMTU(len=0),
    TO_US / IPv6(src="fd00::2", dst="fd00::1", hlim=255) / ICMPv6ND_Redirect(tgt="fe80::7"),
    TO_US / IPv6(src="fe80::2", dst="fd00::1", hlim=9) / ICMPv6ND_Redirect(tgt="fe80::7"),
    TO_US / IPv6(src="fe80::2", dst="fd00::1", hlim=255) / ICMPv6ND_Redirect(tgt="fd00::7"),
    TO_US / IPv6(src="fd00::2", dst="fd00::1") / IPv6ExtHdrHopByHop(nh=58) / b"\x80",
    TO_ALL / IPv6(src="fe05::9", dst="ff02::1", hlim=255) / ICMPv6ND_RA(),
    TO_ALL / IPv6(src="fd00::2", dst="ff02::1", hlim=1) / ICMPv6MLQuery2(),
    TO_ALL / IPv6(src="fe80::9", dst="ff02::1", hlim=9) / ICMPv6MLQuery2(),
    TO_ALL / IPv6(src="fe80::9", dst="ff02::1", hlim=1) / ICMPv6MLQuery2(sources_number=3),
]
"""Frames with good checksums that break a rule of their protocol; each has to be dropped."""


NOISE = st.binary(max_size=200)
ADDRESSED_NOISE = st.tuples(
    st.sampled_from([OURS, BROADCAST, "33:33:00:00:00:01"]),
    st.sampled_from([b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x81\x00", b"\x00\x26"]),
    st.binary(max_size=120),
).map(lambda t: bytes(Ether(src=PEER, dst=t[0]))[:12] + t[1] + t[2])

SEEDS = [*(bytes(packet) for packet in INVALID), *hand_made()]
STATIONS = Stations(
    [mac_from_text(OURS)],
    [ip_from_text(text) for text in ("10.0.0.1", "192.0.2.9", "10.0.0.255")],
    [ip_from_text(text) for text in ("10.0.0.2", "10.0.0.3", "192.0.2.9")],
    [ip_from_text(text) for text in ("fd00::1", "fd00:9::1", "ff02::1", "ff02::1:ff00:1")],
    [ip_from_text(text) for text in ("fd00::2", "fd00:9::1", "fe80::9", "::")],
)


def mutated(chance: Random) -> bytes:
    """One frame of those that the benchmark throws by the million."""
    return next(Mutator(SEEDS, SEEDS, STATIONS, chance).frames())


MUTATED = st.randoms(use_true_random=False, note_method_calls=False).map(mutated)
FRAMES = st.lists(
    st.one_of(MUTATED, MUTATED, st.sampled_from(SEEDS), ADDRESSED_NOISE, NOISE),
    min_size=1,
    max_size=20,
)
SETTINGS = settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)


class Watched:
    """A machine that forwards both families, with a witness behind its devices.

    As a host it does not forward, but listens to routers and follows redirects.
    """

    def __init__(self, *, host: bool = False) -> None:
        self.lab = Lab()
        self.machine: Namespace = self.lab.machine("m")
        self.machine.sysctls["net.ipv4.ip_forward"] = int(not host)
        self.machine.sysctls["net.ipv6.conf.all.forwarding"] = int(not host)
        self.machine.sysctls["net.ipv6.conf.default.accept_ra_rt_info_max_plen"] = 128
        probes = [self.lab.probe(self.machine, "eth0", ipv6=True)]
        probes.append(self.lab.probe(self.machine, "eth1", 2, ipv6=True))
        for device, text in (("eth0", "10.0.0.1/24"), ("eth0", "fd00::1/64")):
            address(self.machine, device, text)
        for device, text in (("eth1", "192.0.2.1/24"), ("eth1", "fd00:9::2/64")):
            address(self.machine, device, text)
        self.machine.sockets.open_udp(lambda *_: None, 7)
        self.lab.run(4 * S)
        self.device = self.machine.interface("eth0").device
        devices = [i.device for i in self.machine.interfaces.values()]
        self.wires: list[NetDevice] = [*devices, *(probe.device for probe in probes)]
        self.witness = Witness(devices, self.machine)


@pytest.mark.parametrize("packet", INVALID, ids=lambda packet: packet.summary())
def test_what_breaks_a_rule_is_dropped_even_by_who_knows_the_sender(packet: Any) -> None:
    watched = Watched()
    interface = watched.machine.interface("eth0")
    mac = mac_from_text(PEER)
    for text, cache in (("10.0.0.2", interface.arp_cache), ("fd00::2", interface.nd_cache)):
        cache.heard(ip_from_text(text), mac, solicited=True)
    before = sum(interface.device.drops.values())
    interface.device.receive(Frame(bytes(packet)))
    assert sum(interface.device.drops.values()) == before + 1
    assert not says_nothing_new(interface, bytes(packet))


def test_a_frame_that_vanished_is_noticed() -> None:
    """The witness itself: it stands behind the devices, and is not fooled by silence."""
    lab = Lab()
    machine = lab.machine("m")
    probe = lab.probe(machine, "eth0")
    machine.interface("eth0").device.rx_handler = lambda _frame: None
    witness = Witness([machine.interface("eth0").device], machine)
    probe.send(b"anything")
    assert witness.vanished == [("m:eth0", b"anything")]


def test_a_frame_lost_on_a_wire_is_noticed() -> None:
    lab = Lab()
    machine = lab.machine("m")
    probe = lab.probe(machine, "eth0")
    probe.send(b"anything")
    assert imbalances([probe.device]) == []
    probe.device.tx_packets += 1
    assert imbalances([probe.device]) == [
        ":probe: 2 sent, 0 lost on the wire, 1 received by m:eth0"
    ]


@pytest.mark.parametrize("host", [False, True])
@SETTINGS
@given(frames=FRAMES)
def test_a_machine_accounts_for_every_frame(host: bool, frames: list[bytes]) -> None:
    watched = Watched(host=host)
    for data in frames:
        # A packet that pretends to be ours may have us tell ourselves of its fate meanwhile.
        before = watched.witness.frames
        watched.device.receive(Frame(data))
        assert watched.witness.frames == before + 1
        watched.lab.run(0)
    watched.lab.run(100 * S)
    assert watched.witness.vanished == []


@SETTINGS
@given(FRAMES, st.lists(st.integers(0, 2), min_size=1, max_size=20))
def test_a_bridge_accounts_for_every_frame(frames: list[bytes], ports: list[int]) -> None:
    lab = Lab()
    machine = lab.machine("br")
    bridge: Bridge = machine.add_bridge("br0", ipv6=True)
    probes = []
    for number in (1, 2, 3):
        probes.append(lab.probe(machine, f"p{number}", number))
        machine.enslave(f"p{number}", "br0")
    machine.set_up("br0")
    devices = [i.device for i in machine.interfaces.values()]
    witness = Witness(devices, machine)
    for number, data in enumerate(frames):
        probes[ports[number % len(ports)]].send(data)
    lab.run(400 * S)
    assert witness.vanished == []
    assert imbalances([*devices, *(probe.device for probe in probes)]) == []
    assert all(entry.is_local for entry in bridge.fdb)
