"""Bands that go strictly one before the other (tc-prio(8))."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vnet.sim.frame import Frame
from vnet.sim.qdisc.discipline import Discipline, Surroundings
from vnet.sim.qdisc.fifo import Fifo
from vnet.sim.qdisc.filters import Filters
from vnet.sim.qdisc.priority import DEFAULT_PRIOMAP

MIN_BANDS = 2
MAX_BANDS = 16


@dataclass(frozen=True, slots=True)
class PrioSettings:
    """``priomap`` has the band, from 0, of each of the 16 priorities."""

    bands: int = 3
    priomap: tuple[int, ...] = DEFAULT_PRIOMAP

    def is_sound(self) -> bool:
        """Whether the kernel takes it."""
        return MIN_BANDS <= self.bands <= MAX_BANDS and max(self.priomap) < self.bands


class Prio(Discipline):
    """A frame leaves only when no band before its own has one that may. Class 1 is band 0.

    Filters choose the class first; what none of them takes goes by its priority.
    """

    kind = "prio"
    has_classes = True

    def __init__(self, around: Surroundings, settings: PrioSettings, handle: int = 0) -> None:
        super().__init__(around, handle)
        self.filters = Filters()
        self._bands: list[Discipline] = []
        self.configure(settings, 0)

    def configure(self, settings: PrioSettings, now_ns: int) -> None:
        """Other bands; those that go lose what waits in them, and new ones are plain queues."""
        self.settings = settings
        while len(self._bands) > settings.bands:
            self._dismiss(self._bands.pop(), now_ns)
        while len(self._bands) < settings.bands:
            self._bands.append(self._adopt(Fifo(self.around)))

    @property
    def children(self) -> Mapping[int, Discipline]:
        return dict(enumerate(self._bands, 1))

    def graft(self, number: int, child: Discipline | None, now_ns: int) -> None:
        self._dismiss(self._bands[number - 1], now_ns)
        self._bands[number - 1] = self._adopt(child or Fifo(self.around))

    def enqueue(self, frame: Frame, now_ns: int) -> bool:
        verdict = self.filters.classify(frame.data, now_ns)
        if verdict.lost is not None:
            return self._drop(frame, verdict.lost)
        return self._hand_down(self._band(frame, verdict.class_id), frame, now_ns)

    def _band(self, frame: Frame, class_id: int | None) -> Discipline:
        if class_id is None:
            return self._bands[self.settings.priomap[self.around.priority(frame)]]
        number = class_id & 0xFFFF
        if not 1 <= number <= len(self._bands):
            return self._bands[self.settings.priomap[0]]
        return self._bands[number - 1]

    def _next(self, now_ns: int) -> Frame | None:
        for band in self._bands:
            frame = band.dequeue(now_ns)
            if frame is not None:
                self._sent(frame)
                return frame
        return None

    def peek(self, now_ns: int) -> Frame | None:
        for band in self._bands:
            frame = band.peek(now_ns)
            if frame is not None:
                return frame
        return None
