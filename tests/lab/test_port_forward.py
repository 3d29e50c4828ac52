"""A port of the host that leads to a guest: from outside, from the guest's neighbour, from itself.

Facts of Linux 6.18: with br_netfilter a neighbour gets through although nobody changes its address;
without it the answer goes to it straight, and it does not know whose that is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from vnet.lab.lab import Lab

LAB = """
version: 1
hosts:
  h1: {mode: nat, br_netfilter: BRIDGED, nics: {eth0: {ip: 203.0.113.1/24}}}
vms:
  web: {host: h1, gateway: 192.168.122.1, vnics: [{ip: 192.168.122.80/24}]}
  pc: {host: h1, gateway: 192.168.122.1, vnics: [{ip: 192.168.122.12/24}]}
routers:
  ext: {nics: {eth0: {ip: 203.0.113.100/24}}}
links: [{ends: ['h1:eth0', 'ext:eth0']}]
"""

FORWARD = (
    "-t nat -A PREROUTING -d 203.0.113.1 -p tcp --dport 8080 -j DNAT --to-destination "
    "192.168.122.80:80",
    "-I FORWARD 1 -d 192.168.122.80 -p tcp --dport 80 -j ACCEPT",
)
HAIRPIN = (
    "-t nat -A POSTROUTING -s 192.168.122.0/24 -d 192.168.122.80 -p tcp --dport 80 "
    "-m conntrack --ctstate DNAT -j MASQUERADE"
)


def started(*, bridged: bool) -> Lab:
    lab = Lab.from_text(LAB.replace("BRIDGED", str(bridged).lower()))
    for command in FORWARD:
        lab.host("h1").iptables(command)
    lab.vm("web").serve_http(80)
    lab.advance("5s")
    return lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    with started(bridged=False) as lab:
        yield lab


class Segments:
    """TCP segments that a device saw: ends, flags, TTL."""

    def __init__(self, lab: Lab, node: str, device: str = "eth0") -> None:
        self.seen: list[tuple[str, str, str, int]] = []
        found = lab.network.device(node, device)
        assert found is not None
        found.add_sniffer(self)

    def capture(self, _time_ns: int, data: bytes, _outbound: bool) -> None:
        packet = Ether(data)
        if TCP in packet:
            ip = packet[IP]
            self.seen.append((ip.src, ip.dst, str(packet[TCP].flags), ip.ttl))

    def note_drop(self, *_what: object) -> None:
        """Of no interest."""


def fetch(lab: Lab, machine: str) -> int:
    """The status of a page behind the host's port 8080; 0 if nobody says one."""
    return lab.machine(machine).http_get("203.0.113.1", port=8080, timeout="3s").status


def test_from_outside_the_port_leads_to_the_guest_and_answers_are_the_hosts(lab: Lab) -> None:
    outside, inside = Segments(lab, "ext"), Segments(lab, "web")
    assert fetch(lab, "ext") == 404
    assert outside.seen[:2] == [
        ("203.0.113.100", "203.0.113.1", "S", 64),
        ("203.0.113.1", "203.0.113.100", "SA", 63),
    ]
    assert inside.seen[0] == ("203.0.113.100", "192.168.122.80", "S", 63)
    (row,) = lab.report().nat
    assert (row.target, row.new_target) == ("203.0.113.1:8080", "192.168.122.80:80")


def test_a_neighbour_resets_the_answer_that_comes_straight_from_the_guest(lab: Lab) -> None:
    segments = Segments(lab, "pc")
    assert fetch(lab, "pc") == 0
    assert segments.seen[:3] == [
        ("192.168.122.12", "203.0.113.1", "S", 64),
        ("192.168.122.80", "192.168.122.12", "SA", 64),
        ("192.168.122.12", "192.168.122.80", "R", 64),
    ]


def test_with_br_netfilter_the_bridge_itself_translates_the_answer() -> None:
    with started(bridged=True) as lab:
        segments, inside = Segments(lab, "pc"), Segments(lab, "web")
        assert fetch(lab, "pc") == 404
        assert segments.seen[1] == ("203.0.113.1", "192.168.122.12", "SA", 64)
        assert inside.seen[0] == ("192.168.122.12", "192.168.122.80", "S", 64)


@pytest.mark.parametrize("bridged", [False, True])
def test_with_a_rule_for_the_way_back_a_neighbour_gets_through(bridged: bool) -> None:
    with started(bridged=bridged) as lab:
        lab.host("h1").iptables(HAIRPIN)
        inside = Segments(lab, "web")
        assert fetch(lab, "pc") == 404
        assert inside.seen[0][:3] == ("192.168.122.1", "192.168.122.80", "S")


def test_with_br_netfilter_nobody_reaches_himself_for_no_port_sends_back() -> None:
    with started(bridged=True) as lab:
        lab.host("h1").iptables(HAIRPIN)
        assert fetch(lab, "web") == 0
