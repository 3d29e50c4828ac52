"""libvirt's NAT, in a lab: what leaves has the host's address, and nobody comes in unasked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from vnet.base.ids import ip_from_text
from vnet.lab.lab import Lab
from vnet.linux.netfilter.drops import REJECT
from vnet.sim.trace import TraceNode
from vnet.wire.pcapng import read_pcapng

LAB = """
version: 1
hosts:
  h1: {mode: nat, nics: {eth0: {ip: 203.0.113.1/24}}, gateway: 203.0.113.100}
vms:
  vm1: {host: h1, gateway: 192.168.122.1, vnics: [{ip: 192.168.122.11/24}]}
  vm2: {host: h1, gateway: 192.168.122.1, vnics: [{ip: 192.168.122.12/24}]}
routers:
  ext:
    nics: {eth0: {ip: 203.0.113.100/24}}
    routes: [{to: 192.168.122.0/24, via: 203.0.113.1}]
links: [{ends: ['h1:eth0', 'ext:eth0']}]
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    """The lab, when the ports of virbr0 forward: its bridge speaks STP."""
    with Lab.from_text(LAB) as lab:
        lab.advance("5s")
        yield lab


def drops_of(node: TraceNode) -> list[TraceNode]:
    found = [] if node.drop is None else [node]
    return found + [drop for child in node.children for drop in drops_of(child)]


class Datagrams:
    """UDP packets that a device saw."""

    def __init__(self, lab: Lab, node: str, device: str) -> None:
        self.ends: list[tuple[str, int, str, int]] = []
        found = lab.network.device(node, device)
        assert found is not None
        found.add_sniffer(self)

    def capture(self, _time_ns: int, data: bytes, _outbound: bool) -> None:
        packet = Ether(data)
        if UDP in packet:
            ip, udp = packet[IP], packet[UDP]
            self.ends.append((ip.src, udp.sport, ip.dst, udp.dport))

    def note_drop(self, *_what: object) -> None:
        """Of no interest."""


def ask(lab: Lab, vm: str, port: int) -> list[bytes]:
    """What the server says to a datagram from ``port`` of a guest."""
    answers: list[bytes] = []
    sockets = lab.vm(vm).namespace.sockets
    socket = sockets.open_udp(lambda _socket, datagram: answers.append(datagram.data), port)
    socket.send_to(ip_from_text("203.0.113.100"), 7, vm.encode())
    lab.advance("2s")
    return answers


def test_two_guests_with_one_source_port_get_two_and_the_tables_say_what_captures_say(
    lab: Lab,
) -> None:
    lab.router("ext").serve_echo(7)
    outside = Datagrams(lab, "h1", "eth0")
    inside = Datagrams(lab, "vm2", "eth0")
    assert ask(lab, "vm1", 40_000) == [b"vm1"]
    assert ask(lab, "vm2", 40_000) == [b"vm2"]

    first, first_answer, second, second_answer = outside.ends
    assert first == ("203.0.113.1", 40_000, "203.0.113.100", 7)
    assert first_answer == ("203.0.113.100", 7, "203.0.113.1", 40_000)
    port = second[1]
    assert second == ("203.0.113.1", port, "203.0.113.100", 7)
    assert port != 40_000
    assert 1024 <= port <= 65_535
    assert second_answer == ("203.0.113.100", 7, "203.0.113.1", port)
    assert inside.ends == [
        ("192.168.122.12", 40_000, "203.0.113.100", 7),
        ("203.0.113.100", 7, "192.168.122.12", 40_000),
    ]

    listed = lab.host("h1").conntrack("-L -p udp").splitlines()
    entries = [line.split() for line in listed if line.startswith("udp")]
    tuples = [" ".join([word for word in words if "=" in word][:8]) for words in entries]
    assert tuples == [
        "src=192.168.122.11 dst=203.0.113.100 sport=40000 dport=7 "
        "src=203.0.113.100 dst=203.0.113.1 sport=7 dport=40000",
        "src=192.168.122.12 dst=203.0.113.100 sport=40000 dport=7 "
        f"src=203.0.113.100 dst=203.0.113.1 sport=7 dport={port}",
    ]
    rows = [(row.source, row.target, row.new_source, row.new_target) for row in lab.report().nat]
    assert rows == [
        ("192.168.122.11:40000", "203.0.113.100:7", "203.0.113.1:40000", "203.0.113.100:7"),
        ("192.168.122.12:40000", "203.0.113.100:7", f"203.0.113.1:{port}", "203.0.113.100:7"),
    ]


