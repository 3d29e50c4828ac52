"""Translation of IPv6, as Linux does it."""

from __future__ import annotations

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6PacketTooBig,
    IPv6,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import Ether

from tests.linux.kit import MS, Lab, Probe, S, address, host_mac, ip6, to_host
from vnet.base.ids import ip_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.sim.frame import Frame

NEAR, FAR = "fd00:1::1", "fd00:2::1"


def answers_nd(probe: Probe, text: str) -> None:
    """From now on this probe is a station that has an address."""

    def answer(frame: Frame) -> None:
        probe.heard.append((0, frame.data))
        packet = Ether(frame.data)
        if ICMPv6ND_NS in packet and packet[ICMPv6ND_NS].tgt == text:
            told = ICMPv6ND_NA(tgt=text, R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=probe.mac)
            reply = Ether(src=probe.mac, dst=packet.src) / ip6(text, packet[IPv6].src) / told
            probe.device.transmit(Frame(bytes(reply)))

    probe.device.rx_handler = answer


def router6(lab: Lab, rules: str) -> tuple[Namespace, Probe, Probe]:
    machine = lab.machine("router")
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
    machine.sysctls["net.ipv6.conf.default.dad_transmits"] = 0
    probes = []
    for number in (1, 2):
        probe = lab.probe(machine, f"eth{number}", number, ipv6=True)
        address(machine, f"eth{number}", f"fd00:{number}::fe/64")
        answers_nd(probe, f"fd00:{number}::1")
        probes.append(probe)
    lab.run(5 * S)
    machine.make_netfilter().rules6.restore(rules)
    return machine, probes[0], probes[1]


def test_masquerading_takes_an_address_that_reaches_as_far_as_the_target() -> None:
    lab = Lab()
    rules = "*nat\n-A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n"
    _machine, near, far = router6(lab, rules)
    near.send(to_host(near, ip6(NEAR, FAR) / UDP(sport=4000, dport=7) / b"hi"))
    lab.run(MS)
    (packet,) = far.of(UDP)
    assert (packet[IPv6].src, packet[UDP].sport, packet[IPv6].hlim) == ("fd00:2::fe", 4000, 63)
    far.send(to_host(far, ip6(FAR, "fd00:2::fe") / UDP(sport=7, dport=4000) / b"ho", 2))
    lab.run(MS)
    (answer,) = near.of(UDP)
    assert (answer[IPv6].src, answer[IPv6].dst) == (FAR, NEAR)
    rebuilt = answer[IPv6].copy()
    del rebuilt[UDP].chksum
    assert IPv6(bytes(rebuilt))[UDP].chksum == answer[UDP].chksum


def test_fragments_are_put_together_for_tracking_and_leave_as_they_came() -> None:
    lab = Lab()
    rules = "*nat\n-A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n"
    _machine, near, far = router6(lab, rules)
    datagram = bytes(ip6(NEAR, FAR) / UDP(sport=4000, dport=7) / bytes(1990))[40:]
    for at, size in ((0, 1280), (1280, 718)):
        more = int(at + size < len(datagram))
        header = IPv6ExtHdrFragment(nh=17, offset=at // 8, m=more, id=77)
        piece = ip6(NEAR, FAR, nh=44) / header / datagram[at : at + size]
        near.send(to_host(near, piece))
    lab.run(MS)
    pieces = far.of(IPv6ExtHdrFragment)
    assert [(p[IPv6].src, p[IPv6ExtHdrFragment].offset * 8, p[IPv6].plen) for p in pieces] == [
        ("fd00:2::fe", 0, 1288),
        ("fd00:2::fe", 1280, 726),
    ]
    assert host_mac(2) in {p.src for p in pieces}


def test_redirect_prefers_an_address_that_is_not_of_the_link_alone() -> None:
    lab = Lab()
    rules = "*nat\n-A PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 5353\nCOMMIT\n"
    machine, near, _far = router6(lab, rules)
    near.send(to_host(near, ip6(NEAR, FAR) / UDP(sport=4000, dport=53) / b"?"))
    lab.run(MS)
    assert machine.netfilter is not None
    (entry,) = machine.netfilter.conntrack.entries(lab.scheduler.now_ns)
    source = entry.reply_key[:16]
    assert source == bytes.fromhex("fd0000010000000000000000000000fe")


def test_a_syn_that_gets_an_mss_keeps_a_wrong_checksum() -> None:
    lab = Lab()
    rule = "-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"
    _, inside, outside = router6(lab, f"*mangle\n{rule}\nCOMMIT\n")
    syn = TCP(sport=40001, dport=9, flags="SF", window=0x1F40, chksum=0x1234)
    inside.send(to_host(inside, ip6(NEAR, FAR) / syn))
    lab.run(MS)
    (sent,) = outside.of(TCP)
    assert (sent[TCP].options, sent[TCP].chksum) == ([("MSS", 1220)], 0xFB67)


@pytest.mark.parametrize("rules", ["", "-A POSTROUTING -o eth2 -j MASQUERADE"])
def test_what_a_router_knows_of_a_path_holds_for_what_it_forwards(rules: str) -> None:
    """It is told behind the hooks, so that the hop limit of what is quoted is one less."""
    lab = Lab()
    machine, near, far = router6(lab, f"*nat\n{rules}\nCOMMIT\n")
    machine.ipv6.learn_mtu(ip_from_text(FAR), 1300)
    near.send(to_host(near, ip6(NEAR, FAR, hlim=9) / UDP(sport=4000, dport=7) / bytes(1252)))
    near.send(to_host(near, ip6(NEAR, FAR, hlim=9) / UDP(sport=4000, dport=7) / bytes(1253)))
    lab.run(MS)
    assert len(far.of(UDP)) == 1
    (error,) = near.of(ICMPv6PacketTooBig)
    told = error[ICMPv6PacketTooBig]
    assert (error[IPv6].dst, told.mtu) == (NEAR, 1300)
    quoted = IPv6(bytes(told.payload))
    assert (quoted.src, quoted.hlim) == (NEAR, 8)


def test_neighbour_discovery_is_told_that_its_redirect_was_rejected() -> None:
    """Its messages are none of those of which the stack sends one at a time."""
    lab = Lab()
    rules = "-A INPUT -i lo -p icmpv6\n-A OUTPUT -p icmpv6 --icmpv6-type 137 -j REJECT"
    machine, near, _ = router6(lab, f"*filter\n{rules}\nCOMMIT\n")
    near.send(to_host(near, ip6(NEAR, "fd00:1::2") / UDP(sport=4000, dport=7) / b"hi"))
    lab.run(MS)
    saved = machine.make_netfilter().rules6.save("filter", counters=True)
    # What is quoted is the redirect, with the packet of 50 bytes in it and the target's address.
    assert "[1:184] -A INPUT" in saved
