"""The short way of tracked flows does what the long way does, byte for byte and count for count."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import Raw

from tests.linux.kit import MS, Lab, Probe, ip, router, to_host
from vnet.linux.netfilter.hooks import FORWARDED, Hook, Priority
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.road import TrackedRoads
from vnet.linux.netfilter.verdict import ACCEPT, Verdict
from vnet.linux.netns.namespace import Namespace

NEAR, FAR = "10.0.1.1", "10.0.2.1"
RULES = """*mangle
-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
COMMIT
*nat
-A PREROUTING -d 10.0.2.254 -p tcp --dport 8080 -j DNAT --to-destination 10.0.1.1:80
-A POSTROUTING -o eth2 -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -j ACCEPT
-A FORWARD -p tcp -d 10.0.1.1 --dport 80 -j ACCEPT
COMMIT
"""


def look(_packet: NfPacket) -> Verdict:
    """Somebody who must see every packet."""
    return ACCEPT


def world(*, spared: bool) -> tuple[Lab, Namespace, Probe, Probe]:
    lab = Lab()
    machine, near, far = router(lab)
    machine.make_netfilter().rules4.restore(RULES)
    if not spared:
        machine.make_netfilter().register(4, Hook.FORWARD, Priority.SECURITY, look)
    return lab, machine, near, far


def datagram(rng: Random, source: str, target: str, sport: int, dport: int) -> Any:
    layer = UDP(sport=sport, dport=dport) / Raw(rng.randbytes(rng.choice((0, 1, 7, 100, 999))))
    packet = ip(source, target, ttl=rng.choice((64, 2, 1)), tos=rng.choice((0, 8)))
    if rng.random() < 0.1:
        layer.chksum = rng.choice((0, 1234))
    if rng.random() < 0.1:
        packet.flags = "DF"
    return packet / layer


def script(seed: int) -> list[tuple[int, Any]]:
    """Frames of either side: an exchange over UDP, and a connection that is opened and used."""
    rng = Random(seed)
    frames: list[tuple[int, Any]] = []
    for _ in range(12):
        frames.append((1, datagram(rng, NEAR, FAR, 4000, 7)))
        frames.append((2, datagram(rng, FAR, "10.0.2.254", 7, 4000)))
    seq, ack = 1000, 9000
    for side, flags, size in [(2, "S", 0), (1, "SA", 0), (2, "A", 0)] + [
        (rng.choice((1, 2)), rng.choice(("A", "PA", "A", "PA", "FA")), rng.choice((0, 10, 501)))
        for _ in range(12)
    ]:
        if side == 2:
            layer = TCP(sport=5000, dport=8080, flags=flags, seq=seq, ack=ack)
            packet = ip(FAR, "10.0.2.254") / layer / Raw(bytes(size))
            seq += size + ("S" in flags) + ("F" in flags)
        else:
            layer = TCP(sport=80, dport=5000, flags=flags, seq=ack, ack=seq)
            packet = ip(NEAR, FAR) / layer / Raw(rng.randbytes(size))
            ack += size + ("S" in flags) + ("F" in flags)
        frames.append((side, packet))
    return frames


def outcome(seed: int, *, spared: bool) -> tuple[Any, ...]:
    lab, machine, near, far = world(spared=spared)
    probes = {1: near, 2: far}
    for side, packet in script(seed):
        probes[side].send(to_host(probes[side], packet, side))
        lab.run(300 * MS)
    netfilter = machine.netfilter
    assert netfilter is not None
    now_ns = lab.scheduler.now_ns
    entries = [
        (entry.key, entry.reply_key, entry.status, entry.timeout_s(now_ns))
        for entry in netfilter.conntrack.entries(now_ns)
    ]
    heard = [[data for _, data in probe.heard] for probe in (near, far)]
    lost = [i.device.drops for i in machine.interfaces.values()]
    return heard, entries, netfilter.rules4.save(counters=True), lost


@pytest.mark.parametrize("seed", range(6))
def test_the_short_way_is_the_long_way(seed: int) -> None:
    assert outcome(seed, spared=True) == outcome(seed, spared=False)


def test_answered_flows_take_it_until_rules_change() -> None:
    lab, machine, near, far = world(spared=True)
    roads = machine.interfaces["eth1"].roads
    exchange = ((near, NEAR, FAR, 4000, 7, 1), (far, FAR, "10.0.2.254", 7, 4000, 2))
    for probe, source, target, sport, dport, number in (*exchange, *exchange):
        packet = ip(source, target) / UDP(sport=sport, dport=dport)
        probe.send(to_host(probe, packet, number))
        lab.run(MS)
    assert [type(road) for road in roads.values()] == [TrackedRoads]
    machine.make_netfilter().rules4.command(["-A", "FORWARD", "-j", "DROP"])
    assert not roads
    assert IP in far.packets[-1]


def test_without_hooks_forwarding_is_as_it_was() -> None:
    _lab, machine, _near, _far = world(spared=True)
    assert machine.netfilter is not None
    assert machine.netfilter.watches(4, *FORWARDED)
    assert not machine.netfilter.watches(6, *FORWARDED)
