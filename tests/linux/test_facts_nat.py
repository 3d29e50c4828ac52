"""Masquerading as Linux does it, one fact a test."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, TCPerror, UDPerror, fragment
from scapy.layers.l2 import Ether

from tests.linux.kit import MS, Lab, Probe, S, address, ip, probe_mac, router, to_host
from vnet.base.ids import ip_from_text, mac_from_text
from vnet.linux.netns.namespace import Namespace

PLAIN = "-o eth2 -j MASQUERADE"
LIBVIRTS = (
    "-s 10.0.1.0/24 ! -d 10.0.1.0/24 -p tcp -j MASQUERADE --to-ports 1024-65535",
    "-s 10.0.1.0/24 ! -d 10.0.1.0/24 -p udp -j MASQUERADE --to-ports 1024-65535",
    "-s 10.0.1.0/24 ! -d 10.0.1.0/24 -j MASQUERADE",
)
ONE, TWO, THREE = "10.0.1.1", "10.0.1.2", "10.0.1.3"
SERVER, PUBLIC = "10.0.2.1", "10.0.2.254"


class Gateway:
    """A router that masquerades what leaves by eth2; all inside have the one MAC of a probe."""

    def __init__(self, *rules: str, seed: int = 1) -> None:
        self.lab = Lab(seed)
        self.machine, self.inside, self.outside = router(self.lab)
        give_rules(self.machine, "nat", *(f"-A POSTROUTING {rule}" for rule in rules))
        table = self.machine.interface("eth1").arp_cache.table
        for guest in (ONE, TWO, THREE):
            mac = mac_from_text(self.inside.mac)
            table.set_permanent(ip_from_text(guest), mac, self.lab.scheduler.now_ns)

    def out(self, packet: Any) -> Any:
        """What a packet from inside is when it comes out."""
        return self._through(packet, self.inside, self.outside, 1)

    def back(self, packet: Any) -> Any:
        """What a packet from outside is when it comes in."""
        return self._through(packet, self.outside, self.inside, 2)

    def _through(self, packet: Any, near: Probe, far: Probe, number: int) -> Any:
        far.forget()
        near.send(to_host(near, packet, number))
        self.lab.run(MS)
        (left,) = [heard[IP] for heard in far.of(IP)]
        return left

    def port_of(self, source: str, port: int, target: str = SERVER, kind: Any = UDP) -> int:
        """The source port with which a flow's first packet leaves."""
        left = self.out(ip(source, target) / kind(sport=port, dport=7))
        assert left.src == PUBLIC
        found: int = left.sport
        return found


def give_rules(machine: Namespace, table: str, *rules: str) -> None:
    text = "\n".join((f"*{table}", *rules, "COMMIT", ""))
    machine.make_netfilter().rules4.restore(text)


# -- ports


@pytest.mark.parametrize("port", [7, 500, 511, 512, 600, 1023, 1024, 40_000, 65_535])
@pytest.mark.parametrize("kind", [UDP, TCP])
def test_a_port_is_kept_while_nobody_else_has_it(port: int, kind: Any) -> None:
    assert Gateway(PLAIN).port_of(ONE, port, kind=kind) == port


@pytest.mark.parametrize(
    ("port", "least", "most"),
    [(500, 1, 511), (511, 1, 511), (512, 600, 1023), (1023, 600, 1023), (1024, 1024, 65_535)],
)
def test_a_port_that_is_taken_becomes_another_of_its_class(
    port: int, least: int, most: int
) -> None:
    chosen = set()
    for seed in range(1, 9):
        gateway = Gateway(PLAIN, seed=seed)
        assert gateway.port_of(ONE, port) == port
        chosen.add(gateway.port_of(TWO, port))
    assert all(least <= one <= most and one != port for one in chosen)
    assert len(chosen) > 4


def test_the_same_port_to_another_server_is_nobody_elses() -> None:
    gateway = Gateway(PLAIN)
    assert gateway.port_of(ONE, 40_000) == 40_000
    left = gateway.out(ip(TWO, SERVER) / UDP(sport=40_000, dport=8))
    assert left.sport == 40_000


