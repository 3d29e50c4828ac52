"""A router's road: frames of a hundred flows that are known, each to a neighbour that is."""

from __future__ import annotations

from benchmarks.harness import Speed, Work
from benchmarks.road import FRAMES, STATIONS, Sink, station
from benchmarks.yardstick import hot_path
from vnet.base.chance import Chance
from vnet.base.ids import IpAddress, Mac
from vnet.linux.netns.namespace import Namespace
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.wire import ipv4, udp
from vnet.wire.ether import TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

_FRAME_BYTES = 128


def routed_forward() -> Work:
    router, cards = router_of_two()
    neighbors = router.interface("eth1").arp_cache
    frames = []
    for number in range(STATIONS):
        target = bytes((10, 0, 1, number))
        neighbors.heard(target, station(number), solicited=True)
        frames.append(Frame(frame_of(cards[0].mac, bytes((10, 0, 0, number)), target)))
    return _forwarding(cards, frames)


def router_of_two() -> tuple[Namespace, list[Sink]]:
    """10.0.0.254 on eth0, 10.0.1.254 on eth1."""
    scheduler = Scheduler()
    router = Namespace(scheduler, "r", Chance(1))
    router.sysctls["net.ipv4.ip_forward"] = 1
    cards = [Sink(scheduler, f"eth{n}", Mac(b"\x06" + station(n)[1:])) for n in range(2)]
    for number, card in enumerate(cards):
        router.add_device(card)
        router.set_up(card.name)
        router.add_address(card.name, IpAddress(bytes((10, 0, number, 254))), 24)
    return router, cards


def _forwarding(cards: list[Sink], frames: list[Frame]) -> Work:
    sent = cards[1].tx_packets

    def work() -> int:
        receive = cards[0].receive
        for _ in range(FRAMES // STATIONS):
            for frame in frames:
                receive(frame)
        assert cards[1].tx_packets - sent == FRAMES
        return FRAMES

    return work


def frame_of(
    mac: bytes, source: bytes, target: bytes, source_port: int = 9, target_port: int = 9
) -> bytes:
    """A frame of 128 bytes with a datagram, for a card of the router's."""
    within = _FRAME_BYTES - 14 - ipv4.HEADER_BYTES - udp.HEADER_BYTES
    segment = udp.emit(source, target, source_port, target_port, bytes(within))
    packet = ipv4.emit(source, target, udp.PROTOCOL, segment)
    return ether_frame(mac, station(999), TYPE_IPV4, packet)


def nated_forward() -> Work:
    """A hundred guests' flows behind one address: each frame leaves translated, and counted."""
    router, cards = router_of_two()
    rules = router.make_netfilter().rules4
    rules.restore(
        "*nat\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n"
        "*filter\n:FORWARD DROP [0:0]\n"
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
        "-A FORWARD -i eth0 -j ACCEPT\nCOMMIT\n"
    )
    target = bytes((10, 0, 1, 1))
    router.interface("eth1").arp_cache.heard(target, station(1), solicited=True)
    frames = []
    for number in range(STATIONS):
        source = bytes((10, 0, 0, number))
        router.interface("eth0").arp_cache.heard(source, station(number), solicited=True)
        frames.append(Frame(frame_of(cards[0].mac, source, target, 5000 + number)))
        cards[0].receive(frames[-1])
        cards[1].receive(
            Frame(frame_of(cards[1].mac, target, bytes((10, 0, 1, 254)), 9, 5000 + number))
        )
    return _forwarding(cards, frames)


BENCHMARKS = (
    Speed("routed forward", "frames/s", routed_forward, hot_path, "yardstick", 0.2),
    Speed("NATed forward", "frames/s", nated_forward, hot_path, "yardstick", 0.15),
)
