"""Frames from the stations of a lab to its machine, whatever IP it speaks: whom they come from and
go to, how they follow each other, and what becomes of some on the way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from scapy.packet import Packet, Raw

from benchmarks.fuzzing.mutate import Mutator, Stations
from tests.kernel.play import Inject, Step, Wait
from tests.kernel.setup import Lab, Port
from vnet.base.chance import Stream
from vnet.wire.ether import HEADER_BYTES

Maker = Callable[[Port], list[Packet]]

_MUTATED = 0.2
_WAITED = 0.01
_WAITS_MS = (300, 1300, 3300)
"""Some of them long enough for those who do not answer to be given up."""


class StationFrames(ABC):
    """Frames from the stations of a lab to its machine, through it, and past it.

    ``NOBODYS`` are addresses that no station has, ``ODD_SOURCES`` those that nobody should send
    from, and ``SIZES`` what packets carry, in bytes.
    """

    NOBODYS: tuple[str, ...]
    ODD_SOURCES: tuple[str, ...]
    SIZES: tuple[int, ...]

    def __init__(self, lab: Lab, chance: Stream) -> None:
        self._lab = lab
        self._chance = chance
        self._own = [text.split("/")[0] for port in lab.ports for text in port.addresses]
        self._stations = [ip for port in lab.ports for ip in port.stations]

    @abstractmethod
    def _makers(self) -> tuple[Maker, ...]:
        """What makes frames of one kind for a port; the more often in it, the more of them."""

    @abstractmethod
    def _known(self) -> Stations:
        """The addresses that mutations know."""

    def steps(self, count: int) -> Iterator[Step]:
        """``count`` of them, some of them mutations of the others."""
        makers = self._makers()
        plain: list[Inject] = []
        while len(plain) < count:
            port = self._chance.choice(self._lab.ports)
            frames = self._chance.choice(makers)(port)
            plain += (Inject(port.name, bytes(frame)) for frame in frames)
        mutations = self._mutations([step.frame for step in plain])
        for step in plain[:count]:
            if self._chance.random() < _WAITED:
                yield Wait(self._chance.choice(_WAITS_MS))
                continue
            mutated = self._chance.random() < _MUTATED
            frame = next(mutations) if mutated else step.frame
            yield Inject(step.port, frame)

    def _mutations(self, seeds: list[bytes]) -> Iterator[bytes]:
        jumbo = bytes(4000)
        for frame in Mutator([*seeds, jumbo], seeds, self._known(), self._chance).frames():
            if HEADER_BYTES <= len(frame) <= HEADER_BYTES + 1500:
                yield frame

    def _source(self, port: Port) -> str:
        chance = self._chance
        luck = chance.random()
        if luck < 0.75:
            return chance.choice(list(port.stations))
        if luck < 0.85:
            return chance.choice((*self._stations, *self.NOBODYS))
        return chance.choice((*self.ODD_SOURCES, *self._own))

    def _data(self) -> Raw:
        return Raw(self._chance.choice(self.SIZES) * b"\xa5")
