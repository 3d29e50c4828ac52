"""Packets for a router with rules: flows and what answers them, and what belongs to no flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrFragment,
    fragment6,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from tests.kernel.labels import CLIENT_PORTS, ECHO_IDS, IDENTS, SERVER_PORTS
from tests.kernel.play import Inject, Look, Reply, Send, Step, Wait
from tests.kernel.setup import Lab, Port
from tests.kernel.talk import MANNERS
from vnet.base.chance import Stream

_FLAGS = ("A", "A", "PA", "FA", "R", "RA", "SA", "SA", "F", "", "SF", "FSRPAU", "SR")
_SIZES = (0, 1, 8, 20, 100, 600)
_LARGE = (1300, 1400, 1472, 2000)
_WAITS_MS = (300, 1300)


class NatFrames:
    """Of IPv4 or IPv6, as the lab's stations have it.

    ``pools`` are addresses that nobody has and rules may give, ``own`` those of the machine.
    """

    def __init__(self, lab: Lab, chance: Stream, pools: tuple[str, ...]) -> None:
        self._lab = lab
        self._chance = chance
        self._pools = pools
        self._own = [text.split("/")[0] for port in lab.ports for text in port.addresses]
        self._own += [] if lab.bridge is None else [t.split("/")[0] for t in lab.bridge.addresses]
        self._stations = [
            ip for port in lab.ports for ip in port.stations if not ip.startswith("fe80")
        ]
        self._sent: list[Inject] = []

    def steps(self, count: int) -> Iterator[Step]:
        """``count`` of them; at the half and at the end the machine shows what it knows."""
        for number in range(count):
            if number in (count // 2, count - 1):
                yield Look()
                continue
            yield from self._step()

    def _step(self) -> Iterator[Step]:
        chance = self._chance
        luck = chance.random()
        if luck < 0.42 and self._sent:
            yield Reply(chance.choice((0, 0, 0, 0, 1, 2, 5)), chance.choice(MANNERS))
        elif luck < 0.49:
            yield Send(
                chance.choice(CLIENT_PORTS),
                self._target(),
                chance.choice(SERVER_PORTS),
                self._data(),
            )
        elif luck < 0.55 and self._sent:
            yield chance.choice(self._sent)
        elif luck < 0.56:
            yield Wait(chance.choice(_WAITS_MS))
        else:
            port = chance.choice(self._lab.ports)
            for frame in chance.choice(self._makers())(port):
                self._sent.append(Inject(port.name, bytes(frame)))
                yield self._sent[-1]

    def _makers(self) -> tuple[Callable[[Port], list[Packet]], ...]:
        return (
            *(self._udp, self._udp, self._udp, self._open, self._open, self._open),
            *(self._segment, self._echo, self._echo, self._error, self._pieces),
            *(self._protocol, self._large),
        )

    # -- addresses

    def _ether(self, port: Port) -> Ether:
        """To the machine; behind a bridge as often to a station on it, by whatever address."""
        chance = self._chance
        source, target = chance.choice(list(port.stations.values())), port.mac
        if self._lab.bridge is not None and port.is_member and chance.random() < 0.4:
            others = [one for one in self._lab.ports if one.is_member and one is not port]
            target = chance.choice(list(chance.choice(others).stations.values()))
        return Ether(src=source, dst=target)

    def _source(self, port: Port) -> str:
        chance = self._chance
        if chance.random() < 0.9:
            return chance.choice([ip for ip in port.stations if not ip.startswith("fe80")])
        return chance.choice((*self._stations, *self._pools))

    def _target(self) -> str:
        chance = self._chance
        luck = chance.random()
        if luck < 0.6:
            return chance.choice(self._stations)
        return chance.choice(self._own if luck < 0.85 else self._pools)

    def _ip(self, port: Port, **more: object) -> Packet:
        chance = self._chance
        source, target = self._source(port), self._target()
        lifetime = chance.choice((64, 64, 64, 64, 64, 64, 2, 1))
        if ":" in source:
            return IPv6(**{"src": source, "dst": target, "hlim": lifetime, **more})
        flags, ident = chance.choice(("", "", "DF")), chance.choice(IDENTS[:-1])
        wanted = {"src": source, "dst": target, "ttl": lifetime, "flags": flags, "id": ident}
        return IP(**{**wanted, **more})

    def _data(self) -> bytes:
        return self._chance.choice(_SIZES) * b"\xa5"

    # -- packets

    def _udp(self, port: Port) -> list[Packet]:
        datagram = self._datagram()
        luck = self._chance.random()
        if luck < 0.08:
            datagram.chksum = self._chance.choice((0, 0x1234))
        elif luck < 0.11:
            datagram.len = self._chance.choice((7, 9, 2000))
        return [self._ether(port) / self._ip(port) / datagram / self._data()]

    def _datagram(self) -> UDP:
        chance = self._chance
        return UDP(sport=chance.choice(CLIENT_PORTS), dport=chance.choice(SERVER_PORTS))

    def _open(self, port: Port) -> list[Packet]:
        """The first segment of a connection."""
        chance = self._chance
        segment = self._head("S")
        segment.seq = chance.choice((0, 1_000, 0xFFFF_FFFF))
        if chance.random() < 0.6:
            segment.options = [("MSS", 1460), ("SAckOK", b""), ("NOP", None), ("WScale", 7)]
        return [self._ether(port) / self._ip(port) / segment]

    def _head(self, flags: str) -> TCP:
        chance = self._chance
        return TCP(
            sport=chance.choice(CLIENT_PORTS),
            dport=chance.choice(SERVER_PORTS),
            flags=flags,
            window=8_000,
        )

    def _segment(self, port: Port) -> list[Packet]:
        """One out of the blue."""
        chance = self._chance
        segment = self._head(chance.choice(_FLAGS))
        segment.seq, segment.ack = chance.choice((0, 1_001, 50_000)), chance.choice((0, 5_001))
        luck = chance.random()
        if luck < 0.1:
            segment.chksum = 0x1234
        elif luck < 0.15:
            segment.dataofs = chance.choice((4, 15))
        return [self._ether(port) / self._ip(port) / segment / self._data()]

    def _echo(self, port: Port) -> list[Packet]:
        chance = self._chance
        ip, ident = self._ip(port), chance.choice(ECHO_IDS)
        if isinstance(ip, IPv6):
            asked = ICMPv6EchoRequest(id=ident, seq=1, data=self._data())
            return [self._ether(port) / ip / asked]
        message = ICMP(type=chance.choice((8, 8, 8, 8, 0)), id=ident, seq=1)
        if chance.random() < 0.05:
            message.chksum = 0x1234
        return [self._ether(port) / ip / message / self._data()]

    def _error(self, port: Port) -> list[Packet]:
        """About a packet that perhaps nobody sent."""
        outer = self._ip(port)
        target = outer.src if self._chance.random() < 0.7 else self._target()
        quoted = type(outer)(src=outer.dst, dst=target) / self._datagram() / b"quoted"
        if isinstance(outer, IPv6):
            about: Packet = ICMPv6DestUnreach(code=4)
        else:
            about = ICMP(type=self._chance.choice((3, 3, 11, 4, 12)), code=1, unused=0)
        return [self._ether(port) / outer / about / Raw(bytes(quoted))]

    def _pieces(self, port: Port) -> list[Packet]:
        chance = self._chance
        size = chance.choice((40, 200, 1400, 2000))
        ether, ip = self._ether(port), self._ip(port)
        whole = ip / self._datagram() / Raw(size * b"\x77")
        if isinstance(ip, IPv6):
            whole = ip / IPv6ExtHdrFragment(id=chance.choice(IDENTS)) / whole.payload
            pieces = fragment6(whole, 1280 if size >= 1400 else size // 16 * 8 + 48)
        else:
            ip.flags = ""
            pieces = fragment(IP(bytes(whole)), fragsize=chance.choice((1000, 504, 24)))[:10]
        if chance.random() < 0.2:
            pieces.reverse()
        if chance.random() < 0.1:
            del pieces[chance.randrange(len(pieces))]
        return [ether / piece for piece in pieces]

    def _protocol(self, port: Port) -> list[Packet]:
        number = self._chance.choice((4, 50, 89, 200))
        ip = self._ip(port)
        if isinstance(ip, IPv6):
            ip.nh = number
        else:
            ip.proto = number
        return [self._ether(port) / ip / Raw(self._data())]

    def _large(self, port: Port) -> list[Packet]:
        data = Raw(self._chance.choice(_LARGE[:3]) * b"\x55")
        if self._chance.random() < 0.5:
            return [self._ether(port) / self._ip(port) / self._datagram() / data]
        return [self._ether(port) / self._ip(port) / self._head("A") / data]
