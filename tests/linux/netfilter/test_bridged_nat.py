"""Translation on a bridge with br_netfilter, as Linux was seen to do it."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from tests.linux.kit import MS, Lab, Probe, address, dropped, ip, probe_mac
from vnet.base.ids import mac_from_text
from vnet.linux.netfilter.drops import DROP
from vnet.linux.netns.namespace import Namespace

RULES = """*nat
-A PREROUTING -d 203.0.113.1 -p tcp --dport 8080 -j DNAT --to-destination 192.168.122.11:80
-A POSTROUTING -s 192.168.122.0/24 -d 224.0.0.0/24 -j RETURN
-A POSTROUTING -s 192.168.122.0/24 ! -d 192.168.122.0/24 -p udp -j MASQUERADE
COMMIT
*filter
-A FORWARD -i br0 -o br0 -j ACCEPT
COMMIT
"""
BRIDGE_MAC = "52:54:00:00:00:fe"


def gateway(lab: Lab, *, filtered: bool = True) -> tuple[Namespace, list[Probe]]:
    """192.168.122.1 on br0, with guests .11, .12 and .13 at its ports 1 to 3."""
    machine = lab.machine("gw")
    machine.sysctls["net.ipv4.ip_forward"] = 1
    machine.links.load_br_netfilter()
    machine.sysctls["net.bridge.bridge-nf-call-iptables"] = int(filtered)
    bridge = machine.add_bridge("br0", mac=mac_from_text(BRIDGE_MAC))
    bridge.multicast.is_on = False
    probes = []
    for number in (1, 2, 3):
        probe = lab.probe(machine, f"p{number}", number)
        machine.enslave(f"p{number}", "br0")
        probe.answers_arp(f"192.168.122.1{number}")
        probes.append(probe)
    machine.set_up("br0")
    address(machine, "br0", "192.168.122.1/24")
    lab.probe(machine, "eth0", 9)
    address(machine, "eth0", "203.0.113.1/24")
    machine.make_netfilter().rules4.restore(RULES)
    lab.run(MS)
    return machine, probes


def from_guest(number: int, payload: Any, target: str = BRIDGE_MAC) -> Any:
    return Ether(src=probe_mac(number), dst=target) / payload


def test_a_port_forwarded_back_to_the_bridge_is_bridged_with_its_ttl() -> None:
    lab = Lab()
    _machine, (one, two, _) = gateway(lab)
    syn = ip("192.168.122.12", "203.0.113.1", ttl=64) / TCP(sport=47000, dport=8080)
    two.send(from_guest(2, syn))
    lab.run(2 * MS)
    (packet,) = one.of(TCP)
    assert (packet.src, packet.dst) == (probe_mac(2), probe_mac(1))
    assert (packet[IP].dst, packet[TCP].dport, packet[IP].ttl) == ("192.168.122.11", 80, 64)
    # The next one knows the guest's MAC, and the answer, between two guests, is translated.
    answer = ip("192.168.122.11", "192.168.122.12", ttl=64)
    answer /= TCP(sport=80, dport=47000, flags="SA", seq=5, ack=1)
    one.send(from_guest(1, answer, probe_mac(2)))
    lab.run(MS)
    (back,) = two.of(TCP)
    assert (back[IP].src, back[TCP].sport, back[IP].ttl) == ("203.0.113.1", 8080, 64)


def test_without_br_netfilter_the_answer_keeps_its_own_source() -> None:
    lab = Lab()
    _machine, (one, two, _) = gateway(lab, filtered=False)
    syn = ip("192.168.122.12", "203.0.113.1", ttl=64) / TCP(sport=47000, dport=8080)
    two.send(from_guest(2, syn))
    lab.run(2 * MS)
    (packet,) = one.of(TCP)
    assert (packet.src, packet[IP].ttl) == (BRIDGE_MAC, 63)
    answer = ip("192.168.122.11", "192.168.122.12")
    answer /= TCP(sport=80, dport=47000, flags="SA", seq=5, ack=1)
    one.send(from_guest(1, answer, probe_mac(2)))
    (back,) = two.of(TCP)
    assert (back[IP].src, back[TCP].sport) == ("192.168.122.11", 80)


def test_multicast_from_a_guest_is_masqueraded_on_its_way_to_the_others() -> None:
    lab = Lab()
    _machine, (one, two, three) = gateway(lab)
    group = ip("192.168.122.11", "239.1.1.1", ttl=8) / UDP(sport=53000, dport=9) / b"all"
    one.send(from_guest(1, group, "01:00:5e:01:01:01"))
    lab.run(MS)
    for probe in (two, three):
        (packet,) = probe.of(UDP)
        assert (packet[IP].src, packet[IP].ttl) == ("192.168.122.1", 8)


def test_a_bridged_packet_that_a_rule_drops_is_counted_at_the_port_it_came_by() -> None:
    lab = Lab()
    machine, (one, two, _) = gateway(lab)
    machine.make_netfilter().rules4.command(["-I", "FORWARD", "-i", "br0", "-j", "DROP"])
    packet = ip("192.168.122.11", "192.168.122.12") / UDP(sport=1, dport=2)
    one.send(from_guest(1, packet, probe_mac(2)))
    assert two.of(UDP) == []
    # It was flooded, for nobody knows the second guest yet.
    assert dropped(machine, DROP) == 2
    assert machine.interfaces["p1"].device.drops[DROP] == 2


@pytest.mark.parametrize("is_tagged", [False, True])
def test_a_frame_whose_tag_the_bridge_adds_or_takes_keeps_its_connection(is_tagged: bool) -> None:
    lab = Lab()
    machine, (one, two, _) = gateway(lab)
    machine.sysctls["net.bridge.bridge-nf-filter-vlan-tagged"] = 1
    vlans = machine.bridges["br0"].vlan_filter
    vlans.set_filtering(True)
    ports = {port.device.name: port for port in machine.bridges["br0"].ports}
    coming, going = ("p2", "p1") if is_tagged else ("p1", "p2")
    vlans.add(ports[coming], 10, pvid=not is_tagged, untagged=not is_tagged)
    vlans.add(ports[going], 10, pvid=is_tagged, untagged=is_tagged)
    rules = machine.make_netfilter().rules4
    rules.restore("*mangle\n-A PREROUTING -p udp -j MARK --set-mark 7\nCOMMIT\n")
    rules.restore("*filter\n-A FORWARD -m mark --mark 7 -m conntrack --ctstate NEW\nCOMMIT\n")
    sender, hearer = (two, one) if is_tagged else (one, two)
    tag = Dot1Q(vlan=10) if is_tagged else None
    packet = ip("192.168.122.11", "192.168.122.12") / UDP(sport=9, dport=9)
    packet = packet if tag is None else tag / packet
    sender.send(Ether(src=sender.mac, dst=hearer.mac) / packet)
    lab.run(MS)
    (heard,) = hearer.of(UDP)
    assert (Dot1Q in heard) is not is_tagged
    assert "[1:28] -A FORWARD" in rules.save("filter", counters=True)