def test_a_connection_that_only_waits_for_late_segments_has_its_port() -> None:
    gateway = Gateway(PLAIN)
    close_a_connection(gateway, ONE, 42_000)
    assert gateway.port_of(TWO, 42_000, kind=TCP) != 42_000
    gateway.lab.run(121 * S)
    assert gateway.port_of(THREE, 42_000, kind=TCP) == 42_000


def close_a_connection(gateway: Gateway, guest: str, port: int) -> None:
    """From the handshake to the last acknowledgement; the tracker then has TIME_WAIT."""
    there = {"sport": port, "dport": 7}
    back = {"sport": 7, "dport": port}
    gateway.out(ip(guest, SERVER) / TCP(**there, flags="S", seq=0))
    gateway.back(ip(SERVER, PUBLIC) / TCP(**back, flags="SA", seq=0, ack=1))
    gateway.out(ip(guest, SERVER) / TCP(**there, flags="A", seq=1, ack=1))
    gateway.out(ip(guest, SERVER) / TCP(**there, flags="FA", seq=1, ack=1))
    gateway.back(ip(SERVER, PUBLIC) / TCP(**back, flags="FA", seq=1, ack=2))
    gateway.out(ip(guest, SERVER) / TCP(**there, flags="A", seq=2, ack=2))


def test_a_low_port_changes_where_the_rule_has_none() -> None:
    chosen = {Gateway(*LIBVIRTS, seed=seed).port_of(ONE, 500) for seed in range(1, 9)}
    assert all(1024 <= port <= 65_535 for port in chosen)
    assert len(chosen) > 4
    assert Gateway(*LIBVIRTS).port_of(ONE, 40_000) == 40_000


def test_a_source_keeps_its_port_for_other_destinations() -> None:
    """Though the one that it had itself would be free there."""
    gateway = Gateway(PLAIN)
    gateway.outside.answers_arp("10.0.2.2")
    table = gateway.machine.interface("eth2").arp_cache.table
    mac = mac_from_text(gateway.outside.mac)
    for server in (SERVER, "10.0.2.2"):
        table.set_permanent(ip_from_text(server), mac, gateway.lab.scheduler.now_ns)
    gateway.port_of(ONE, 40_000)
    changed = gateway.port_of(TWO, 40_000)
    assert changed != 40_000
    assert gateway.port_of(TWO, 40_000, "10.0.2.2") == changed


def test_the_identifier_of_an_echo_request_is_its_port() -> None:
    gateway = Gateway(PLAIN)
    first = gateway.out(ip(ONE, SERVER) / ICMP(id=7, seq=1) / b"abc")
    second = gateway.out(ip(TWO, SERVER) / ICMP(id=7, seq=1) / b"abc")
    assert (first.src, first[ICMP].id) == (PUBLIC, 7)
    assert second.src == PUBLIC
    assert second[ICMP].id != 7
    assert is_sound(second)
    reply = ip(SERVER, PUBLIC) / ICMP(type=0, id=second[ICMP].id, seq=1) / b"abc"
    answered = gateway.back(reply)
    assert (answered.dst, answered[ICMP].id) == (TWO, 7)
    assert is_sound(answered)


def is_sound(packet: IP) -> bool:
    """Whether every checksum of a packet, and of one that it quotes, is right."""
    again = packet.copy()
    for layer in (IP, UDP, TCP, ICMP):
        if layer in again:
            del again[layer].chksum
    return bytes(again) == bytes(packet)


# -- other packets


@pytest.mark.parametrize("port", [40_000, 500])
@pytest.mark.parametrize("kind", [UDP, TCP])
def test_what_an_error_quotes_is_translated_back(port: int, kind: Any) -> None:
    gateway = Gateway(*LIBVIRTS)
    sent = ip(ONE, SERVER, id=9) / kind(sport=port, dport=7) / b"quoted"
    left = gateway.out(sent)
    assert is_sound(left)
    error = gateway.back(ip(SERVER, PUBLIC) / ICMP(type=3, code=3) / bytes(left))
    quoted = error[IPerror]
    assert (error.dst, quoted.src, quoted.dst) == (ONE, ONE, SERVER)
    assert quoted.getlayer(UDPerror if kind is UDP else TCPerror).sport == port
    inner = IP(bytes(error[ICMP].payload))
    assert is_sound(inner)
    whole = IP(bytes(error))
    del whole[ICMP].chksum
    assert bytes(whole) == bytes(error)


