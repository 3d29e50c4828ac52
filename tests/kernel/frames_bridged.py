"""IP packets for a bridge with br_netfilter: whole, malformed, padded, and too large for a port."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from scapy.layers.inet import IP, UDP, IPOption_NOP, IPOption_Router_Alert
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop
from scapy.layers.l2 import ARP
from scapy.packet import Raw

from tests.kernel.play import Inject, Step
from tests.kernel.setup import Lab, Port
from vnet.base.chance import Stream
from vnet.base.ids import mac_from_text
from vnet.wire.ether import HEADER_BYTES

_BROADCAST = "ff:ff:ff:ff:ff:ff"
_SIZES = (0, 1, 8, 100, 1352, 1372, 1373, 1376, 1380, 1450, 1472)
_FLAGS = ("", "", "", "DF", "MF", "MF+DF")
_OPTIONS: tuple[list[Any], ...] = (
    [],
    [],
    [IPOption_Router_Alert()],
    [IPOption_NOP(), IPOption_Router_Alert()],
)
_HEADER_BYTES = {b"\x08\x00": 24, b"\x86\xdd": 44, b"\x08\x06": 12}


class BridgedFrames:
    """Frames from station to station; of three, one has something wrong with its header."""

    def __init__(self, lab: Lab, chance: Stream) -> None:
        self._lab = lab
        self._chance = chance
        self._stations = [mac for port in lab.ports for mac in port.stations.values()]

    def steps(self, count: int) -> Iterator[Step]:
        for _ in range(count):
            port = self._chance.choice(self._lab.ports)
            yield Inject(port.name, self._frame(port))

    def _frame(self, port: Port) -> bytes:
        chance = self._chance
        target = chance.choice((*self._stations, _BROADCAST))
        source = chance.choice(list(port.stations.values()))
        tag = struct.pack("!HH", 0x8100, 5) if chance.random() < 0.15 else b""
        kind, packet = self._packet()
        if chance.random() < 0.35:
            packet = self._spoiled(kind, packet)
        if chance.random() < 0.2:
            packet += bytes(chance.choice((1, 4, 18, 46)))
        frame = mac_from_text(target) + mac_from_text(source) + tag + kind + packet
        return frame[: HEADER_BYTES + len(tag) + port.mtu_bytes]

    def _packet(self) -> tuple[bytes, bytes]:
        """A type, and a packet of it."""
        chance = self._chance
        size, luck = chance.choice(_SIZES), chance.random()
        payload = UDP(sport=1, dport=2) / Raw(size * b"p")
        if luck < 0.6:
            header = IP(
                src="10.0.0.98",
                dst="10.0.0.99",
                id=chance.randrange(1, 65_536),
                ttl=chance.choice((0, 1, 64)),
                tos=chance.choice((0, 3, 0xB8)),
                flags=chance.choice(_FLAGS),
                frag=chance.choice((0, 0, 0, 10)),
                options=chance.choice(_OPTIONS),
            )
            return b"\x08\x00", bytes(header / payload)
        if luck < 0.9:
            header6 = IPv6(src="fd00::98", dst="fd00::99", hlim=chance.choice((0, 1, 64)))
            more = chance.choice((None, None, IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt()))
            return b"\x86\xdd", bytes(header6 / (payload if more is None else more / payload))
        return b"\x08\x06", bytes(ARP(op=2, psrc="10.0.0.98", pdst="10.0.0.99"))

    def _spoiled(self, kind: bytes, packet: bytes) -> bytes:
        """Another byte somewhere in the header, or an end too early."""
        chance = self._chance
        if chance.random() < 0.3:
            return packet[: chance.randrange(len(packet))]
        at = chance.randrange(min(_HEADER_BYTES[kind], len(packet)))
        spoiled = bytearray(packet)
        spoiled[at] = chance.choice((0x00, 0xFF, spoiled[at] ^ 1, chance.randrange(256)))
        return bytes(spoiled)
