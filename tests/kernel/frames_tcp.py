"""Segments of a connection through a machine that tracks it: right, late and wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.kernel.play import Inject, Look, Step, Wait
from tests.kernel.setup import Lab
from vnet.base.chance import Stream

_OPENINGS = (
    *((">S", "<SA", ">A"), (">S", "<SA", ">A"), (">S", "<SA"), (">S", ">S", "<SA", ">A")),
    *((">S", "<S", ">SA", "<SA"), (">S", "<S", "<SA", ">A"), (">A",), (">SA",), ("<A",), ()),
    *((">S", "<RA"), (">S", "<A"), (">S", "<A", ">R"), (">S", "<SA", ">R"), (">S", ">A")),
)
"""How connections begin: who speaks, and with which flags."""

_CLOSINGS = (
    *((">FA", "<A", "<FA", ">A"), ("<FA", ">A", ">FA", "<A"), (">FA", "<FA", ">A", "<A")),
    *((">R",), ("<R",), (">FA", "<FA", ">A", ">S", "<SA", ">A"), (">FA", "<A", ">S")),
    *(("<RA", ">S"), (">S", "<A", ">A"), (">S", "<A", ">R", ">S", "<SA", ">A"), ()),
)
_FLAGS = ("A", "A", "PA", "S", "SA", "FA", "F", "R", "RA", "", "SF", "FPU", "PAU", "SR", "SAE")
_OFFSETS = (0, 0, 0, 0, 0, 0, 0, -1, 1, -100, 100, -70_000, 70_000, 8_000, 1 << 31)
_PAYLOADS = (0, 0, 0, 10, 100, 1_000)
_MODULUS = 1 << 32


@dataclass
class _Side:
    """One end: what it sends next, and what the other has sent."""

    ip: str
    mac: str
    port: str
    tcp_port: int
    sequence: int
    peer: int = 0


class TcpFrames:
    """Between the first stations of the first two ports."""

    def __init__(self, lab: Lab, chance: Stream) -> None:
        self._lab = lab
        self._chance = chance
        self._macs = {port.name: port.mac for port in lab.ports}
        self._sides = {"<": self._side(1, 80), ">": self._side(0, 40_000)}
        self._scale = chance.choice((None, 0, 7))

    def _side(self, index: int, tcp_port: int) -> _Side:
        port = self._lab.ports[index]
        ip, mac = next(iter(port.stations.items()))
        return _Side(ip, mac, port.name, tcp_port, self._chance.randrange(_MODULUS))

    def steps(self, count: int) -> Iterator[Step]:
        """Each segment, and how the connection stands then."""
        words = list(self._words())
        while len(words) < count:
            words += self._words()
        for word in words[:count]:
            yield Wait(1_300) if word == "wait" else self._segment(word)
            yield Look(timeouts=True)
        yield Look()

    def _words(self) -> Iterator[str]:
        """A connection from the beginning to the end, and what gets in between."""
        chance = self._chance
        yield from chance.choice(_OPENINGS)
        for _ in range(chance.randrange(7)):
            yield "wait" if chance.random() < 0.03 else self._word()
        yield from chance.choice(_CLOSINGS)
        for _ in range(chance.choice((0, 0, 1, 2))):
            yield self._word()

    def _word(self) -> str:
        return self._chance.choice("<>") + self._chance.choice(_FLAGS)

    def _segment(self, word: str) -> Inject:
        chance = self._chance
        here, there = self._sides[word[0]], self._sides["<" if word[0] == ">" else ">"]
        flags = word[1:]
        odd = chance.random() < 0.25
        if flags == "S" and chance.random() < 0.5:
            here.sequence = (here.sequence + chance.choice((1, 5_000, 1_000_000))) % _MODULUS
        sequence = (here.sequence + (chance.choice(_OFFSETS) if odd else 0)) % _MODULUS
        ack = (here.peer + (chance.choice(_OFFSETS) if odd else 0)) % _MODULUS
        payload = bytes(0 if "S" in flags or "R" in flags else chance.choice(_PAYLOADS))
        segment = TCP(
            sport=here.tcp_port,
            dport=there.tcp_port,
            flags=flags,
            seq=sequence,
            ack=ack if "A" in flags else 0,
            window=chance.choice((8_000, 8_000, 0, 100)),
            options=self._options(flags),
        )
        if not odd:
            here.sequence = (sequence + len(payload) + ("S" in flags) + ("F" in flags)) % _MODULUS
            there.peer = here.sequence
        ether = Ether(src=here.mac, dst=self._macs[here.port])
        ip = IP(src=here.ip, dst=there.ip, id=1)
        return Inject(here.port, bytes(ether / ip / segment / Raw(payload)))

    def _options(self, flags: str) -> list[tuple[str, object]]:
        if "S" not in flags:
            return []
        options: list[tuple[str, object]] = [("MSS", 1460)]
        if self._scale is not None:
            options += [("NOP", None), ("WScale", self._scale)]
        if self._chance.random() < 0.5:
            options += [("SAckOK", b""), ("NOP", None), ("NOP", None)]
        return options
