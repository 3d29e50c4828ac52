"""What the trace of a packet says of netfilter: whose it is, which rule spoke, what was changed."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

from tests.linux.kit import MS, Lab, Probe, ip, router, to_host
from tests.linux.netfilter.test_bridged_nat import from_guest, gateway
from vnet.linux.netns.namespace import Namespace
from vnet.sim.frame import Frame, Meta
from vnet.sim.trace import Trace, TraceNode

NEAR, FAR = "10.0.1.1", "10.0.2.1"


def follow(lab: Lab, machine: Namespace, device: str, frame: Any) -> TraceNode:
    """Everything that a frame causes which comes in by a device."""
    root = TraceNode(lab.scheduler.now_ns, "test", "sent")
    machine.interfaces[device].device.receive(Frame(bytes(frame), Meta(Trace(root))))
    lab.run(MS)
    return root


def notes(root: TraceNode) -> list[str]:
    return [line for node in root.walk() for line in node.notes]


NAT = """*nat
-N OUT
-A POSTROUTING -j OUT
-A OUT -o eth2 -p udp -j MASQUERADE --to-ports 2000-3000
COMMIT
"""


def natted() -> tuple[Lab, Namespace, Probe, Probe]:
    lab = Lab()
    machine, near, far = router(lab)
    machine.make_netfilter().rules4.restore(NAT)
    return lab, machine, near, far


def test_the_first_packet_of_a_connection_tells_which_rule_translates_it_to_what() -> None:
    lab, machine, near, far = natted()
    packet = ip(NEAR, FAR) / UDP(sport=500, dport=9)
    root = follow(lab, machine, "eth1", to_host(near, packet))
    outer = f"10.0.2.254:{far.of(UDP)[0][UDP].sport}"
    assert notes(root) == [
        f"conntrack: new, udp {NEAR}:500 -> {FAR}:9",
        f"nat POSTROUTING, OUT rule 1 MASQUERADE: source {NEAR}:500 -> {outer}",
    ]
    # All of it happened to the frame as it came in, so that the tree grows by no node.
    assert [node.event for node in root.walk()][:2] == ["sent", "received"]
    assert len(root.children[0].notes) == 2
    assert f"  conntrack: new, udp {NEAR}:500 -> {FAR}:9" in str(root)


def test_packets_of_a_known_connection_tell_what_it_makes_of_them() -> None:
    lab, machine, near, far = natted()
    request = to_host(near, ip(NEAR, FAR) / UDP(sport=2100, dport=9))
    follow(lab, machine, "eth1", request)
    reply = to_host(far, ip(FAR, "10.0.2.254") / UDP(sport=9, dport=2100), 2)
    assert notes(follow(lab, machine, "eth2", reply)) == [
        f"conntrack: established, reply of udp {NEAR}:2100 -> {FAR}:9",
        f"nat PREROUTING, by its connection: destination 10.0.2.254:2100 -> {NEAR}:2100",
    ]
    assert notes(follow(lab, machine, "eth1", request)) == [
        f"conntrack: established, udp {NEAR}:2100 -> {FAR}:9",
        f"nat POSTROUTING, by its connection: source {NEAR}:2100 -> 10.0.2.254:2100",
    ]


def test_a_packet_that_is_followed_tells_the_same_when_its_flow_has_a_short_way() -> None:
    lab, machine, near, far = natted()
    request = to_host(near, ip(NEAR, FAR) / UDP(sport=2100, dport=9))
    reply = to_host(far, ip(FAR, "10.0.2.254") / UDP(sport=9, dport=2100), 2)
    for _ in range(3):
        near.send(request)
        far.send(reply)
        lab.run(MS)
    assert machine.interfaces["eth1"].roads
    sent = bytes(far.of(UDP)[-1])
    assert len(notes(follow(lab, machine, "eth1", request))) == 2
    assert bytes(far.of(UDP)[-1]) == sent


def test_an_error_about_a_connection_is_related_to_it_and_changed_inside_as_well() -> None:
    lab, machine, near, far = natted()
    follow(lab, machine, "eth1", to_host(near, ip(NEAR, FAR) / UDP(sport=2100, dport=9)))
    error = ip(FAR, "10.0.2.254") / ICMP(type=3, code=3) / bytes(far.of(IP)[0][IP])
    assert notes(follow(lab, machine, "eth2", to_host(far, error, 2))) == [
        f"conntrack: related, udp {NEAR}:2100 -> {FAR}:9",
        f"nat PREROUTING, by its connection: destination 10.0.2.254 -> {NEAR}, "
        "also in what it quotes",
    ]


def test_a_port_that_is_in_use_is_changed_though_no_rule_says_so() -> None:
    lab = Lab()
    machine, near, far = router(lab)
    machine.make_netfilter().rules4.restore(
        "*nat\n-A POSTROUTING -s 10.0.1.1 -j SNAT --to-source 10.0.1.2\nCOMMIT\n"
    )
    follow(lab, machine, "eth1", to_host(near, ip(NEAR, FAR) / UDP(sport=2100, dport=9)))
    other = to_host(near, ip("10.0.1.2", FAR) / UDP(sport=2100, dport=9))
    root = follow(lab, machine, "eth1", other)
    changed = far.of(UDP)[-1][UDP].sport
    assert changed != 2100
    assert notes(root)[1:] == [
        f"nat POSTROUTING, no rule, but that is in use: source 10.0.1.2:2100 -> 10.0.1.2:{changed}"
    ]


RULES = """*raw
-A PREROUTING -p icmp -j NOTRACK
COMMIT
*mangle
-A PREROUTING -p tcp -j MARK --set-mark 5
-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000
-A FORWARD -p udp -j TTL --ttl-set 9
-A FORWARD -p udp -j TOS --set-tos 0x10
COMMIT
*filter
-N judge
-A FORWARD -p tcp --dport 81 -j LOG --log-prefix "seen: "
-A FORWARD -p tcp -j judge
-A judge -p tcp --dport 80 -j ACCEPT
-A judge -m conntrack --ctstate NEW -j DROP
COMMIT
"""


def ruled() -> tuple[Lab, Namespace, Probe]:
    lab = Lab()
    machine, near, _far = router(lab)
    machine.make_netfilter().rules4.restore(RULES)
    return lab, machine, near


def test_each_rule_that_changes_or_accepts_a_packet_says_so() -> None:
    lab, machine, near = ruled()
    syn = ip(NEAR, FAR) / TCP(sport=1000, dport=80, flags="S", options=[("MSS", 1460)])
    assert notes(follow(lab, machine, "eth1", to_host(near, syn))) == [
        f"conntrack: new, tcp {NEAR}:1000 -> {FAR}:80",
        "mangle PREROUTING rule 1 MARK: mark 0x0 -> 0x5",
        "mangle FORWARD rule 1 TCPMSS: MSS 1460 -> 1000",
        "filter FORWARD, judge rule 1 ACCEPT",
    ]
    datagram = ip(NEAR, FAR, ttl=64) / UDP(sport=1, dport=2)
    assert notes(follow(lab, machine, "eth1", to_host(near, datagram)))[1:] == [
        "mangle FORWARD rule 2 TTL: TTL 63 -> 9",
        "mangle FORWARD rule 3 TOS: TOS 0x00 -> 0x10",
        "filter FORWARD policy ACCEPT",
    ]
    echo = to_host(near, ip(NEAR, FAR) / ICMP())
    assert notes(follow(lab, machine, "eth1", echo)) == [
        "raw PREROUTING rule 1 NOTRACK: not tracked",
        "filter FORWARD policy ACCEPT",
    ]


def test_a_packet_that_a_rule_logs_and_drops_names_both_rules() -> None:
    lab, machine, near = ruled()
    syn = ip(NEAR, FAR) / TCP(sport=1000, dport=81, flags="S")
    root = follow(lab, machine, "eth1", to_host(near, syn))
    (leaf,) = root.drops
    assert leaf.notes == ("table filter, chain judge, rule 2: -m conntrack --ctstate NEW -j DROP",)
    (logged,) = (line for line in notes(root) if "LOG" in line)
    assert logged.startswith("filter FORWARD rule 1 LOG: seen: IN=eth1 OUT=eth2")
    assert logged.endswith("SYN URGP=0 MARK=0x5")


def test_what_belongs_to_nothing_is_invalid() -> None:
    lab, machine, near = ruled()
    stray = ip(NEAR, FAR) / TCP(sport=1000, dport=80, flags="SF")
    assert notes(follow(lab, machine, "eth1", to_host(near, stray)))[0] == "conntrack: invalid"


def test_ports_of_ipv6_stand_behind_brackets() -> None:
    lab = Lab()
    machine = lab.machine("h1")
    near = lab.probe(machine, "eth1", 1, ipv6=True)
    machine.make_netfilter().rules6.restore(
        "*filter\n-A INPUT -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n"
    )
    packet = IPv6(src="2001:db8::2", dst="2001:db8::1") / UDP(sport=5, dport=6)
    root = follow(lab, machine, "eth1", to_host(near, packet))
    assert notes(root)[0] == "conntrack: new, udp [2001:db8::2]:5 -> [2001:db8::1]:6"
    echo = IPv6(src="2001:db8::2", dst="2001:db8::1") / ICMPv6EchoRequest(id=7)
    root = follow(lab, machine, "eth1", to_host(near, echo))
    assert notes(root)[0] == "conntrack: new, icmpv6 2001:db8::2 id 7 -> 2001:db8::1"


def test_a_bridged_packet_tells_between_which_ports() -> None:
    lab = Lab()
    machine, (one, two, _three) = gateway(lab)
    two.send(from_guest(2, ip("192.168.122.12", "192.168.122.11") / UDP(sport=1, dport=2), one.mac))
    frame = from_guest(1, ip("192.168.122.11", "192.168.122.12") / UDP(sport=2, dport=1), two.mac)
    assert notes(follow(lab, machine, "p1", frame)) == [
        "conntrack: established, reply of udp 192.168.122.12:1 -> 192.168.122.11:2",
        "filter FORWARD (p1 -> p2) rule 1 ACCEPT",
    ]
    syn = ip("192.168.122.12", "203.0.113.1", ttl=64) / TCP(sport=47000, dport=8080)
    forwarded = notes(follow(lab, machine, "p2", from_guest(2, syn)))
    assert forwarded[:2] == [
        "conntrack: new, tcp 192.168.122.12:47000 -> 203.0.113.1:8080",
        "nat PREROUTING rule 1 DNAT: destination 203.0.113.1:8080 -> 192.168.122.11:80",
    ]