def test_the_second_guest_keeps_its_port_towards_another_server(lab: Lab) -> None:
    """A port is taken for one server only."""
    lab.router("ext").serve_echo(7)
    lab.router("ext").serve_echo(8)
    assert ask(lab, "vm1", 40_000) == [b"vm1"]
    outside = Datagrams(lab, "h1", "eth0")
    sockets = lab.vm("vm2").namespace.sockets
    socket = sockets.open_udp(lambda _socket, _datagram: None, 40_000)
    socket.send_to(ip_from_text("203.0.113.100"), 8, b"x")
    lab.advance("2s")
    assert outside.ends[0] == ("203.0.113.1", 40_000, "203.0.113.100", 8)


def test_who_comes_unasked_is_refused_and_the_trace_names_the_rule(lab: Lab) -> None:
    ext = lab.router("ext")
    assert ext.ping("203.0.113.1", count=1).received == 1
    gateway = lab.host("h1").namespace.interface("eth0").device.mac.hex(":")
    packet = Ether(dst=gateway) / IP(src="203.0.113.100", dst="192.168.122.11", ttl=64)
    trace = lab.trace("ext", packet / UDP(sport=9, dport=7) / Raw(b"hello"))
    (refused,) = [node for node in drops_of(trace) if node.drop is REJECT]
    assert refused.place == "h1:eth0"
    assert refused.notes[0] == (
        "table filter, chain LIBVIRT_FWI, rule 2: -o virbr0 -j REJECT "
        "--reject-with icmp-port-unreachable"
    )
    (error,) = ext.ping("192.168.122.11", count=1).errors
    assert error == "203.0.113.1 icmp_seq=1 Destination Port Unreachable"


def test_ping_goes_out_under_the_hosts_name_and_guests_reach_each_other_without(lab: Lab) -> None:
    seen: list[tuple[str, int]] = []

    class Pings:
        def capture(self, _time_ns: int, data: bytes, _outbound: bool) -> None:
            packet = Ether(data)
            if ICMP in packet:
                seen.append((packet[IP].src, packet[ICMP].type))

        def note_drop(self, *_what: object) -> None:
            """Of no interest."""

    device = lab.network.device("ext", "eth0")
    assert device is not None
    device.add_sniffer(Pings())
    assert lab.vm("vm1").ping("203.0.113.100", count=1).received == 1
    assert seen == [("203.0.113.1", 8), ("203.0.113.100", 0)]
    assert lab.vm("vm1").ping("192.168.122.12", count=1).received == 1
    assert len(lab.report().nat) == 1


def test_a_guest_that_moves_leaves_no_rule_and_no_port_behind() -> None:
    text = LAB.replace(
        "vms:", "  h2: {mode: nat, nics: {eth0: {ip: 198.51.100.1/24}}}\nvms:"
    ).replace("links: [", "links: [{ends: ['h2:eth0', 'ext:eth1']}, ")
    text = text.replace(
        "{eth0: {ip: 203.0.113.100/24}}",
        "{eth0: {ip: 203.0.113.100/24}, eth1: {ip: 198.51.100.100/24}}",
    )
    text += """
scenario:
  - wait: 5s
  - move: {vm: vm2, to: h2}
  - wait: 5s
  - ping: {from: vm2, to: 198.51.100.100, count: 1}
    expect: {received: 1}
"""
    with Lab.from_text(text) as lab:
        netfilter = lab.host("h1").namespace.netfilter
        assert netfilter is not None
        rules = netfilter.rules4.save()
        assert lab.run().held
        assert "vnet1" not in lab.host("h1").namespace.interfaces
        assert [p.device.name for p in lab.host("h1").namespace.bridges["virbr0"].ports] == [
            "vnet0"
        ]
        without_counts = [line for line in rules.splitlines() if line.startswith("-A")]
        again = [line for line in netfilter.rules4.save().splitlines() if line.startswith("-A")]
        assert again == without_counts


def test_a_capture_and_a_trace_name_the_rule_that_refused_a_packet(tmp_path: Path) -> None:
    with Lab.from_text(LAB + "captures: ['h1:eth0']\n", pcap_dir=tmp_path) as lab:
        lab.advance("5s")
        root = lab.trace("ext", IP(dst="192.168.122.11") / UDP(sport=1, dport=2))
    (dropped,) = [node for node in drops_of(root) if node.drop is REJECT]
    rule, kind = dropped.notes
    assert rule.startswith("table filter, chain LIBVIRT_FWI, rule 2: -o virbr0 -j REJECT")
    (path,) = tmp_path.glob("*.pcapng")
    with path.open("rb") as stream:
        comments = [packet.comment for packet in read_pcapng(stream) if packet.comment]
    assert comments == [f"dropped: {REJECT.word}: {REJECT.cause}; {rule}; {kind}"]
