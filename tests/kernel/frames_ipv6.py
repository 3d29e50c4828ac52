"""Frames for a router or a host that speaks IPv6: right ones, odd ones, wrong ones."""

from __future__ import annotations

from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import (
    HBHOptUnknown,
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6MLQuery,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    ICMPv6Unknown,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
    RouterAlert,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from benchmarks.fuzzing.mutate import Stations
from tests.kernel.frames_ip import Maker, StationFrames
from tests.kernel.setup import Port
from vnet.base.ids import (
    ip_from_text,
    ip_text,
    link_local_of,
    mac_from_text,
    mac_text,
    multicast_mac_of,
    solicited_node_of,
)

_NOBODYS = ("fd00:1::77", "fd00:2::77", "fd00:20::1", "fd00:20:5::1", "fd00:30::1", "2001:db8::1")
_ODD_SOURCES = ("::", "::1", "ff02::1", "::ffff:10.0.0.1", "fe80::77", "fec0::1")
_ODD_TARGETS = (
    *_ODD_SOURCES,
    *("ff02::2", "ff02::1:ff00:1", "ff02::1:ff00:b", "ff05::1", "ff01::1", "ff0e::5", "fd00:1::"),
    *("ff00::1", "fd00:2::", "fd00:1:ffff:ffff:ffff:ffff:ffff:ffff"),
)
_SIZES = (0, 1, 7, 8, 100, 600, 1180, 1232, 1240, 1300, 1400, 1452)
_HOP_LIMITS = (64, 64, 64, 64, 255, 2, 1, 0)


class Ipv6Frames(StationFrames):
    """Of IPv6."""

    NOBODYS = _NOBODYS
    ODD_SOURCES = _ODD_SOURCES
    SIZES = _SIZES

    def _makers(self) -> tuple[Maker, ...]:
        return (
            *(self._solicit, self._solicit, self._advertise, self._echo, self._echo, self._udp),
            *(self._tcp, self._fragments, self._extended, self._extended, self._control),
            *(self._protocol, self._broken, self._large),
        )

    def _known(self) -> Stations:
        return Stations(
            [mac_from_text(port.mac) for port in self._lab.ports],
            [bytes(4)],
            [bytes(4)],
            [ip_from_text(ip) for ip in (*self._own, *self._stations)],
            [ip_from_text(ip) for ip in self._stations],
        )

    # -- addresses

    def _ether(self, port: Port, target: str) -> Ether:
        """From a station of the port's wire to the MAC that goes with ``target``, or to another."""
        chance = self._chance
        source = chance.choice(list(port.stations.values()))
        packed = ip_from_text(target)
        mac = mac_text(multicast_mac_of(packed)) if packed[0] == 0xFF else port.mac
        luck = chance.random()
        if luck < 0.03:
            mac = chance.choice(("ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01", "33:33:ff:00:00:01"))
        elif luck < 0.06:
            mac = chance.choice([other.mac for other in self._lab.ports])
        return Ether(src=source, dst=mac)

    def _target(self, port: Port) -> str:
        chance = self._chance
        luck = chance.random()
        if luck < 0.4:
            link_local = ip_text(link_local_of(mac_from_text(port.mac)))
            return chance.choice((*self._own, link_local))
        if luck < 0.6:
            return chance.choice(self._stations)
        if luck < 0.8:
            return chance.choice(_NOBODYS)
        return chance.choice(_ODD_TARGETS)

    def _ip(self, port: Port, **fields: object) -> Packet:
        """Ethernet and IPv6 headers."""
        chance = self._chance
        wanted = {
            "src": self._source(port),
            "dst": self._target(port),
            "hlim": chance.choice(_HOP_LIMITS),
            "tc": chance.choice((0, 0, 0, 0x10, 0xFF)),
            "fl": chance.choice((0, 0, 0x12345)),
            **fields,
        }
        return self._ether(port, str(wanted["dst"])) / IPv6(**wanted)

    # -- kinds of packets

    def _solicit(self, port: Port) -> list[Packet]:
        chance = self._chance
        target = self._target(port)
        group = ip_text(solicited_node_of(ip_from_text(target)))
        hop_limit = 255 if chance.random() < 0.9 else 64
        to = group if chance.random() < 0.7 else self._target(port)
        message = ICMPv6ND_NS(tgt=target)
        frame = self._ip(port, dst=to, hlim=hop_limit) / message
        if chance.random() < 0.8:
            mac = frame.src if chance.random() < 0.9 else "0e:00:00:00:00:09"
            frame /= ICMPv6NDOptSrcLLAddr(lladdr=mac)
        return [frame]

    def _advertise(self, port: Port) -> list[Packet]:
        chance = self._chance
        flags = {name: chance.choice((0, 1)) for name in "RSO"}
        target = chance.choice((*port.stations, self._target(port)))
        to = chance.choice(("ff02::1", self._target(port)))
        frame = self._ip(port, src=target, dst=to, hlim=255) / ICMPv6ND_NA(tgt=target, **flags)
        if chance.random() < 0.8:
            mac = chance.choice((frame.src, frame.src, "0e:00:00:00:00:09"))
            frame /= ICMPv6NDOptDstLLAddr(lladdr=mac)
        return [frame]

    def _echo(self, port: Port) -> list[Packet]:
        chance = self._chance
        message = ICMPv6EchoRequest(id=chance.randrange(1, 99), seq=chance.randrange(99))
        if chance.random() < 0.1:
            message.cksum = 0x1234
        if chance.random() < 0.1:
            message.code = 1
        message.data = chance.choice(_SIZES) * b"\xa5"
        return [self._ip(port) / message]

    def _udp(self, port: Port) -> list[Packet]:
        chance = self._chance
        segment = UDP(sport=chance.choice((0, 53, 4000)), dport=chance.choice((0, 7, 53, 33434)))
        luck = chance.random()
        if luck < 0.1:
            segment.chksum = chance.choice((0, 0x1234))
        elif luck < 0.2:
            segment.len = chance.choice((0, 7, 8, 9, 20, 2000))
        return [self._ip(port) / segment / self._data()]

    def _tcp(self, port: Port) -> list[Packet]:
        chance = self._chance
        segment = TCP(
            sport=4000,
            dport=chance.choice((7, 80)),
            seq=chance.choice((0, 1, 1000, 0xFFFFFFFF)),
            ack=chance.choice((0, 1000)),
            flags=chance.choice(("S", "S", "SA", "A", "F", "FA", "R", "PA", "", "FSRPAU")),
        )
        if chance.random() < 0.1:
            segment.chksum = 0x1234
        return [self._ip(port) / segment / self._data()]

    def _protocol(self, port: Port) -> list[Packet]:
        number = self._chance.choice((2, 4, 41, 46, 50, 51, 59, 89, 132, 135, 253, 255))
        return [self._ip(port, nh=number) / self._data()]

    def _control(self, port: Port) -> list[Packet]:
        """ICMPv6 that is neither an echo request nor about neighbours."""
        chance = self._chance
        inner = IPv6(src=self._target(port), dst=self._source(port)) / UDP(sport=7, dport=4000)
        code = chance.choice((0, 1, 3, 4))
        message = chance.choice(
            (
                *(ICMPv6DestUnreach(code=code), ICMPv6PacketTooBig(mtu=chance.choice((0, 1300)))),
                *(ICMPv6TimeExceeded(code=code), ICMPv6ParamProblem(code=code, ptr=6)),
                *(ICMPv6EchoReply(id=3), ICMPv6ND_RS(), ICMPv6MLQuery()),
                *(ICMPv6Unknown(type=kind, code=code) for kind in (0, 5, 100, 127, 139, 200, 255)),
            )
        )
        hop_limit = chance.choice((1, 64, 255))
        return [self._ip(port, hlim=hop_limit) / message / Raw(bytes(inner))]

    def _extended(self, port: Port) -> list[Packet]:
        chance = self._chance
        headers = [self._header(port) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
        frame = self._ip(port)
        for header in headers:
            frame /= header
        upper = chance.choice((ICMPv6EchoRequest(id=5, data=b"abc"), UDP(sport=4000, dport=7)))
        return [frame / upper]

    def _header(self, port: Port) -> Packet:
        chance = self._chance
        kind = chance.randrange(5)
        if kind < 3:
            header = IPv6ExtHdrHopByHop if kind < 2 else IPv6ExtHdrDestOpt
            options = (PadN(optdata=b"\0" * 4), RouterAlert(value=0), RouterAlert(value=5))
            unknown = (HBHOptUnknown(otype=otype, optdata=b"xy") for otype in (30, 94, 158, 222))
            return header(options=[chance.choice((*options, *unknown))])
        if kind == 3:
            via = [self._target(port)]
            return IPv6ExtHdrRouting(
                type=chance.choice((0, 2, 3, 4)), addresses=via, segleft=chance.choice((0, 0, 1, 2))
            )
        return IPv6ExtHdrFragment(offset=0, m=0, id=9)

    def _broken(self, port: Port) -> list[Packet]:
        chance = self._chance
        frame = self._ip(port) / ICMPv6EchoRequest(id=3, data=40 * b"\x3c")
        ip = frame[IPv6]
        field, value = chance.choice(
            (("version", 5), ("plen", 0), ("plen", 4), ("plen", 47), ("plen", 1000), ("nh", 0))
        )
        setattr(ip, field, value)
        return [frame / Raw(chance.choice((b"", b"\x99" * 8)))]

    def _large(self, port: Port) -> list[Packet]:
        """Through the machine, and too much for some of its links."""
        chance = self._chance
        size = chance.choice((1200, 1232, 1233, 1352, 1353, 1400, 1452))
        target = chance.choice((*self._stations, *_NOBODYS))
        frame = self._ip(port, dst=target, src=chance.choice(list(port.stations)), hlim=64)
        return [frame / ICMPv6EchoRequest(id=9, data=size * b"\x5a")]

    def _fragments(self, port: Port) -> list[Packet]:
        chance = self._chance
        target = chance.choice((*self._own, *self._stations))
        head = self._ip(port, hlim=64, dst=target)
        upper = chance.choice((ICMPv6EchoRequest(id=77), UDP(sport=4000, dport=7)))
        size = chance.choice((40, 100, 1000, 1400))
        ip = head[IPv6]
        whole = bytes(IPv6(src=ip.src, dst=ip.dst) / upper / Raw(size * b"\x77"))[40:]
        number = 58 if isinstance(upper, ICMPv6EchoRequest) else 17
        step = chance.choice((16, 48, 504, 1000))
        ident = chance.randrange(1 << 32)
        pieces = [
            IPv6ExtHdrFragment(nh=number, offset=at // 8, m=int(at + step < len(whole)), id=ident)
            / Raw(whole[at : at + step])
            for at in range(0, len(whole), step)
        ][:12]
        luck = chance.random()
        if luck < 0.3:
            chance.shuffle(pieces)
        elif luck < 0.4:
            pieces.insert(1, pieces[0])
        elif luck < 0.5:
            pieces[-1].offset = max(0, pieces[-1].offset - 1)
        elif luck < 0.6:
            del pieces[chance.randrange(len(pieces))]
        elif luck < 0.7:
            pieces[0] = pieces[0] / Raw(b"\x55")
        return [head / piece for piece in pieces]