def test_a_datagram_with_a_wrong_checksum_leaves_as_it_came() -> None:
    gateway = Gateway(PLAIN)
    left = gateway.out(ip(ONE, SERVER) / UDP(sport=51_000, dport=7, chksum=0x1234) / b"bad")
    assert (left.src, left.sport, left.chksum, left.ttl) == (ONE, 51_000, left.chksum, 63)
    assert left[UDP].chksum == 0x1234


def test_a_datagram_without_a_checksum_still_has_none() -> None:
    gateway = Gateway(PLAIN)
    left = gateway.out(ip(ONE, SERVER) / UDP(sport=52_000, dport=7, chksum=0) / b"zero")
    assert (left.src, left[UDP].chksum) == (PUBLIC, 0)


def test_a_segment_from_the_middle_of_a_connection_is_translated() -> None:
    gateway = Gateway(PLAIN)
    left = gateway.out(ip(ONE, SERVER) / TCP(sport=50_000, dport=7, flags="A", seq=1, ack=1))
    assert (left.src, left.sport) == (PUBLIC, 50_000)
    assert is_sound(left)


def test_a_packet_of_any_protocol_is_translated() -> None:
    left = Gateway(*LIBVIRTS).out(ip(ONE, SERVER, proto=200) / b"generic")
    assert left.src == PUBLIC


@pytest.mark.parametrize("flags", [0, 2])
def test_a_packet_in_pieces_leaves_in_the_same_pieces(flags: int) -> None:
    """Though the whole would fit: it was put together to be translated."""
    gateway = Gateway(PLAIN)
    whole = ip(ONE, SERVER, id=7) / UDP(sport=40_000, dport=7) / (b"p" * 60)
    pieces = fragment(whole, fragsize=24)
    gateway.outside.forget()
    for piece in pieces:
        piece.flags = int(piece.flags) | flags
        gateway.inside.send(to_host(gateway.inside, piece, 1))
    left = [heard[IP] for heard in gateway.outside.of(IP)]
    assert [one.src for one in left] == [PUBLIC] * 3
    assert [(one.frag, one.flags.MF, one.flags.DF) for one in left] == [
        (0, True, False),
        (3, True, False),
        (6, False, False),
    ]


# -- a bridge


VIRTUAL, OUTSIDE = "10.0.1.254", "10.0.2.254"
HAIRPIN = f"-A PREROUTING -d {OUTSIDE} -p tcp --dport 8080 -j DNAT --to-destination {ONE}:80"
MASQUERADE = "-A POSTROUTING -s 10.0.1.0/24 ! -d 10.0.1.0/24 -j MASQUERADE"


