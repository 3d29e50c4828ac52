"""Replays a recorded scenario on the virtual clock.

A :class:`Stage` is the recorded scenario in vnet: namespaces joined by veth pairs, captures in
the same places, steps begun at the same moments. Our frames go through the tshark that read the
recorder's, so that the reading is not ours. Random delays can be given as the fractions of
their range that the recording shows.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.oracle.compare import tshark_fields
from tests.oracle.recording import MS, Frames, Place, Recording
from vnet.base.chance import Chance, Stream
from vnet.base.ids import IpAddress, Mac, ip_from_text, mac_text, prefix_from_text
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.linkwatch import Linkwatch
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.tables.fdb import FdbKind
from vnet.wire import arp, icmp, icmpv6, ipv4, ipv6
from vnet.wire.ether import TYPE_ARP
from vnet.wire.ether import frame as ether_frame
from vnet.wire.pcap import PcapWriter


def station(number: int, prefix: int = 2) -> Mac:
    """The MACs of the recordings: 02:00:00:00:00:01 and so on; 06 for a port's."""
    return Mac(bytes((prefix, 0, 0, 0, 0, number)))


class Replayed(Stream):
    """A stream whose next draws are given as fractions of their range; then it goes on alone."""

    def __init__(self, fractions: list[float], then: Stream) -> None:
        super().__init__(0)
        self._fractions = fractions
        self._then = then

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        low, high = (0, start) if stop is None else (start, stop)
        if not self._fractions:
            return self._then.randrange(low, high, step)
        return low + int((high - low) * self._fractions.pop(0))


class ReplayedBits(Stream):
    """A stream whose next bits are given; then it goes on alone."""

    def __init__(self, numbers: list[int]) -> None:
        super().__init__(0)
        self._numbers = numbers

    def getrandbits(self, k: int) -> int:
        return self._numbers.pop(0) if self._numbers else super().getrandbits(k)


class RecordedChance(Chance):
    """A lab's chance in which the streams named in ``draws`` repeat the kernel's choices.

    Of those in ``bits`` it is random bits that are given.
    """

    def __init__(
        self, draws: dict[str, list[float]], bits: dict[str, list[int]] | None = None
    ) -> None:
        super().__init__(1)
        self._draws = draws
        self._bits = bits or {}

    def stream(self, name: str) -> Stream:
        if name in self._bits:
            return ReplayedBits(list(self._bits[name]))
        return Replayed(list(self._draws.get(name, ())), super().stream(name))


class Capture:
    """tcpdump on a device, looking one way or both."""

    def __init__(self, stage: Stage, place: Place) -> None:
        self._stage = stage
        self._place = place

    def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
        if self._place[1] in ("inout", "out" if outbound else "in"):
            self._stage.captured.append((time_ns, self._place, data))

    def note_drop(self, *_what: object) -> None:
        """tcpdump knows nothing of drops."""


@dataclass
class PlayedStep:
    start_ns: int
    end_ns: int
    state: dict[str, Any] = field(default_factory=dict)
    result: Any = None


