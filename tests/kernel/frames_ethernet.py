"""Frames for a bridge: every kind of destination and source, tag, type and length."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, LLC, STP
from scapy.packet import Raw

from tests.kernel.play import Inject, Step
from tests.kernel.setup import Lab, Port
from vnet.base.chance import Stream
from vnet.base.ids import mac_from_text
from vnet.wire.ether import HEADER_BYTES

BROADCAST = "ff:ff:ff:ff:ff:ff"
_STRANGERS = ("0e:00:00:00:00:01", "0e:00:00:00:00:02")
_ODD_MACS = ("00:00:00:00:00:00", "01:00:5e:00:00:01", "33:33:00:00:00:01", BROADCAST)
_GROUPS = (
    *(BROADCAST, "01:00:5e:00:00:01", "01:00:5e:01:02:03", "33:33:00:00:00:01"),
    *("33:33:ff:00:00:01", "01:80:c2:00:00:10", "01:80:c2:00:00:21", "01:80:c2:00:01:00"),
    *("01:00:0c:cc:cc:cc", "03:00:00:00:00:01", "09:00:2b:00:00:04"),
)
_TYPES = (0x0000, 0x0003, 0x0026, 0x05DC, 0x05FF, 0x0600, 0x0801, 0x88CC, 0x8808, 0x88F7, 0xFFFF)
_SIZES = (0, 1, 28, 46, 100, 1000, 1472, 1476, 1480, 1484, 1496, 1500, 1504, 1505)
_TPIDS = (0x8100, 0x8100, 0x88A8)
_VIDS = (0, 1, 2, 100, 4094, 4095)

_IPV4, _IPV6, _ARP = b"\x08\x00", b"\x86\xdd", b"\x08\x06"
_TO_NOBODY = IP(src="10.0.0.9", dst="10.0.0.8", id=7)
_TO_NOBODY6 = IPv6(src="fd00::9", dst="fd00::8")


class EthernetFrames:
    """Frames between the stations of a bridge, to its groups, and to itself."""

    def __init__(self, lab: Lab, chance: Stream) -> None:
        self._lab = lab
        self._chance = chance
        self._stations = [mac for port in lab.ports for mac in port.stations.values()]
        self._own = [port.mac for port in lab.ports]

    def steps(self, count: int) -> Iterator[Step]:
        for _ in range(count):
            port = self._chance.choice(self._lab.ports)
            yield Inject(port.name, self._frame(port))

    def _frame(self, port: Port) -> bytes:
        chance = self._chance
        tags = b"".join(
            struct.pack("!HH", chance.choice(_TPIDS), chance.choice((0, 5)) << 13 | vid)
            for vid in chance.choices(_VIDS, k=chance.choice((0, 0, 0, 0, 1, 1, 2)))
        )
        source = self._source(list(port.stations.values()))
        frame = mac_from_text(self._target()) + mac_from_text(source) + tags + self._typed_payload()
        # A packet socket's tag takes room that the tag of a frame on its way does not.
        return frame[: HEADER_BYTES + 4 + port.mtu_bytes] if tags else frame

    def _source(self, here: list[str]) -> str:
        """Mostly a station that lives there; some move, and some cannot be."""
        chance = self._chance
        luck = chance.random()
        if luck < 0.7:
            return chance.choice(here)
        if luck < 0.85:
            return chance.choice((*self._stations, *_STRANGERS))
        return chance.choice((*self._own, *_ODD_MACS))

    def _target(self) -> str:
        chance = self._chance
        luck = chance.random()
        if luck < 0.5:
            return chance.choice((*self._stations, *_STRANGERS))
        if luck < 0.8:
            return chance.choice(_GROUPS)
        if luck < 0.9:
            return f"01:80:c2:00:00:{chance.randrange(16):02x}"
        return chance.choice((*self._own, *_ODD_MACS))

    def _typed_payload(self) -> bytes:
        """What begins with the type, or with the length of an IEEE 802.3 frame."""
        chance = self._chance
        size = chance.choice(_SIZES)
        kind = chance.randrange(6)
        if kind == 0:
            return _IPV4 + bytes(_TO_NOBODY / UDP(sport=1, dport=2) / Raw(size * b"u"))
        if kind == 1:
            return _IPV4 + bytes(_TO_NOBODY / ICMP(id=9) / Raw(size * b"i"))
        if kind == 2:
            return _IPV6 + bytes(_TO_NOBODY6 / ICMPv6EchoRequest(data=size * b"6"))
        if kind == 3:
            question = ARP(op=chance.choice((1, 2)), psrc="10.0.0.9", pdst="10.0.0.8")
            return _ARP + bytes(question)
        if kind == 4:
            content = bytes(LLC() / (STP() if chance.random() < 0.3 else Raw(size * b"l")))
            return len(content).to_bytes(2, "big") + content
        return chance.choice(_TYPES).to_bytes(2, "big") + size * b"x"
