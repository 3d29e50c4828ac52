"""Every frame of a vNIC, the kernel's own included, as a Scapy packet that rebuilds exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, Ether, IPerror
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6MLReport2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RS,
    IPerror6,
    IPv6,
)
from scapy.layers.l2 import ARP
from scapy.packet import NoPayload, Raw

from vnet.base.ids import ip_from_text
from vnet.guest.dissect import dissect
from vnet.guest.vnic import Vnic
from vnet.lab.lab import Lab

TEXT = """
version: 1
hosts: {h1: {hypervisor: kvm, switches: {br0: }}}
vms:
  vm1: {host: h1, vnics: [{ip: [10.0.0.1/24, '2001:db8::1/64']}]}
  vm2: {host: h1, vnics: [{ip: [10.0.0.2/24, '2001:db8::2/64']}]}
"""


@pytest.fixture(scope="module")
def story() -> Iterator[Lab]:
    """A lab in which every kind of frame has been on the wire."""
    with Lab.from_text(TEXT) as lab:
        vm1, vm2 = lab.vm("vm1"), lab.vm("vm2")
        vm2.serve_echo()
        lab.advance("3s")
        for address in ("10.0.0.2", "2001:db8::2"):
            vm1.ping(address, count=1)
            vm1.ping(address, count=1, size=3000)
            vm1.udp(address, count=1)
            vm1.udp(address, count=1, size=3000)
            vm1.udp(address, count=1, port=9)
        for target in ("10.0.0.2", "10.0.0.99"):
            vm1.arping(target)
        vm1.arping("10.0.0.1", mode="announce")
        vm1.arping("10.0.0.2", mode="duplicate")
        vm1.vnic(0).send(IP(dst="10.0.0.2") / TCP(dport=80, flags="S", options=[("MSS", 1460)]))
        vm1.vnic(0).send(IPv6(dst="2001:db8::2") / TCP(dport=80, flags="S"))
        eth0 = vm1.namespace.interface("eth0")
        eth0.igmp.join(ip_from_text("239.1.1.1"))
        eth0.mld.join(ip_from_text("ff05::1234"))
        lab.advance("5s")
        yield lab


def frames(lab: Lab) -> list[tuple[Any, bytes]]:
    return [
        (packet, raw)
        for name in ("vm1", "vm2")
        for log in (lab.vm(name).vnic(0).sent, lab.vm(name).vnic(0).received)
        for packet, raw in zip(log, log.raw, strict=True)
    ]


def layers_of(packet: Any) -> list[Any]:
    layers = []
    while not isinstance(packet, NoPayload):
        layers.append(packet)
        packet = packet.payload
    return layers


def test_all_kinds_are_there(story: Lab) -> None:
    seen = [packet for packet, _ in frames(story)]
    for kind in (
        ARP,
        ICMP,
        UDP,
        TCP,
        IPerror,
        IPerror6,
        ICMPv6EchoRequest,
        ICMPv6EchoReply,
        ICMPv6ND_NS,
        ICMPv6ND_NA,
        ICMPv6ND_RS,
        ICMPv6MLReport2,
    ):
        assert any(kind in packet for packet in seen), kind
    assert any(IP in packet and packet[IP].proto == 2 for packet in seen), "IGMP"
    assert any(IP in packet and packet[IP].frag for packet in seen), "a fragment"


def test_bytes_of_a_packet_are_the_frame(story: Lab) -> None:
    for packet, raw in frames(story):
        assert isinstance(packet, Ether)
        assert bytes(packet) == raw
        assert bytes(packet.copy()) == raw
        assert bytes(packet.__class__(bytes(packet))) == raw


def test_rebuilding_from_fields_gives_the_frame(story: Lab) -> None:
    for packet, raw in frames(story):
        for layer in layers_of(packet):
            layer.raw_packet_cache = None
            layer.raw_packet_cache_fields = None
        assert bytes(packet) == raw, packet.summary()


def test_recomputing_lengths_and_checksums_gives_the_frame(story: Lab) -> None:
    """Scapy agrees with every length and checksum: it would have written the same."""
    recomputed = 0
    for packet, raw in frames(story):
        if IPerror in packet or IPerror6 in packet:
            continue  # what an error quotes is cut off, so its lengths are another's
        for layer in layers_of(packet):
            fragmented = (
                isinstance(layer, (UDP, ICMP))
                and packet.haslayer(IP)
                and (packet[IP].flags.MF or packet[IP].frag)
            )
            if not fragmented and "Fragment" not in packet.summary():
                for field in ("len", "plen", "chksum", "cksum", "ihl", "dataofs"):
                    recomputed += layer.fields.pop(field, None) is not None
            layer.raw_packet_cache = None
            layer.raw_packet_cache_fields = None
        assert bytes(packet) == raw, packet.summary()
    assert recomputed > 100


def test_packets_are_stamped_with_virtual_time(story: Lab) -> None:
    for log in (story.vm("vm1").vnic(0).sent, story.vm("vm1").vnic(0).received):
        times = [int(packet.time * 1_000_000_000) - story.topology.epoch_ns for packet in log]
        assert times == sorted(times)
        assert 0 <= times[0] < times[-1] <= story.now_ns


def test_a_log_is_a_sequence(story: Lab) -> None:
    log = story.vm("vm1").vnic(0).sent
    assert len(log) == log.total == len(log.raw)
    assert bytes(log[-1]) == log.raw[-1]
    assert [bytes(packet) for packet in log[1:4]] == log.raw[1:4]
    assert "frames" in repr(log)


def test_reading_a_log_changes_nothing(story: Lab) -> None:
    log = story.vm("vm1").vnic(0).sent
    log[0].dst = "02:00:00:00:00:07"
    assert bytes(log[0]) == log.raw[0]


def test_odd_frames_rebuild_too(two: Lab) -> None:
    vnic: Vnic = two.vm("vm1").vnic(0)
    odd = [
        Ether(dst="02:00:00:00:00:01", type=0x88B5) / Raw(b"x"),
        Ether(dst="02:00:00:00:00:01") / IP(dst="10.0.0.2", len=20) / Raw(b"padding after"),
        bytes(14),
        b"\xff" * 60,
        bytes(Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02", type=0x0800)) + b"\x4f\0\0",
    ]
    for given in odd:
        vnic.send(given)
        assert bytes(vnic.sent[-1]) == vnic.sent.raw[-1]
        if isinstance(given, bytes):
            assert vnic.sent.raw[-1] == given


UDP_QUOTED = IP(src="10.0.0.1", dst="10.0.0.2", len=28) / UDP(len=8)
UDP6_QUOTED = IPv6(src="fd00::1", dst="fd00::2", plen=8) / UDP(len=8)
MACS = Ether(src="02:00:00:00:00:02", dst="02:00:00:00:00:01")
ERROR = MACS / IP(src="10.0.0.2", dst="10.0.0.1") / ICMP(type=3, code=1)
ERROR6 = MACS / IPv6(src="fd00::2", dst="fd00::1") / ICMPv6DestUnreach()


@pytest.mark.parametrize("behind", [0, 1, 8, 97, 200, 400])
@pytest.mark.parametrize("error", [ERROR / UDP_QUOTED, ERROR6 / UDP6_QUOTED], ids=["ipv4", "ipv6"])
def test_an_error_that_quotes_more_than_a_packet_rebuilds_exactly(error: Any, behind: int) -> None:
    """Scapy by itself takes the rest for padding, or an extension, and moves it to the end."""
    rest = (bytes(range(1, 201)) * 2)[:behind]
    data = bytes(error / Raw(rest) if behind else error) + b"\0" * 7
    packet = dissect(data, 0)
    assert bytes(packet) == data
    assert packet.haslayer(ICMP) or packet.haslayer(ICMPv6DestUnreach)


def test_an_error_that_quotes_a_packet_as_it_was_keeps_it_readable() -> None:
    packet = dissect(bytes(ERROR / UDP_QUOTED), 0)
    assert packet[IPerror].dst == "10.0.0.2"


def test_what_scapy_mends_as_it_reads_is_left_unread() -> None:
    """Scapy's IGMP writes options into the header before it, into one that is broken, too."""
    pytest.importorskip("scapy.layers.igmp", reason="Scapy before 2.8 has no layers.igmp")
    data = bytes.fromhex(
        "01005e0000010a0000000001080080000024000000000102ffff0a0000020a000001"
        "940400001114ebeb00000000027d0000"
    )
    packet = dissect(data, 0)
    assert bytes(packet) == data
    assert packet[Ether].dst == "01:00:5e:00:00:01"
