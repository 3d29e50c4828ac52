"""What every target has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter

from benchmarks.fuzzing.mutate import Stations
from benchmarks.fuzzing.seeds import hand_made
from vnet.base.chance import Stream
from vnet.base.ids import ip_from_text


class Target(ABC):
    """Something to throw frames at. ``frames`` counts them, ``faults`` says what was wrong."""

    name: str
    stations: Stations

    def __init__(self, chance: Stream) -> None:
        self.chance = chance
        self.frames = 0
        self.faults: list[str] = []

    def seeds(self) -> list[bytes]:
        """Frames by hand to begin from."""
        return hand_made()

    @abstractmethod
    def take(self, data: bytes) -> None:
        """Let one frame in."""

    @abstractmethod
    def settle(self) -> None:
        """Come to rest and balance the books."""

    @abstractmethod
    def fates(self) -> Counter[str]:
        """What became of the frames: drops by word, and how often one was handed on."""


def packed(*texts: str) -> list[bytes]:
    """Addresses as they are in a packet."""
    return [ip_from_text(text) for text in texts]
