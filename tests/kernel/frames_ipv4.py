"""Frames for a router or a host that speaks IPv4: right ones, odd ones, wrong ones."""

from __future__ import annotations

from scapy.layers.inet import (
    ICMP,
    IP,
    TCP,
    UDP,
    IPOption_LSRR,
    IPOption_NOP,
    IPOption_Router_Alert,
    IPOption_RR,
    IPOption_SSRR,
    IPOption_Timestamp,
    fragment,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from benchmarks.fuzzing.mutate import Stations
from tests.kernel.frames_ip import Maker, StationFrames
from tests.kernel.setup import Port
from vnet.base.ids import ip_from_text, mac_from_text
from vnet.wire.checksum import checksum
from vnet.wire.ether import HEADER_BYTES

_NOBODYS = ("10.0.1.77", "10.0.2.77", "10.20.0.1", "10.20.5.1", "10.30.0.1", "10.40.0.1", "9.9.9.9")
_ODD_SOURCES = (
    *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.1.2.3", "224.0.0.1", "239.1.2.3"),
    *("240.0.0.1", "255.255.255.255", "10.0.1.255", "10.0.2.0", "169.254.1.1"),
)
_ODD_TARGETS = (
    *_ODD_SOURCES,
    *("10.0.1.0", "10.0.2.255", "10.0.3.127", "10.255.255.255", "224.0.0.2", "224.0.0.251"),
)
_GROUP_MACS = ("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01", "03:00:00:00:00:01")
_SIZES = (0, 1, 7, 8, 20, 40, 100, 520, 548, 600, 1200, 1272, 1372, 1400, 1472)
_TTLS = (64, 64, 64, 64, 255, 2, 1, 0)


class Ipv4Frames(StationFrames):
    """Of IPv4."""

    NOBODYS = _NOBODYS
    ODD_SOURCES = _ODD_SOURCES
    SIZES = _SIZES

    def _makers(self) -> tuple[Maker, ...]:
        return (
            *(self._arp, self._arp, self._echo, self._echo, self._udp, self._udp),
            *(self._tcp, self._fragments, self._options, self._control, self._protocol),
            *(self._broken, self._large, self._large),
        )

    def _known(self) -> Stations:
        return Stations(
            [mac_from_text(port.mac) for port in self._lab.ports],
            [ip_from_text(ip) for ip in (*self._own, *self._stations)],
            [ip_from_text(ip) for ip in self._stations],
            [bytes(16)],
            [bytes(16)],
        )

    # -- addresses

    def _ether(self, port: Port) -> Ether:
        """From a station of the port's wire, and nearly always to the machine."""
        chance = self._chance
        source = chance.choice(list(port.stations.values()))
        target = port.mac
        luck = chance.random()
        if luck < 0.06:
            target = chance.choice(_GROUP_MACS)
        elif luck < 0.1:
            target = chance.choice([other.mac for other in self._lab.ports])
        return Ether(src=source, dst=target)

    def _target(self) -> str:
        chance = self._chance
        luck = chance.random()
        if luck < 0.4:
            return chance.choice(self._own)
        if luck < 0.6:
            return chance.choice(self._stations)
        if luck < 0.8:
            return chance.choice(_NOBODYS)
        return chance.choice(_ODD_TARGETS)

    def _ip(self, port: Port, **fields: object) -> IP:
        chance = self._chance
        wanted = {
            "src": self._source(port),
            "dst": self._target(),
            "ttl": chance.choice(_TTLS),
            "tos": chance.choice((0, 0, 0, 0x10, 0xB8, 0xFF)),
            "id": chance.randrange(1, 0x10000),
            "flags": chance.choice((0, 0, "DF")),
            **fields,
        }
        return IP(**wanted)

    # -- kinds of packets

    def _arp(self, port: Port) -> list[Packet]:
        chance = self._chance
        ether = Ether(src=chance.choice(list(port.stations.values())), dst="ff:ff:ff:ff:ff:ff")
        if chance.random() < 0.3:
            ether.dst = chance.choice((port.mac, port.mac, *_GROUP_MACS))
        sender = self._source(port)
        packet = ARP(
            op=chance.choice((1, 1, 1, 1, 2, 2, 3, 0)),
            hwsrc=chance.choice((ether.src, ether.src, ether.src, "0e:00:00:00:00:09", port.mac)),
            psrc=sender,
            hwdst=chance.choice(("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", port.mac)),
            pdst=sender if chance.random() < 0.1 else self._target(),
        )
        frame = bytearray(bytes(ether / packet) + bytes(chance.choice((0, 18))))
        if chance.random() < 0.1:
            # The kinds and lengths of the addresses, which can only be these.
            frame[HEADER_BYTES + chance.randrange(6)] = chance.choice((0, 1, 4, 6, 8))
        if chance.random() < 0.05:
            del frame[-chance.randrange(1, 20) :]
        return [Raw(bytes(frame))]

    def _echo(self, port: Port) -> list[Packet]:
        chance = self._chance
        message = ICMP(type=8, id=chance.randrange(1, 99), seq=chance.randrange(99))
        if chance.random() < 0.1:
            message.chksum = 0x1234
        if chance.random() < 0.1:
            message.code = 1
        return [self._ether(port) / self._ip(port) / message / self._data()]

    def _udp(self, port: Port) -> list[Packet]:
        chance = self._chance
        segment = UDP(sport=chance.choice((0, 53, 4000)), dport=chance.choice((0, 7, 53, 33434)))
        luck = chance.random()
        if luck < 0.1:
            segment.chksum = chance.choice((0, 0x1234))
        elif luck < 0.2:
            segment.len = chance.choice((0, 7, 8, 9, 20, 2000))
        return [self._ether(port) / self._ip(port) / segment / self._data()]

    def _tcp(self, port: Port) -> list[Packet]:
        chance = self._chance
        segment = TCP(
            sport=4000,
            dport=chance.choice((7, 80)),
            seq=chance.choice((0, 1, 1000, 0xFFFFFFFF)),
            ack=chance.choice((0, 1000)),
            flags=chance.choice(("S", "S", "SA", "A", "F", "FA", "R", "PA", "SF", "", "FSRPAU")),
        )
        if chance.random() < 0.1:
            segment.chksum = 0x1234
        if chance.random() < 0.1:
            segment.dataofs = chance.choice((0, 4, 6, 15))
        if chance.random() < 0.3:
            segment.options = [("MSS", 1460), ("SAckOK", b""), ("NOP", None), ("WScale", 7)]
        return [self._ether(port) / self._ip(port) / segment / self._data()]

    def _protocol(self, port: Port) -> list[Packet]:
        number = self._chance.choice((0, 2, 4, 41, 46, 50, 51, 89, 132, 253, 255))
        return [self._ether(port) / self._ip(port, proto=number) / self._data()]

    def _control(self, port: Port) -> list[Packet]:
        """ICMP that is no echo request."""
        chance = self._chance
        kind = chance.choice((0, 3, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 17, 18, 40, 42, 255))
        inner = IP(src=self._target(), dst=self._source(port)) / UDP(sport=7, dport=4000)
        message = ICMP(type=kind, code=chance.choice((0, 0, 1, 4, 13)))
        # Scapy would look at the clock.
        message.ts_ori = message.ts_rx = message.ts_tx = 5_000
        return [self._ether(port) / self._ip(port) / message / Raw(bytes(inner))]

    def _options(self, port: Port) -> list[Packet]:
        chance = self._chance
        via = [self._target(), self._target()]
        wanted = [
            *([IPOption_NOP()], [IPOption_RR(routers=["0.0.0.0"] * 3)]),
            *([IPOption_RR(routers=via, pointer=12)], [IPOption_Router_Alert()]),
            *([IPOption_Timestamp(flg=0)], [IPOption_Timestamp(flg=1, length=12)]),
            *([IPOption_LSRR(routers=via)], [IPOption_SSRR(routers=via)]),
            *([IPOption_LSRR(routers=via, pointer=12)], [IPOption_NOP(), IPOption_Router_Alert()]),
        ]
        ip = self._ip(port, options=chance.choice(wanted))
        packet = ip / chance.choice((ICMP(id=5), UDP(sport=4000, dport=7))) / self._data()
        frame = bytearray(bytes(self._ether(port) / packet))
        if chance.random() < 0.3:
            # Spoil a byte of the options; the checksum is then mended.
            at = HEADER_BYTES + 20 + chance.randrange(4)
            frame[at] = chance.choice((0, 1, 3, 5, 7, 68, 131, 255))
            return [Ether(bytes(frame)[:HEADER_BYTES]) / _mended(bytes(frame[HEADER_BYTES:]))]
        return [Raw(bytes(frame))]

    def _broken(self, port: Port) -> list[Packet]:
        """A header that does not hold."""
        chance = self._chance
        ip = self._ip(port)
        field, value = chance.choice(
            (
                *(("version", 5), ("ihl", 4), ("ihl", 15), ("len", 19), ("len", 21), ("len", 2000)),
                *(("chksum", 0x1234), ("flags", 4), ("frag", 0x1FFF), ("flags", 5)),
            )
        )
        setattr(ip, field, value)
        packet = ip / ICMP(id=3) / Raw(40 * b"\x3c")
        return [self._ether(port) / packet / Raw(chance.choice((b"", b"\x99" * 8)))]

    def _large(self, port: Port) -> list[Packet]:
        """Through the machine, and too much for some of its links."""
        chance = self._chance
        size = chance.choice((1200, 1252, 1253, 1372, 1373, 1400, 1472))
        target = chance.choice((*self._stations, *_NOBODYS))
        ip = self._ip(port, dst=target, src=chance.choice(list(port.stations)), ttl=64)
        if chance.random() < 0.2:
            ip.options = [IPOption_RR(routers=["0.0.0.0"] * 3), IPOption_Router_Alert()]
            size -= 20
        return [self._ether(port) / ip / ICMP(id=9) / Raw(size * b"\x5a")]

    def _fragments(self, port: Port) -> list[Packet]:
        chance = self._chance
        ip = self._ip(port, flags=0, ttl=64, dst=chance.choice((*self._own, *self._stations)))
        payload = chance.choice((ICMP(id=77), UDP(sport=4000, dport=7)))
        whole = ip / payload / Raw(chance.choice((40, 100, 1000, 1400)) * b"\x77")
        pieces = fragment(whole, fragsize=chance.choice((16, 48, 504, 1000)))
        pieces = pieces[:12]
        luck = chance.random()
        if luck < 0.3:
            chance.shuffle(pieces)
        elif luck < 0.4:
            pieces.insert(1, pieces[0])
        elif luck < 0.5:
            pieces[-1].frag -= 1
        elif luck < 0.6:
            del pieces[chance.randrange(len(pieces))]
        elif luck < 0.7:
            pieces[0].flags = "MF+DF"
        ether = self._ether(port)
        return [ether / piece for piece in pieces]


def _mended(packet: bytes) -> Packet:
    """A packet with the checksum that its header should have."""
    header_bytes = (packet[0] & 0x0F) * 4
    header = packet[:10] + b"\0\0" + packet[12:header_bytes]
    return Raw(header[:10] + checksum(header).to_bytes(2, "big") + packet[12:])
