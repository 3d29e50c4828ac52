"""Frames for a bridge that snoops: who listens to what, who asks, and what is sent to groups."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from scapy.layers.inet import IP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6MLDMultAddrRec,
    ICMPv6MLDone,
    ICMPv6MLQuery,
    ICMPv6MLQuery2,
    ICMPv6MLReport,
    ICMPv6MLReport2,
    IPv6,
    IPv6ExtHdrHopByHop,
    PadN,
    RouterAlert,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from tests.kernel.play import Inject, Step, Wait
from tests.kernel.setup import Lab, Port
from vnet.base.chance import Stream
from vnet.base.ids import (
    ip_from_text,
    ip_text,
    link_local_of,
    mac_from_text,
    mac_text,
    multicast_mac_of,
)
from vnet.wire.checksum import checksum

_GROUPS = ("239.1.1.1", "239.1.1.2", "239.129.1.1", "232.5.5.5")
_NEVER_PRUNED = ("224.0.0.1", "224.0.0.9", "224.0.0.251")
_GROUPS6 = ("ff0e::1:1", "ff0e::1:2", "ff15::9", "ff02::1:ff00:77")
_NEVER_PRUNED6 = ("ff02::1",)
_SOURCES, _SOURCES6 = ("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")
_PIM_HELLO = bytes.fromhex("2000dfff")
_TENTH_S = 1
_SPOILED = 0.1


class GroupFrames:
    """A querier speaks first; then everybody, in any order."""

    def __init__(self, lab: Lab, chance: Stream) -> None:
        self._lab = lab
        self._chance = chance
        self._makers: tuple[Callable[[Port], Packet], ...] = (
            *(self._join, self._join, self._join3, self._leave, self._query),
            *(self._join6, self._join6, self._join62, self._leave6, self._query6),
            *(self._data, self._data, self._data, self._data6, self._data6, self._data6),
            self._pim,
        )

    def steps(self, count: int) -> Iterator[Step]:
        """Now and then it is waited until a group without members is forgotten."""
        first = self._lab.ports[0]
        yield Inject(first.name, bytes(self._igmp(first, "224.0.0.1", _v2(0x11, "0.0.0.0"))))
        yield Inject(first.name, bytes(self._mld(first, "ff02::1", ICMPv6MLQuery(mrd=100))))
        yield Wait(300)
        for _ in range(count - 3):
            if self._chance.random() < 0.03:
                yield Wait(300)
                continue
            port = self._chance.choice(self._lab.ports)
            frame = bytearray(bytes(self._chance.choice(self._makers)(port)))
            if self._chance.random() < _SPOILED:
                at = self._chance.choice((6, 14, 16, 17, 22, 23, 38, 40, 41, 42, 44, 62, 63, 64))
                if at < len(frame):
                    frame[at] = self._chance.choice((0, 1, 2, 0x46, 0x60, 0xFF))
            yield Inject(port.name, bytes(frame))

    def _ether(self, port: Port, group: str) -> Ether:
        source = self._chance.choice(list(port.stations.values()))
        return Ether(src=source, dst=mac_text(multicast_mac_of(ip_from_text(group))))

    def _igmp(self, port: Port, target: str, message: bytes) -> Packet:
        chance = self._chance
        source = chance.choice(list(port.stations)) if chance.random() < 0.9 else "0.0.0.0"
        options = [IPOption_Router_Alert()] if chance.random() < 0.9 else []
        ttl = 1 if chance.random() < 0.95 else 2
        head = IP(src=source, dst=target, ttl=ttl, tos=0xC0, options=options, proto=2, id=1)
        return self._ether(port, target) / head / Raw(message)

    def _mld(self, port: Port, target: str, message: Packet) -> Packet:
        chance = self._chance
        ether = self._ether(port, target)
        source = ip_text(link_local_of(mac_from_text(ether.src)))
        if chance.random() < 0.05:
            source = chance.choice(("::", "fd00::1"))
        limit = 1 if chance.random() < 0.95 else 2
        alert = IPv6ExtHdrHopByHop(options=[RouterAlert(value=0), PadN()])
        head = IPv6(src=source, dst=target, hlim=limit)
        return ether / (head / alert if chance.random() < 0.95 else head) / message

    def _group(self) -> str:
        return self._chance.choice(_GROUPS if self._chance.random() < 0.9 else _NEVER_PRUNED)

    def _group6(self) -> str:
        return self._chance.choice(_GROUPS6 if self._chance.random() < 0.9 else _NEVER_PRUNED6)

    # -- IGMP

    def _join(self, port: Port) -> Packet:
        group = self._group()
        return self._igmp(port, group, _v2(self._chance.choice((0x12, 0x16, 0x16)), group))

    def _leave(self, port: Port) -> Packet:
        return self._igmp(port, "224.0.0.2", _v2(0x17, self._group()))

    def _join3(self, port: Port) -> Packet:
        chance = self._chance
        records = b""
        count = chance.choice((1, 1, 2))
        for _ in range(count):
            sources = chance.sample(_SOURCES, k=chance.choice((0, 0, 1, 2)))
            kind = chance.choice((1, 2, 2, 3, 4, 4, 5, 6))
            records += struct.pack("!BBH", kind, 0, len(sources))
            records += b"".join(map(ip_from_text, (self._group(), *sources)))
        head = struct.pack("!BxHHH", 0x22, 0, 0, count)
        return self._igmp(port, "224.0.0.22", _summed(head, records))

    def _query(self, port: Port) -> Packet:
        chance = self._chance
        group = chance.choice(("0.0.0.0", self._group()))
        target = "224.0.0.1" if group == "0.0.0.0" else group
        if chance.random() < 0.5:
            return self._igmp(port, target, _v2(0x11, group))
        sources = chance.sample(_SOURCES, k=chance.choice((0, 1)) if group != "0.0.0.0" else 0)
        rest = struct.pack("!BBH", 2, 125, len(sources)) + b"".join(map(ip_from_text, sources))
        head = struct.pack("!BBH", 0x11, _TENTH_S, 0) + ip_from_text(group)
        return self._igmp(port, target, _summed(head, rest))

    def _pim(self, port: Port) -> Packet:
        head = IP(src=self._chance.choice(list(port.stations)), dst="224.0.0.13", ttl=1, proto=103)
        return self._ether(port, "224.0.0.13") / head / Raw(_PIM_HELLO)

    # -- MLD

    def _join6(self, port: Port) -> Packet:
        group = self._group6()
        return self._mld(port, group, ICMPv6MLReport(mladdr=group))

    def _leave6(self, port: Port) -> Packet:
        return self._mld(port, "ff02::2", ICMPv6MLDone(mladdr=self._group6()))

    def _join62(self, port: Port) -> Packet:
        chance = self._chance
        records = [
            ICMPv6MLDMultAddrRec(
                rtype=chance.choice((1, 2, 2, 3, 4, 4, 5, 6)),
                dst=self._group6(),
                sources=chance.sample(_SOURCES6, k=chance.choice((0, 0, 1, 2))),
            )
            for _ in range(chance.choice((1, 1, 2)))
        ]
        return self._mld(port, "ff02::16", ICMPv6MLReport2(records=records))

    def _query6(self, port: Port) -> Packet:
        chance = self._chance
        group = chance.choice(("::", self._group6()))
        target = "ff02::1" if group == "::" else group
        if chance.random() < 0.5:
            return self._mld(port, target, ICMPv6MLQuery(mladdr=group, mrd=100))
        return self._mld(port, target, ICMPv6MLQuery2(mladdr=group, mrd=100, QRV=2, QQIC=125))

    # -- what is sent to groups

    def _data(self, port: Port) -> Packet:
        group = self._group()
        source = self._chance.choice((*port.stations, *_SOURCES))
        head = IP(src=source, dst=group, id=9)
        return self._ether(port, group) / head / UDP(sport=1, dport=2) / Raw(b"data")

    def _data6(self, port: Port) -> Packet:
        group = self._group6()
        head = IPv6(src=self._chance.choice(("fe80::5", *_SOURCES6)), dst=group)
        return self._ether(port, group) / head / UDP(sport=1, dport=2) / Raw(b"data")


def _v2(kind: int, group: str) -> bytes:
    code = _TENTH_S if kind == 0x11 else 0
    return _summed(struct.pack("!BBH", kind, code, 0), ip_from_text(group))


def _summed(head: bytes, rest: bytes) -> bytes:
    total = checksum(head + rest)
    return head[:2] + total.to_bytes(2, "big") + head[4:] + rest
