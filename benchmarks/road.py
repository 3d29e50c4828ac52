"""The road of a frame: a hop over a link, a bridge that knows the way, a whole lab.

The yardstick is the plain hot path of a software switch, so a ratio says how many of its
frames one hop or one forward costs.
"""

from __future__ import annotations

from benchmarks.harness import Speed, Work
from benchmarks.yardstick import hot_path
from vnet.base.chance import Chance
from vnet.base.ids import IpAddress, Mac
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import NetDevice
from vnet.netdev.nic import Nic
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.frame import Frame
from vnet.sim.link import Link
from vnet.sim.scheduler import Scheduler

FRAMES = 50_000
STATIONS = 100


class Sink(NetDevice):
    """A port whose wire swallows frames."""

    __slots__ = ()

    def _xmit(self, frame: Frame) -> None:
        """The frame is gone; that it got here is what is measured."""


def station(number: int) -> bytes:
    return b"\x02\x00\x00\x00" + number.to_bytes(2, "big")


def udp_frame(target: bytes, source: bytes) -> Frame:
    return Frame(target + source + b"\x08\x00" + bytes(114))


def learned_forward() -> Work:
    scheduler = Scheduler()
    bridge = Bridge(scheduler, "br0")
    bridge.device.set_admin(True)
    ports = [Sink(scheduler, f"p{n}", Mac(b"\x06" + station(n)[1:])) for n in range(2)]
    for port in ports:
        bridge.add_port(port)
        port.set_admin(True)
        member = bridge.port_of(port)
        assert member is not None
        bridge.enable_port(member)
    for n in range(STATIONS):
        ports[n % 2].receive(udp_frame(station(n + 1 & 0xFFFF), station(n)))
    frames = [
        (ports[n % 2].receive, udp_frame(station((n + 1) % STATIONS), station(n)))
        for n in range(STATIONS)
    ]
    sent = ports[0].tx_packets + ports[1].tx_packets

    def work() -> int:
        for _ in range(FRAMES // STATIONS):
            for receive, frame in frames:
                receive(frame)
        assert ports[0].tx_packets + ports[1].tx_packets - sent == FRAMES
        return FRAMES

    return work


def link_hops() -> Work:
    """Frames go back and forth over a link with delay and bandwidth: one event a hop."""
    scheduler = Scheduler()
    link = Link(scheduler, ("a", "b"), latency_ns=1_000_000, bandwidth_bps=10**10)
    for end in link.ends:
        end.receive = end.send
    for _ in range(STATIONS):
        link.ends[0].send(udp_frame(station(1), station(2)))
    end_ns = 500 * 1_000_000

    def work() -> int:
        scheduler.run(end_ns)
        return link.ends[0].tx_frames + link.ends[1].tx_frames

    return work


def lab_hops() -> Work:
    """Echo requests between two hosts through a bridge, kernel and counters and all.

    A hop is a frame received by any device.
    """
    scheduler, chance = Scheduler(), Chance(1)
    middle = Namespace(scheduler, "middle", chance)
    middle.add_bridge("br0")
    hosts = []
    for number in (1, 2):
        host = Namespace(scheduler, f"h{number}", chance)
        card = PairDevice(scheduler, "eth0", Mac(station(number)))
        port = PairDevice(scheduler, f"p{number}", Mac(b"\x06" + station(number)[1:]))
        pair_up(card, port)
        host.add_device(card)
        middle.add_device(port)
        middle.enslave(port.name, "br0")
        middle.set_up(port.name)
        host.set_up("eth0")
        host.add_address("eth0", IpAddress(bytes((10, 0, 0, number))), 24)
        hosts.append(host)
    middle.set_up("br0")
    devices = [i.device for n in (middle, *hosts) for i in n.interfaces.values()]
    one, two = hosts
    data = bytes(56)
    asker = one.sockets.open_udp(lambda socket, d: socket.send_to(d.source, 7, data), 9)
    two.sockets.open_udp(lambda socket, d: socket.send_to(d.source, 9, data), 7)

    def work() -> int:
        before = sum(device.rx_packets for device in devices)
        asker.send_to(bytes((10, 0, 0, 2)), 7, data)
        # The answers chase each other without time passing; stop them after a while.
        scheduler.at(scheduler.now_ns, _stop_later, scheduler, devices, before + FRAMES)
        scheduler.run(scheduler.now_ns)
        return sum(device.rx_packets for device in devices) - before

    return work


def _stop_later(scheduler: Scheduler, devices: list[NetDevice], enough: int) -> None:
    if sum(device.rx_packets for device in devices) >= enough:
        scheduler.stop()
    else:
        scheduler.after(0, _stop_later, scheduler, devices, enough)


def nic_to_nic() -> Work:
    """A card, a link, a card: everything a physical hop has."""
    scheduler = Scheduler()
    link = Link(scheduler, ("a:eth0", "b:eth0"), latency_ns=1_000_000, bandwidth_bps=10**10)
    cards = [Nic(scheduler, "eth0", Mac(station(n)), owner=n * "b" or "a") for n in range(2)]
    for card, end in zip(cards, link.ends, strict=True):
        card.set_admin(True)
        card.plug(end)
        card.rx_handler = card.transmit
    for _ in range(STATIONS):
        cards[0].transmit(udp_frame(station(1), station(2)))

    def work() -> int:
        scheduler.run(250 * 1_000_000)
        return cards[0].rx_packets + cards[1].rx_packets

    return work


BENCHMARKS = (
    Speed("learned bridge forward", "frames/s", learned_forward, hot_path, "yardstick", 0.4),
    Speed("link hops", "hops/s", link_hops, hot_path, "yardstick"),
    Speed("card, link, card", "hops/s", nic_to_nic, hot_path, "yardstick"),
    Speed("UDP between two hosts over a bridge", "hops/s", lab_hops, hot_path, "yardstick"),
)