class Bridged:
    """Two guests on a bridge that is their router; one offers a service to the world."""

    def __init__(self, *, calls_iptables: bool) -> None:
        self.lab = Lab()
        self.machine = machine = self.lab.machine("gateway")
        machine.add_bridge("br0")
        self.probes = [self.lab.probe(machine, f"p{number}", number) for number in (1, 2)]
        for number in (1, 2):
            machine.enslave(f"p{number}", "br0")
        machine.set_up("br0")
        machine.links.load_br_netfilter()
        machine.sysctls["net.bridge.bridge-nf-call-iptables"] = int(calls_iptables)
        machine.sysctls["net.ipv4.ip_forward"] = 1
        address(machine, "br0", f"{VIRTUAL}/24")
        address(machine, "br0", f"{OUTSIDE}/24")
        give_rules(machine, "nat", HAIRPIN, MASQUERADE)
        neighbors = machine.interface("br0").arp_cache.table
        for number, guest in ((1, ONE), (2, TWO)):
            mac = mac_from_text(probe_mac(number))
            neighbors.set_permanent(ip_from_text(guest), mac, self.lab.scheduler.now_ns)
            # The bridge shall know where everybody is.
            self.say(number, Ether(src=probe_mac(number), dst=probe_mac(number)))

    def say(self, number: int, frame: Any) -> dict[int, list[Any]]:
        """What comes to the guests when one of them says something."""
        for probe in self.probes:
            probe.forget()
        self.probes[number - 1].send(frame)
        self.lab.run(MS)
        return {
            place: [Ether(data) for _, data in probe.heard if IP in Ether(data)]
            for place, probe in enumerate(self.probes, start=1)
        }

    def to_gateway(self, number: int, packet: Any) -> dict[int, list[Any]]:
        mac = self.machine.interface("br0").device.mac
        return self.say(number, Ether(src=probe_mac(number), dst=mac.hex(":")) / packet)


def test_with_br_netfilter_a_guest_reaches_another_by_the_outer_address() -> None:
    """The packet is bridged: its TTL is what it was, and the answer is translated back."""
    lab = Bridged(calls_iptables=True)
    syn = ip(TWO, OUTSIDE, ttl=64) / TCP(sport=47_000, dport=8080, flags="S")
    (came,) = lab.to_gateway(2, syn)[1]
    assert (came.src, came.dst) == (probe_mac(2), probe_mac(1))
    assert (came[IP].src, came[IP].dst, came[IP].ttl) == (TWO, ONE, 64)
    assert came[TCP].dport == 80
    back = ip(ONE, TWO) / TCP(sport=80, dport=47_000, flags="SA", seq=0, ack=1)
    (answer,) = lab.say(1, Ether(src=probe_mac(1), dst=probe_mac(2)) / back)[2]
    assert (answer[IP].src, answer[TCP].sport, answer[IP].ttl) == (OUTSIDE, 8080, 64)


def test_without_it_the_answer_comes_from_somebody_who_was_never_asked() -> None:
    """It is bridged past the gateway, and whoever gets it can only reset the connection."""
    lab = Bridged(calls_iptables=False)
    syn = ip(TWO, OUTSIDE, ttl=64) / TCP(sport=55_000, dport=8080, flags="S")
    (came,) = lab.to_gateway(2, syn)[1]
    assert (came[IP].src, came[IP].dst, came[IP].ttl) == (TWO, ONE, 63)
    back = ip(ONE, TWO) / TCP(sport=80, dport=55_000, flags="SA", seq=0, ack=1)
    (answer,) = lab.say(1, Ether(src=probe_mac(1), dst=probe_mac(2)) / back)[2]
    assert (answer[IP].src, answer[TCP].sport) == (ONE, 80)


@pytest.mark.parametrize("calls_iptables", [True, False])
def test_no_guest_reaches_itself_by_the_outer_address(calls_iptables: bool) -> None:
    """Bridged, the frame would go back to its own port; routed, it comes from itself."""
    lab = Bridged(calls_iptables=calls_iptables)
    syn = ip(ONE, OUTSIDE) / TCP(sport=49_000, dport=8080, flags="S")
    heard = lab.to_gateway(1, syn)[1]
    came = [(one[IP].src, one[IP].dst) for one in heard if one[IP].proto == 6]
    assert came == ([] if calls_iptables else [(ONE, ONE)])


@pytest.mark.parametrize(("calls_iptables", "source"), [(True, VIRTUAL), (False, ONE)])
def test_what_guests_say_to_a_group_is_masqueraded_with_br_netfilter(
    calls_iptables: bool, source: str
) -> None:
    lab = Bridged(calls_iptables=calls_iptables)
    crowd = ip(ONE, "239.1.1.1", ttl=8) / UDP(sport=53_000, dport=9)
    (came,) = lab.say(1, Ether(src=probe_mac(1), dst="01:00:5e:01:01:01") / crowd)[2]
    assert (came[IP].src, came[IP].ttl) == (source, 8)
