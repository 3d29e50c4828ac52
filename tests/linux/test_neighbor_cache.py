"""What comes and goes in the neighbour caches: limits, lost carriers, and who is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6NDOptSrcLLAddr
from scapy.layers.l2 import ARP, Ether

from tests.linux.kit import (
    BROADCAST,
    Lab,
    Probe,
    S,
    address,
    dropped,
    host,
    ip6,
    nud_of,
    probe_mac,
    to_host,
)
from vnet.base.ids import ip_from_text, ip_text, mac_from_text
from vnet.linux.netns import drops
from vnet.linux.netns.changes import Change, LinkChange, NeighborChange
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.peers import Peers
from vnet.tables.neigh import Nud

PEER_MAC = mac_from_text(probe_mac(1))
MOST = 1024


def two_families() -> tuple[Lab, Namespace, Probe]:
    lab = Lab()
    machine, probe = host(lab, "10.0.0.1/16", ipv6=True)
    address(machine, "eth0", "fd00::1/64")
    lab.run(4 * S)
    probe.forget()
    return lab, machine, probe


def fill(machine: Namespace, *, solicited: bool) -> None:
    """Let both caches know all the neighbours they may, REACHABLE or STALE."""
    interface = machine.interface("eth0")
    for number in range(MOST):
        for cache, network in ((interface.arp_cache, "10.0.1.0"), (interface.nd_cache, "fd00::")):
            first = int.from_bytes(ip_from_text(network), "big")
            packed = (first + 256 + number).to_bytes(len(ip_from_text(network)), "big")
            assert cache.heard(packed, PEER_MAC, solicited=solicited)


@pytest.mark.parametrize("target", ["10.0.0.2", "fd00::2"])
def test_a_full_table_of_stations_in_use_takes_no_packet_for_another(target: str) -> None:
    lab, machine, probe = two_families()
    fill(machine, solicited=True)
    machine.sockets.open_udp(lambda *_: None).send_to(ip_from_text(target), 9, b"x")
    lab.run(0)
    assert dropped(machine, drops.NEIGHBOR_TABLE_FULL) == 1
    assert nud_of(machine.interface("eth0"), target) is None
    assert probe.of(ARP) == probe.of(ICMPv6ND_NS) == []


def test_a_full_table_answers_no_strangers() -> None:
    _lab, machine, probe = two_families()
    fill(machine, solicited=True)
    probe.send(Ether(src=probe.mac, dst=BROADCAST) / ARP(psrc="10.0.0.2", pdst="10.0.0.1"))
    ask = ICMPv6ND_NS(tgt="fd00::1") / ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    probe.send(to_host(probe, ip6("fd00::2", "fd00::1", hlim=255) / ask))
    advert = ICMPv6ND_RA() / ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    frame = Ether(src=probe.mac, dst="33:33:00:00:00:01")
    probe.send(frame / ip6("fe80::9", "ff02::1", hlim=255) / advert)
    assert dropped(machine, drops.NEIGHBOR_TABLE_FULL) == 3
    assert probe.of(ARP) == probe.of(ICMPv6ND_NA) == []


def test_a_full_table_lets_idle_stations_go_for_a_new_one() -> None:
    lab, machine, _probe = two_families()
    fill(machine, solicited=False)
    lab.run(6 * S)
    changes: list[Change] = []
    machine.listeners.append(changes.append)
    machine.sockets.open_udp(lambda *_: None).send_to(ip_from_text("10.0.0.2"), 9, b"x")
    lab.run(0)
    interface = machine.interface("eth0")
    assert nud_of(interface, "10.0.0.2") is Nud.INCOMPLETE
    assert len(list(interface.arp_cache.table)) == 512
    assert gone(changes)[:2] == ["10.0.2.0", "10.0.2.1"]


def test_the_limit_is_for_all_interfaces_together() -> None:
    lab, machine, _probe = two_families()
    other = lab.probe(machine, "eth1", 2)
    address(machine, "eth1", "192.0.2.1/24")
    fill(machine, solicited=True)
    other.send(Ether(src=other.mac, dst=BROADCAST) / ARP(psrc="192.0.2.2", pdst="192.0.2.1"))
    assert dropped(machine, drops.NEIGHBOR_TABLE_FULL) == 1
    assert nud_of(machine.interface("eth1"), "192.0.2.2") is None


# -- a lost carrier


def test_a_lost_carrier_takes_the_neighbours_but_for_permanent_ones() -> None:
    lab, machine, probe = two_families()
    interface = machine.interface("eth0")
    for text, cache in (("10.0.0.2", interface.arp_cache), ("fd00::2", interface.nd_cache)):
        cache.heard(ip_from_text(text), PEER_MAC, solicited=True)
    interface.arp_cache.table.set_permanent(ip_from_text("10.0.0.3"), PEER_MAC, 0)
    machine.sockets.open_udp(lambda *_: None).send_to(ip_from_text("10.0.0.4"), 9, b"waits")
    lab.run(0)
    probe.device.set_admin(False)
    states = {text: nud_of(interface, text) for text in ("10.0.0.2", "fd00::2", "10.0.0.4")}
    assert set(states.values()) == {None}
    assert nud_of(interface, "10.0.0.3") is Nud.PERMANENT
    assert dropped(machine, drops.NO_NEIGHBOR) == 1
    machine.set_down("eth0")
    assert nud_of(interface, "10.0.0.3") is None


# -- who is told


def gone(changes: list[Change]) -> list[str]:
    """The neighbours that were told to be gone."""
    return [ip_text(c.neighbor.ip) for c in changes if isinstance(c, NeighborChange) and c.deleted]


def test_listeners_hear_of_neighbours_that_are_collected_or_flushed() -> None:
    lab, machine, probe = two_families()
    cache = machine.interface("eth0").arp_cache
    changes: list[Change] = []
    machine.listeners.append(changes.append)
    for number in range(127):
        cache.heard(bytes((10, 0, 7, number)), PEER_MAC, solicited=False)
    lab.run(600 * S)
    assert gone(changes) == []  # with fewer than gc_thresh1 there is no hurry
    cache.heard(ip_from_text("10.0.0.2"), PEER_MAC, solicited=False)
    lab.run(15 * S)
    assert gone(changes) == [f"10.0.7.{number}" for number in range(127)]
    probe.device.set_admin(False)
    assert gone(changes)[127:] == ["10.0.0.2"]


def test_answers_that_keep_coming_leave_one_event_each_neighbour() -> None:
    """Or else a flood of advertisements would fill the queue of events."""
    lab, machine, _probe = two_families()
    cache = machine.interface("eth0").arp_cache
    cache.heard(ip_from_text("10.0.0.2"), PEER_MAC, solicited=True)
    pending = lab.scheduler.pending
    for _ in range(1000):
        lab.run(1_000_000)
        cache.heard(ip_from_text("10.0.0.2"), PEER_MAC, solicited=True)
    assert lab.scheduler.pending <= pending
    lab.run(50 * S)
    assert nud_of(machine.interface("eth0"), "10.0.0.2") is Nud.STALE


def test_listeners_hear_what_a_bridge_takes_from_its_ports() -> None:
    lab = Lab()
    machine = lab.machine("br")
    machine.add_bridge("br0")
    for number in (1, 2):
        lab.probe(machine, f"p{number}", number)
    machine.set_mtu("p2", 1400)
    told: list[str] = []

    def listen(change: Change) -> None:
        if isinstance(change, LinkChange):
            told.append(change.device.name)

    machine.listeners.append(listen)
    steps: tuple[tuple[Callable[[], None], list[str]], ...] = (
        (lambda: machine.enslave("p1", "br0"), ["br0", "p1"]),
        (lambda: machine.enslave("p2", "br0"), ["br0", "p2"]),
        (lambda: machine.set_mtu("p2", 1300), ["br0", "p2"]),
        (lambda: machine.set_mtu("p1", 1450), ["p1"]),
        (lambda: machine.set_mac("p2", mac_from_text("02:00:00:00:00:00")), ["br0", "p2"]),
        (lambda: machine.set_mac("p1", mac_from_text("02:00:00:00:00:07")), ["p1"]),
        (lambda: machine.release("p2"), ["br0", "p2"]),
        (lambda: machine.release("p1"), ["br0", "p1"]),
    )
    for step, expected in steps:
        told.clear()
        step()
        assert told == expected


# -- the other table that strangers can fill


def test_peers_that_were_silent_for_a_minute_are_forgotten() -> None:
    peers, minute = Peers(), 60 * S
    for number in range(MOST):
        assert peers.allow(number.to_bytes(4, "big"), 0, 1 * S)
    busy = (MOST - 1).to_bytes(4, "big")
    for _ in range(6):
        assert peers.allow(busy, minute, 1 * S)
    assert peers.allow(b"next", minute, 1 * S)
    assert len(peers._peers) == 2
    assert not peers.allow(busy, minute, 1 * S)


@pytest.mark.slow
def test_the_rate_limits_table_has_room_for_so_many_and_no_more() -> None:
    """With a stranger for every error, and no time for a bucket to fill again."""
    limit = Peers()
    for number in range(200_000):
        assert limit.allow(number.to_bytes(4, "big"), 0, 1_000_000_000)
    assert len(limit._peers) <= 65_536 + 128
    last = (199_999).to_bytes(4, "big")
    assert [limit.allow(last, 0, 1_000_000_000) for _ in range(6)] == [True] * 5 + [False]


def test_what_the_administrator_doubts_is_stale_however_sure_it_was() -> None:
    lab = Lab()
    machine, probe = host(lab)
    cache = machine.interface("eth0").arp_cache
    target = ip_from_text("10.0.0.9")
    mac = mac_from_text(probe.mac)
    cache.set(target, mac, Nud.REACHABLE)
    assert nud_of(machine.interface("eth0"), "10.0.0.9") is Nud.REACHABLE
    cache.set(target, mac, Nud.STALE)
    assert nud_of(machine.interface("eth0"), "10.0.0.9") is Nud.STALE