class Stage:
    """One kernel with its namespaces, and the verbs of the recorder's script."""

    def __init__(self, recording: Recording, chance: Chance, epoch_ns: int = 0) -> None:
        self.recording = recording
        self.chance = chance
        self.epoch_ns = epoch_ns
        """When the first step begins; where the timer wheel stands depends on it."""
        self.scheduler = Scheduler()
        self.linkwatch = Linkwatch(self.scheduler)
        self.nodes: dict[str, Namespace] = {}
        self.captured: list[tuple[int, Place, bytes]] = []
        self.played: dict[str, PlayedStep] = {}
        self._pings = 0

    def namespace(self, *names: str) -> None:
        for name in names:
            self.nodes[name] = Namespace(
                self.scheduler, name, self.chance, linkwatch=self.linkwatch
            )

    def cable(
        self,
        one: str,
        other: str,
        one_mac: Mac,
        other_mac: Mac,
        *,
        mtu: int = 1500,
        ipv6: bool = False,
        up: bool = True,
    ) -> None:
        """A veth pair between two places, as in ``h1/eth0`` and ``br/p1``."""
        ends = []
        for place, mac in ((one, one_mac), (other, other_mac)):
            node, name = place.split("/")
            device = PairDevice(self.scheduler, name, mac)
            device.mtu_bytes = mtu
            ends.append((self.nodes[node], device))
        pair_up(ends[0][1], ends[1][1])
        for namespace, device in ends:
            namespace.add_device(device, ipv6=ipv6)
        for namespace, device in ends:
            if up:
                namespace.set_up(device.name)

    def veth(
        self, number: int, node: str, switch: str, *, ipv6: bool = False, up: bool = True
    ) -> None:
        """Host ``node``'s eth0 and port p<number> of the node ``switch``."""
        host, port = f"{node}/eth0", f"{switch}/p{number}"
        self.cable(host, port, station(number), station(number, 6), ipv6=ipv6, up=up)

    def bridge(self, node: str, ports: list[str], *, ipv6: bool = False) -> Bridge:
        bridge = self.nodes[node].add_bridge("br0", ipv6=ipv6)
        for port in ports:
            self.nodes[node].enslave(port, "br0")
        return bridge

    def capture(self, node: str, device: str, *directions: str) -> None:
        for direction in directions or ("inout",):
            sniffer = Capture(self, (f"{node}/{device}", direction))
            self.nodes[node].interface(device).device.add_sniffer(sniffer)

    def address(self, node: str, device: str, text: str) -> None:
        self.nodes[node].add_address(device, *prefix_from_text(text))

    # -- steps

    def run_to(self, time_ns: int) -> None:
        """Let time pass until ``time_ns`` after the first step's start."""
        self.scheduler.run(self.epoch_ns + time_ns)

    def wait(self, duration_ns: int) -> None:
        self.scheduler.run(self.scheduler.now_ns + duration_ns)

    def step(
        self,
        name: str,
        action: Callable[[], Any],
        settle_ms: int = 300,
        state: dict[str, Callable[[], Any]] | None = None,
    ) -> None:
        """Begin at the recorded moment, act, let things settle, look at the state."""
        self.run_to(self.recording.steps[name].start_ns)
        played = self.played[name] = PlayedStep(self.scheduler.now_ns, 0)
        played.result = action()
        self.wait(settle_ms * MS)
        played.end_ns = self.scheduler.now_ns
        played.state = {key: look() for key, look in (state or {}).items()}

    def raw(self, node: str, data: bytes, device: str = "eth0") -> None:
        """A packet socket on the host's device sends ``data``."""
        self.nodes[node].interface(device).device.transmit(Frame(data))

    def ping(
        self,
        node: str,
        target: str,
        size: int = 56,
        *,
        count: int = 1,
        interval_ms: int = 1_000,
        ttl: int = 64,
        pmtu: str = "want",
        wait_ms: int = 0,
    ) -> None:
        """Echo requests of iputils, IPv4 or IPv6; ``pmtu`` is its ``-M``, ``do`` or ``dont``."""
        self._pings += 1
        # What comes back is ping's; a machine believes no error about what no socket sent.
        sockets = self.nodes[node].sockets
        sockets.open_echo(0x1000 + self._pings, lambda _reply: None, lambda _error: None)
        for sequence in range(1, count + 1):
            self._request(node, ip_from_text(target), size, sequence, ttl, pmtu)
            self.wait((interval_ms if sequence < count else wait_ms) * MS)

    def _request(
        self, node: str, target: IpAddress, size: int, sequence: int, ttl: int, pmtu: str
    ) -> None:
        """One request. IPv4's has DF set, and with ``-M do`` an id of zero besides."""
        namespace = self.nodes[node]
        source = namespace.sockets.source_for(target)
        rest = struct.pack("!HH", 0x1000 + self._pings, sequence)
        if len(target) == 16:
            message = icmpv6.Icmpv6(icmpv6.ECHO_REQUEST, 0, rest + bytes(size))
            data = icmpv6.emit(source, target, message)
            namespace.ipv6.send(ipv6.emit(source, target, icmpv6.PROTOCOL, data, hop_limit=ttl))
            return
        packet = ipv4.emit(
            source,
            target,
            icmp.PROTOCOL,
            icmp.emit(icmp.Icmp(icmp.ECHO_REQUEST, 0, rest, bytes(size))),
            ttl=ttl,
            ident=0 if pmtu == "do" else namespace.idents.next(source, target, icmp.PROTOCOL),
            flags_offset=0 if pmtu == "dont" else ipv4.DONT_FRAGMENT,
        )
        namespace.ipv4.send(packet)

    def arping(self, node: str, target: str, source: str) -> None:
        """One request of iputils' arping, which asks with an all-ones target MAC."""
        device = self.nodes[node].interface("eth0").device
        everyone = b"\xff" * 6
        query = arp.Arp(
            arp.REQUEST, device.mac, ip_from_text(source), everyone, ip_from_text(target)
        )
        device.transmit(Frame(ether_frame(everyone, device.mac, TYPE_ARP, arp.emit(query))))

    @staticmethod
    def fdb(bridge: Bridge) -> list[str]:
        """``bridge -s fdb show``, without the ages."""
        return [
            f"{mac_text(entry.mac)} dev {entry.port.device.name} master br0"
            + (" permanent" if entry.kind is FdbKind.LOCAL else "")
            for entry in bridge.entries()
        ]

    def neighbors(self, node: str) -> list[str]:
        """``ip neigh``."""
        return [
            f"{'.'.join(map(str, n.ip))} dev {i.device.name} "
            + (f"lladdr {mac_text(n.mac)} " if n.mac else "")
            + n.state.name
            for i in self.nodes[node].interfaces.values()
            for n in i.arp_cache.table
        ]

    # -- reading our frames

    def dissected(self, folder: Path) -> dict[str, Frames]:
        """Our frames by step and place, as tshark fields. ``folder`` is for the captures.

        Each place has a capture of its own: tshark puts fragments together, and the same ones
        pass several places.
        """
        by_place: dict[Place, list[tuple[int, bytes]]] = {}
        for time_ns, place, data in self.captured:
            by_place.setdefault(place, []).append((time_ns, data))
        steps: dict[str, Frames] = {name: {} for name in self.played}
        for number, (place, captured) in enumerate(by_place.items()):
            path = folder / f"ours-{number}.pcap"
            with path.open("wb") as stream:
                writer = PcapWriter(stream)
                for time_ns, data in captured:
                    writer.write(time_ns, data)
            rows = list(tshark_fields(path, self.recording.fields))
            for (time_ns, _data), row in zip(captured, rows, strict=True):
                for name, played in self.played.items():
                    if played.start_ns <= time_ns < played.end_ns:
                        steps[name].setdefault(place, []).append(row)
        return steps

    def times_ms(self, name: str) -> dict[Place, list[int]]:
        """When our frames of a step passed, in milliseconds since its start."""
        played = self.played[name]
        times: dict[Place, list[int]] = {}
        for time_ns, place, _data in self.captured:
            if played.start_ns <= time_ns < played.end_ns:
                times.setdefault(place, []).append((time_ns - played.start_ns) // MS)
        return times
