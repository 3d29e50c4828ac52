"""What a packet leaves open is filled in from the guest, and from nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scapy.config import conf
from scapy.layers.inet import ICMP, IP, UDP, Ether
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6MLReport2, IPv6
from scapy.layers.l2 import ARP, GRE, LLC, STP, Dot1Q, Dot3
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw
from scapy.volatile import RandShort

from vnet.base.errors import UsageError
from vnet.guest.vnic import Vnic
from vnet.lab.lab import Lab

BARE = """
version: 1
hosts: {h1: {hypervisor: kvm, switches: {br0: }}}
vms:
  bare: {host: h1, vnics: [{ipv6: false}]}
  many: {host: h1, vnics: [{ip: 10.0.0.1/24}, {ip: 10.9.0.1/24}]}
  peer: {host: h1, vnics: [{ip: [10.0.0.2/24, 10.9.0.2/24]}]}
"""


def nic(lab: Lab, name: str = "vm1", index: int = 0) -> Vnic:
    return lab.vm(name).vnic(index)


def sent(lab: Lab, packet: Any, name: str = "vm1", index: int = 0) -> Any:
    """The first frame that the card sent when told to send ``packet``."""
    vnic = nic(lab, name, index)
    before = len(vnic.sent)
    vnic.send(packet)
    return vnic.sent[before]


def test_frames_get_the_guest_s_own_addresses(two: Lab) -> None:
    vnic = nic(two)
    frame = sent(two, Ether(dst="02:00:00:00:00:02") / IP(dst="10.0.0.2") / ICMP())
    assert (frame.src, frame.dst, frame[IP].src) == (vnic.mac, "02:00:00:00:00:02", "10.0.0.1")
    frame = sent(two, Ether() / ARP(pdst="10.0.0.2"))
    assert (frame.src, frame.dst) == (vnic.mac, "ff:ff:ff:ff:ff:ff")
    assert (frame[ARP].hwsrc, frame[ARP].psrc) == (vnic.mac, "10.0.0.1")


def test_what_was_set_is_not_touched(two: Lab) -> None:
    given = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(
        src="192.0.2.9", dst="198.51.100.1", chksum=0xBAD, len=99
    )
    assert bytes(sent(two, given)) == bytes(given)
    given = Ether(src="02:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff") / ARP(
        hwsrc="02:00:00:00:00:03", psrc="0.0.0.0", pdst="10.0.0.2"
    )
    assert bytes(sent(two, given)) == bytes(given)


def test_the_user_s_packet_is_not_changed(two: Lab) -> None:
    given = Ether() / IP(dst="10.0.0.2") / ICMP()
    before = (dict(given.fields), dict(given[IP].fields))
    sent(two, given)
    nic(two).sr1(given, timeout=1)
    assert (given.fields, given[IP].fields) == before
    assert given.sent_time is not None


@pytest.mark.parametrize(
    ("packet", "mac"),
    [
        (Ether() / IP(dst="224.0.0.5"), "01:00:5e:00:00:05"),
        (Ether() / IP(dst="255.255.255.255"), "ff:ff:ff:ff:ff:ff"),
        (IP(dst="10.0.0.255") / ICMP(), "ff:ff:ff:ff:ff:ff"),
        (Ether() / IP(dst="10.0.0.255") / ICMP(), "ff:ff:ff:ff:ff:ff"),
        (IP(dst="239.1.1.1") / UDP(), "01:00:5e:01:01:01"),
        (IP(dst="255.255.255.255") / UDP(), "ff:ff:ff:ff:ff:ff"),
        (Ether() / Raw(b"x"), "ff:ff:ff:ff:ff:ff"),
        (Dot3() / LLC() / STP(), "ff:ff:ff:ff:ff:ff"),
        (Ether() / Dot1Q(vlan=5) / ARP(pdst="10.0.0.2"), "ff:ff:ff:ff:ff:ff"),
    ],
)
def test_destinations_that_need_no_asking(two: Lab, packet: Any, mac: str) -> None:
    frame = sent(two, packet)
    assert (frame.dst, frame.src) == (mac, nic(two).mac)
    if IP in frame:
        assert frame[IP].src == "10.0.0.1"


def test_ipv6_multicast_leaves_by_this_card(six: Lab) -> None:
    frame = sent(six, IPv6(dst="ff02::1") / ICMPv6EchoRequest())
    assert frame.dst == "33:33:00:00:00:01"
    assert frame[IPv6].src.startswith("fe80")
    frame = sent(six, Ether() / IPv6() / ICMPv6MLReport2())
    assert (frame[IPv6].dst, frame.dst) == ("ff02::16", "33:33:00:00:00:16")
    frame = sent(six, IPv6(dst="2001:db8::2") / ICMPv6EchoRequest())
    assert frame[IPv6].src == "2001:db8::1" or frame.dst == "33:33:ff:00:00:02"


def test_an_unknown_neighbour_is_asked_for_by_the_kernel(two: Lab) -> None:
    vnic = nic(two)
    vnic.send(Ether() / IP(dst="10.0.0.2", id=77) / ICMP())
    two.advance("1s")
    assert [ARP in frame for frame in vnic.sent][:2] == [True, False]
    assert (vnic.sent[1].dst, vnic.sent[1][IP].id) == (nic(two, "vm2").mac, 77)
    # Now that it is known, the frame is the user's own to the last byte.
    frame = sent(two, Ether(type=0x0800) / IP(dst="10.0.0.2", id=78) / ICMP())
    assert (frame.dst, frame[IP].id) == (nic(two, "vm2").mac, 78)


def test_answered_questions_have_no_open_ends(two: Lab) -> None:
    """Looking at what was sent must not send Scapy out into the real network."""
    answered, unanswered = nic(two).sr(
        [Ether() / IP(dst=f"10.0.0.{last}") / ICMP() for last in (2, 9)], timeout=1
    )
    query = answered[0].query
    assert (query.src, query.dst, query[IP].src) == (
        nic(two).mac,
        nic(two, "vm2").mac,
        "10.0.0.1",
    )
    assert unanswered[0].dst == "ff:ff:ff:ff:ff:ff"
    for packet in (query, unanswered[0]):
        assert bytes(packet)
        assert packet.summary()


def test_the_gateway_s_mac_is_used_for_what_is_beyond_it(routed: Lab) -> None:
    vnic = nic(routed)
    assert vnic.sr1(Ether() / IP(dst="10.0.2.1") / ICMP()) is not None
    frame = sent(routed, Ether() / IP(dst="10.0.2.1") / ICMP())
    router = routed.router("r1").namespace.interface("eth0").device.mac.hex(":")
    assert (frame.dst, frame[IP].src) == (router, "10.0.1.1")


def test_inner_headers_are_filled_in_too(two: Lab) -> None:
    inner = Ether() / IP(dst="10.0.0.7") / ICMP()
    frame = sent(two, Ether(dst="02:00:00:00:00:02") / IP(dst="10.0.0.2") / UDP() / VXLAN() / inner)
    assert (frame[VXLAN][Ether].src, frame[VXLAN][Ether].dst) == (nic(two).mac, "ff:ff:ff:ff:ff:ff")
    assert frame[VXLAN][IP].src == "10.0.0.1"
    frame = sent(two, Ether(dst="02:00:00:00:00:02") / IPv6(dst="2001:db8::9") / IP(dst="10.0.0.2"))
    assert (frame[IPv6].src, frame[IP].src) == ("::", "10.0.0.1")
    frame = sent(
        two, Ether(dst="02:00:00:00:00:02") / IP(dst="1.2.3.4") / GRE() / IP(dst="1.1.1.1")
    )
    assert frame[GRE][IP].src == "10.0.0.1"


def test_a_card_without_an_address_sends_from_none(lab_of: Callable[[str], Lab]) -> None:
    lab = lab_of(BARE)
    frame = sent(lab, Ether(dst="02:00:00:00:00:02") / IP(dst="10.0.0.2"), "bare")
    assert frame[IP].src == "0.0.0.0"
    frame = sent(lab, Ether(dst="02:00:00:00:00:02") / IPv6(dst="2001:db8::2"), "bare")
    assert frame[IPv6].src == "::"
    assert sent(lab, Ether() / ARP(pdst="10.0.0.2"), "bare")[ARP].psrc == "0.0.0.0"
    assert nic(lab, "bare").sr1(IP(dst="10.0.0.2") / ICMP(), timeout=1) is None


def test_a_second_card_has_its_own_addresses(lab_of: Callable[[str], Lab]) -> None:
    lab = lab_of(BARE)
    second = nic(lab, "many", 1)
    assert second.sr1(IP(dst="10.9.0.2") / ICMP()).dst == "10.9.0.1"
    assert sent(lab, Ether() / IP(dst="10.9.0.2") / ICMP(), "many", 1).src == second.mac
    assert sent(lab, Ether() / ARP(pdst="10.9.0.2"), "many", 1)[ARP].psrc == "10.9.0.1"
    # A multicast has no route: it leaves by the card it was handed to.
    assert sent(lab, IP(dst="224.0.0.9") / UDP(), "many", 1)[IP].src == "10.9.0.1"


def test_a_packet_that_stands_for_many_is_sent_as_its_first(two: Lab) -> None:
    frame = sent(two, Ether(dst="02:00:00:00:00:02") / IP(dst="10.0.0.4/30", ttl=(3, 5)))
    assert (frame[IP].dst, frame[IP].ttl) == ("10.0.0.4", 3)
    assert (
        sent(two, Ether(dst="02:00:00:00:00:02") / IP(dst="10.0.0.2", id=RandShort()))[IP].id >= 0
    )
    with pytest.raises(UsageError, match="empty set"):
        nic(two).send(Ether(dst="02:00:00:00:00:02") / IP(dst="10.0.0.2", ttl=(5, 3)))


def test_a_received_frame_sent_again_is_the_same_bytes(two: Lab) -> None:
    two.vm("vm1").ping("10.0.0.2", count=1)
    for frame in nic(two).received:
        assert bytes(sent(two, frame)) == bytes(frame)


def test_a_name_is_not_an_address(two: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = IP(dst="10.0.0.2") / ICMP()
    packet.fields["dst"] = "gateway.example"
    with pytest.raises(UsageError, match="not an IP address"):
        nic(two).send(packet)


def test_a_tagged_packet_to_an_unknown_neighbour_says_what_is_missing(two: Lab) -> None:
    with pytest.raises(UsageError, match="nobody can tell the MAC"):
        nic(two).send(Ether() / Dot1Q(vlan=5) / IP(dst="10.0.0.2"))


def test_outside_a_lab_scapy_asks_this_computer_again(two: Lab) -> None:
    nic(two).sr1(IP(dst="10.0.0.2") / ICMP())
    with pytest.raises(AssertionError, match="the computer that the tests run on"):
        conf.route.route("10.0.0.2")
