"""Corners of netfilter at which random rules and packets have found a difference from Linux."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from tests.linux.kit import (
    Lab,
    Probe,
    S,
    address,
    dropped,
    host,
    ip,
    ip6,
    probe_mac,
    router,
    swallow,
    to_host,
)
from vnet.base.ids import ip_from_text, ip_text, mac_from_text
from vnet.linux.netns import drops
from vnet.linux.netns.namespace import Namespace
from vnet.tables.conntrack.key import parts_of
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.entry import Entry
from vnet.tables.conntrack.linux.tracker import Tracker
from vnet.tables.conntrack.linux.tracking import INVALID
from vnet.tables.neigh import Nud


def bridging(lab: Lab) -> tuple[Namespace, list[Probe]]:
    """A machine whose bridge shows packets to netfilter, and its two ports."""
    machine = lab.machine("gateway")
    machine.add_bridge("br0")
    probes = [lab.probe(machine, f"p{number}", number) for number in (1, 2)]
    for number in (1, 2):
        machine.enslave(f"p{number}", "br0")
    machine.set_up("br0")
    machine.links.load_br_netfilter()
    return machine, probes


def entries(machine: Namespace) -> list[Entry]:
    netfilter = machine.make_netfilter()
    return list(netfilter.conntrack.entries(machine.scheduler.now_ns))


def test_who_was_given_a_zone_is_tracked_whatever_the_next_rule_says() -> None:
    lab = Lab()
    machine, inside, _ = router(lab)
    rules = "*raw\n-A PREROUTING -j CT --zone 3\n-A PREROUTING -j CT --notrack\nCOMMIT\n"
    machine.make_netfilter().rules4.restore(rules)
    inside.send(to_host(inside, ip("10.0.1.1", "10.0.2.1") / UDP()))
    assert len(entries(machine)) == 1


def test_who_talks_to_himself_answers_himself() -> None:
    """The second packet has the key of an answer, too."""
    lab = Lab()
    machine, inside, _ = router(lab)
    machine.make_netfilter().track(4)
    packet = ip("10.0.1.1", "10.0.1.1") / UDP(sport=9, dport=9)
    inside.send(to_host(inside, packet))
    (entry,) = entries(machine)
    assert not entry.status & status.SEEN_REPLY
    inside.send(to_host(inside, packet))
    assert entry.status & status.SEEN_REPLY


def test_what_goes_to_an_own_address_comes_from_the_first_of_its_network() -> None:
    lab = Lab()
    machine, _ = host(lab, "10.0.0.1/24")
    address(machine, "eth0", "10.0.0.2/24")
    assert ip_text(machine.sockets.source_for(ip_from_text("10.0.0.2"))) == "10.0.0.1"


def test_what_a_bridge_has_put_together_leaves_whole_if_it_was_routed() -> None:
    lab = Lab()
    machine, probes = bridging(lab)
    machine.sysctls["net.ipv4.ip_forward"] = 1
    machine.make_netfilter().track(4)
    address(machine, "br0", "10.0.0.254/24")
    probes[1].answers_arp("10.0.0.2")
    mac = machine.interface("br0").device.mac.hex(":")
    for piece in fragment(ip("10.0.0.1", "10.0.0.2") / UDP() / (b"p" * 40), fragsize=24):
        probes[0].send(Ether(src=probe_mac(1), dst=mac) / piece)
    (whole,) = [packet for packet in probes[1].of(IP) if packet[IP].dst == "10.0.0.2"]
    assert (whole[IP].frag, whole[IP].flags.MF, whole[IP].len) == (0, False, 68)


def rejecting(rule: str) -> tuple[Lab, Namespace, Probe]:
    lab = Lab()
    machine, probe = host(lab, "10.0.0.1/24")
    probe.answers_arp("10.0.0.2")
    machine.make_netfilter().rules4.restore(f"*filter\n{rule}\nCOMMIT\n")
    return lab, machine, probe


@pytest.mark.parametrize(
    ("packet", "is_told"),
    [
        (ip("10.0.0.2", "10.0.0.1") / UDP(dport=9) / b"sound", True),
        (ip("10.0.0.2", "10.0.0.1") / UDP(dport=9, chksum=0x1234) / b"bad", False),
        # A protocol that nobody knows is taken for having a checksum, ESP for having none.
        (ip("10.0.0.2", "10.0.0.1", proto=200) / b"what", False),
        (ip("10.0.0.2", "10.0.0.1", proto=200) / b"\xff\xff", True),
        (ip("10.0.0.2", "10.0.0.1", proto=200), True),
        (ip("10.0.0.2", "10.0.0.1", proto=50) / b"what", True),
    ],
)
def test_who_is_told_of_a_rejection(packet: IP, is_told: bool) -> None:
    _, _, probe = rejecting("-A INPUT -j REJECT")
    probe.send(to_host(probe, packet))
    assert [p[ICMP].type for p in probe.of(ICMP)] == ([3] if is_told else [])


def test_nobody_is_told_that_the_machines_own_reply_was_rejected() -> None:
    _, machine, probe = rejecting("-A OUTPUT -p icmp -j REJECT")
    probe.send(to_host(probe, ip("10.0.0.2", "10.0.0.1") / ICMP(id=1)))
    assert probe.of(ICMP) == []
    assert "[1:28] -A OUTPUT" in machine.make_netfilter().rules4.save(counters=True)


def test_a_connection_that_was_reset_is_over() -> None:
    lab = Lab()
    machine, inside, outside = router(lab)
    netfilter = machine.make_netfilter()
    netfilter.track(4)
    inside.send(to_host(inside, ip("10.0.1.1", "10.0.2.1") / TCP(sport=9, dport=80, flags="S")))
    (entry,) = entries(machine)
    assert str(entry.l4) == "SYN_SENT"
    netfilter.rules4.restore(
        "*filter\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n"
    )
    answer = ip("10.0.2.1", "10.0.1.1") / TCP(sport=80, dport=9, flags="SA", ack=1)
    outside.send(to_host(outside, answer, 2))
    assert str(entry.l4) == "CLOSE"
    assert entry.timeout_s(machine.scheduler.now_ns) <= 10


def host6(rule: str) -> tuple[Namespace, Probe]:
    """fd00::1, which has an address of its link besides."""
    lab = Lab()
    machine, probe = host(lab, "fd00::1/64", ipv6=True)
    lab.run(3 * S)
    table = machine.interface("eth0").nd_cache
    table.set(ip_from_text("fd00::2"), mac_from_text(probe.mac), Nud.PERMANENT)
    machine.make_netfilter().rules6.restore(rule)
    return machine, probe


def test_a_redirection_of_ipv6_leads_to_an_address_that_is_not_of_the_link() -> None:
    machine, probe = host6("*nat\n-A PREROUTING -p udp -j REDIRECT\nCOMMIT\n")
    probe.send(to_host(probe, ip6("fd00::2", "fd00::1") / UDP(sport=9, dport=9)))
    (entry,) = entries(machine)
    assert ip_text(parts_of(entry.reply_key).source) == "fd00::1"


def test_a_reset_of_netfilters_has_no_flow_label() -> None:
    _, probe = host6("*filter\n-A INPUT -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n")
    probe.send(to_host(probe, ip6("fd00::2", "fd00::1") / TCP(sport=9, dport=80, flags="S")))
    (reset,) = probe.of(TCP)
    assert (str(reset[TCP].flags), reset[IPv6].fl) == ("RA", 0)


def test_what_is_sent_elsewhere_and_cannot_go_there_meets_no_more_rules() -> None:
    lab = Lab()
    machine, probe = host(lab, "10.0.0.1/24")
    probe.answers_arp("10.0.0.2")
    rules = machine.make_netfilter().rules4
    rules.restore("*nat\n-A OUTPUT -p udp -j DNAT --to-destination 10.9.9.9\nCOMMIT\n")
    rules.restore("*filter\n-A OUTPUT -p udp\nCOMMIT\n")
    machine.sockets.open_udp(swallow).send_to(ip_from_text("10.0.0.2"), 9, b"")
    lab.run(0)
    assert "[0:0] -A OUTPUT -p udp" in rules.save("filter", counters=True)
    assert dropped(machine, drops.NO_ROUTE) == 1


def test_a_bridge_learns_nothing_from_a_martian_that_is_sent_elsewhere() -> None:
    """It is thrown away before its sender is looked at."""
    lab = Lab()
    machine, (probe, _) = bridging(lab)
    machine.sysctls["net.ipv4.ip_forward"] = 1
    address(machine, "br0", "10.0.0.254/24")
    rule = "-A PREROUTING -p udp -j DNAT --to-destination 10.0.0.2"
    machine.make_netfilter().rules4.restore(f"*nat\n{rule}\nCOMMIT\n")
    stranger = "0a:00:00:00:00:77"
    packet = ip("10.0.0.254", "10.9.9.9") / UDP()
    probe.send(Ether(src=stranger, dst=probe_mac(9)) / packet)
    assert machine.bridges["br0"].fdb.get(mac_from_text(stranger)) is None
    assert machine.interface("p1").device.drops[drops.MARTIAN_SOURCE] == 1


def test_an_error_about_a_bridged_packet_comes_from_where_the_route_says() -> None:
    """Though the packet was addressed to another of the machine's addresses."""
    lab = Lab()
    machine, probes = bridging(lab)
    address(machine, "br0", "10.0.0.254/24")
    address(machine, "br0", "10.9.0.1/24")
    probes[0].answers_arp("10.0.0.1")
    machine.make_netfilter().rules4.restore("*filter\n-A FORWARD -j REJECT\nCOMMIT\n")
    packet = ip("10.0.0.1", "10.9.0.1") / UDP()
    probes[0].send(Ether(src=probe_mac(1), dst=probe_mac(2)) / packet)
    (error,) = probes[0].of(ICMP)
    assert error[IP].src == "10.0.0.254"


@pytest.mark.parametrize("payload", [b"", b"\x08\0\0\0\0\0\0\0", b"\x80\0\0\0\0\0\0\0"])
def test_messages_of_the_other_ip_version_are_of_no_connection(payload: bytes) -> None:
    """However short they are."""
    tracker = Tracker()
    icmpv6_in_ipv4 = bytes(IP(src="10.0.0.1", dst="10.0.0.2", proto=58) / payload)
    icmp_in_ipv6 = bytes(IPv6(src="fd00::1", dst="fd00::2", nh=1) / payload)
    assert tracker.look(icmpv6_in_ipv4, 4, 0, checks=False) == INVALID
    assert tracker.look(icmp_in_ipv6, 6, 0, checks=False) == INVALID
