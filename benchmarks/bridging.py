"""A Linux bridge that filters VLANs, and one of a thousand ports that floods.

A copy of a flood is a frame that left by a port; how many of the yardstick's frames it costs is
what a port costs.
"""

from __future__ import annotations

from benchmarks.harness import Speed, Work
from benchmarks.road import FRAMES, STATIONS, Sink, station
from benchmarks.yardstick import hot_path
from vnet.base.ids import MAC_BROADCAST, Mac
from vnet.linux.bridge.bridge import Bridge
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler

PORTS = 1_000
FLOODS = 100


def _bridge(ports: int) -> tuple[Bridge, list[Sink]]:
    scheduler = Scheduler()
    bridge = Bridge(scheduler, "br0")
    bridge.device.set_admin(True)
    sinks = [Sink(scheduler, f"p{n}", Mac(b"\x06" + station(n)[1:])) for n in range(ports)]
    for sink in sinks:
        sink.set_admin(True)
        bridge.enable_port(bridge.add_port(sink))
    return bridge, sinks


def _frame(target: bytes, source: bytes, tag: bytes = b"") -> Frame:
    return Frame(target + source + tag + b"\x08\x00" + bytes(114))


def _forward(sinks: list[Sink], tags: tuple[bytes, bytes]) -> Work:
    """Two ports with a hundred stations between them that the bridge knows."""
    for n in range(STATIONS):
        sinks[n % 2].receive(_frame(MAC_BROADCAST, station(n), tags[n % 2]))
    frames = [
        (sinks[n % 2].receive, _frame(station((n + 1) % STATIONS), station(n), tags[n % 2]))
        for n in range(STATIONS)
    ]
    sent = sum(sink.tx_packets for sink in sinks)

    def work() -> int:
        for _ in range(FRAMES // STATIONS):
            for receive, frame in frames:
                receive(frame)
        assert sum(sink.tx_packets for sink in sinks) - sent >= FRAMES
        assert not sum(sum(sink.drops.values()) for sink in sinks)
        return FRAMES

    return work


def filtered_forward() -> Work:
    """From access port to access port: no tag comes or goes."""
    bridge, sinks = _bridge(2)
    bridge.vlan_filter.set_filtering(True)
    return _forward(sinks, (b"", b""))


def trunk_forward() -> Work:
    """Between an access port and a trunk: each frame gets a tag, or loses one."""
    bridge, sinks = _bridge(2)
    bridge.vlan_filter.set_filtering(True)
    bridge.vlan_filter.add(bridge.ports[1], 1)
    return _forward(sinks, (b"", b"\x81\x00\x00\x01"))


def _flood(bridge: Bridge, sinks: list[Sink]) -> Work:
    receive, frame = sinks[0].receive, _frame(MAC_BROADCAST, station(60_000))
    before = sum(sink.tx_packets for sink in sinks)

    def work() -> int:
        for _ in range(FLOODS):
            receive(frame)
        copies = sum(sink.tx_packets for sink in sinks) - before
        assert copies >= FLOODS * (PORTS - 1)
        bridge.storms.forget()
        return FLOODS * (PORTS - 1)

    return work


def flood() -> Work:
    """Broadcasts that go out by 999 ports."""
    return _flood(*_bridge(PORTS))


def filtered_flood() -> Work:
    """As many, in a VLAN; every other port is a trunk, where they get a tag."""
    bridge, sinks = _bridge(PORTS)
    bridge.vlan_filter.set_filtering(True)
    for port in bridge.ports[2::2]:
        bridge.vlan_filter.add(port, 1)
    return _flood(bridge, sinks)


BENCHMARKS = (
    Speed("VLAN filtering: access to access", "frames/s", filtered_forward, hot_path, "yardstick"),
    Speed("VLAN filtering: access and trunk", "frames/s", trunk_forward, hot_path, "yardstick"),
    Speed("1,000-port flood", "copies/s", flood, hot_path, "yardstick"),
    Speed("1,000-port flood, VLAN filtering", "copies/s", filtered_flood, hot_path, "yardstick"),
)
