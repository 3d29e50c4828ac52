"""What a wire does to frames besides delaying them, with the semantics of tc-netem(8).

:class:`Impairments` are the settings, shares from 0 to 1 and times in nanoseconds;
:class:`Netem` is the running state of one direction of a link, or of one queue
(:mod:`vnet.sim.qdisc.netem`). The order of decisions and the loss models are those of Linux's
net/sched/sch_netem.c.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from vnet.base.chance import Chance, Stream
from vnet.base.units import duration_text, share_text
from vnet.sim.distribution import deviation, table


@dataclass(frozen=True, slots=True)
class GilbertElliott:
    """Loss in bursts: a wire that is good or bad, and changes between them frame by frame.

    tc calls the four shares ``p``, ``r``, ``1-h`` and ``1-k`` (``loss gemodel``). With those
    left out that have a default here, a bad wire loses every frame and a good one none, and
    a burst is ``1 / to_good`` frames long on average.
    """

    to_bad: float
    to_good: float
    loss_when_bad: float = 1.0
    loss_when_good: float = 0.0

    def step(self, was_bad: int, draw: Callable[[], float]) -> tuple[bool, int]:
        """Whether a frame is lost, and what the wire is then: 1 for bad."""
        # The wire turns first, but this frame still meets it as it was.
        turns = draw() < (self.to_good if was_bad else self.to_bad)
        lost = draw() < (self.loss_when_bad if was_bad else self.loss_when_good)
        return lost, was_bad ^ turns

    def __str__(self) -> str:
        return (
            f"gemodel p {share_text(self.to_bad)} r {share_text(self.to_good)} "
            f"1-h {share_text(self.loss_when_bad)} 1-k {share_text(self.loss_when_good)}"
        )


_GAP, _BURST, _LOST_IN_BURST, _LOST_ALONE = range(4)


@dataclass(frozen=True, slots=True)
class FourStates:
    """Loss as a chain of four states: tc's ``loss state``.

    A wire is in a gap (tc's state 1) or in a burst, and within a burst frames come through (2) or
    are lost (3); in a gap a frame may be lost alone (4).
    """

    gap_to_loss: float
    loss_to_gap: float
    loss_to_burst: float = 0.0
    burst_to_loss: float = 1.0
    gap_to_lone_loss: float = 0.0

    def step(self, state: int, draw: Callable[[], float]) -> tuple[bool, int]:
        """Whether a frame is lost, and the state then, which is 0 at first."""
        chance = draw()
        if state == _GAP:
            if chance < self.gap_to_lone_loss:
                return True, _LOST_ALONE
            if chance < self.gap_to_lone_loss + self.gap_to_loss:
                return True, _LOST_IN_BURST
            return False, _GAP
        if state == _BURST:
            lost = chance < self.burst_to_loss
            return lost, _LOST_IN_BURST if lost else _BURST
        if state == _LOST_IN_BURST:
            if chance < self.loss_to_burst:
                return False, _BURST
            if chance < self.loss_to_burst + self.loss_to_gap:
                return False, _GAP
            return True, _LOST_IN_BURST
        return False, _GAP

    def __str__(self) -> str:
        return (
            f"state p13 {share_text(self.gap_to_loss)} p31 {share_text(self.loss_to_gap)} "
            f"p32 {share_text(self.loss_to_burst)} p23 {share_text(self.burst_to_loss)} "
            f"p14 {share_text(self.gap_to_lone_loss)}"
        )


LossModel = GilbertElliott | FourStates


@dataclass(frozen=True, slots=True)
class Correlations:
    """How much each draw depends on the one before it, from 0 to 1."""

    delay: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0


@dataclass(frozen=True, slots=True)
class Impairments:
    """What a link does to the frames of both its directions, or a queue of netem to its own.

    ``jitter_ns`` is how far the delay may lie on either side of the latency, each time alike; with
    a ``distribution`` (:func:`vnet.sim.distribution.table`) it is the standard deviation instead.
    The others are shares of frames, from 0 to 1: ``reorder`` of them go without delay and so
    overtake, but none before ``gap`` - 1 others went in order; ``corrupt`` of them have one bit
    flipped.
    """

    jitter_ns: int = 0
    loss: float | LossModel = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    gap: int = 1
    distribution: str | None = None
    correlations: Correlations = Correlations()

    def __str__(self) -> str:
        """As tc would list them: ``jitter 2ms loss 5%``; empty when there are none."""
        words = [f"jitter {duration_text(self.jitter_ns)}"] if self.jitter_ns else []
        if isinstance(self.loss, LossModel):
            words.append(f"loss {self.loss}")
        elif self.loss:
            words.append(f"loss {share_text(self.loss)}")
        for name in ("duplicate", "reorder", "corrupt"):
            share = getattr(self, name)
            if share:
                words.append(f"{name} {share_text(share)}")
        return " ".join(words)


UNIMPAIRED = Impairments()


class Fate(NamedTuple):
    """What chance has decided for one frame. ``flipped_bit`` counts from the first byte's
    lowest bit, None leaves the frame as it is; ``jitter_ns`` may be negative."""

    lost: bool
    flipped_bit: int | None
    reordered: bool
    jitter_ns: int


class Netem:
    """One direction of a link, or one queue: its settings, its streams of chance, and the state of
    its loss model.

    Each impairment draws from a stream of its own, once for every frame while it is in force,
    even for a frame that another impairment has lost. So the n-th frame meets the same jitter
    whether or not there is loss as well. Duplicates have streams of their own, because they
    would shift everybody else's. Only a ``gap`` leaves frames without a draw.
    """

    __slots__ = ("_chance", "_in_order", "_last", "_name", "_state", "_streams", "impairments")

    def __init__(self, chance: Chance, name: str) -> None:
        self.impairments = UNIMPAIRED
        self._chance = chance
        self._name = name
        self._streams: dict[str, Stream] = {}
        self._last: dict[str, float] = {}
        self._state = 0
        self._in_order = 0

    def change(self, impairments: Impairments) -> None:
        """Other settings from the next frame on; a new loss model begins on a good wire."""
        if impairments.loss != self.impairments.loss:
            self._state = 0
        self._last.clear()
        self.impairments = impairments

    def duplicates(self) -> bool:
        """Whether the next frame is sent twice."""
        settings = self.impairments
        return self._happens(settings.duplicate, "duplicate", settings.correlations.duplicate)

    def fate(self, size_bytes: int, *, copy: bool = False) -> Fate:
        """Decide what becomes of the next frame, or of the next ``copy`` of one."""
        settings, tied = self.impairments, self.impairments.correlations
        whose = " of copies" if copy else ""
        flipped_bit = None
        lost = self._loses(f"loss{whose}")
        if self._happens(settings.corrupt, f"corrupt{whose}", tied.corrupt) and size_bytes:
            flipped_bit = int(self._draw(f"bit{whose}") * size_bytes * 8)
        reordered = self._reorders(f"reorder{whose}", lost)
        jitter_ns = self._jitter_ns(f"jitter{whose}") if settings.jitter_ns else 0
        return Fate(lost, flipped_bit, reordered, jitter_ns)

    def _loses(self, stream: str) -> bool:
        loss = self.impairments.loss
        if not isinstance(loss, LossModel):
            return self._happens(loss, stream, self.impairments.correlations.loss)
        lost, self._state = loss.step(self._state, partial(self._draw, stream))
        return lost

    def _reorders(self, stream: str, lost: bool) -> bool:
        settings = self.impairments
        if self._in_order < settings.gap - 1:
            reordered = False
        else:
            reordered = self._happens(settings.reorder, stream, settings.correlations.reorder)
        if not lost:
            self._in_order = 0 if reordered else self._in_order + 1
        return reordered

    def _jitter_ns(self, stream: str) -> int:
        """How far a delay is from what it should be.

        The kernel takes remainders of the number that it drew. Of one that depends on the last
        they hardly do any more: delays are less alike than their correlation makes believe.
        """
        settings = self.impairments
        jitter_ns, tied = settings.jitter_ns, settings.correlations.delay
        entries = None if settings.distribution is None else table(settings.distribution)
        choices = 2 * jitter_ns if entries is None else len(entries)
        if tied:
            chosen = int(self._tied(stream, tied) * 2**32) % choices
        else:
            chosen = int(self._draw(stream) * choices)
        return chosen - jitter_ns if entries is None else deviation(jitter_ns, entries[chosen])

    def _happens(self, share: float, stream: str, correlation: float) -> bool:
        if share <= 0:
            return False
        return (self._tied(stream, correlation) if correlation else self._draw(stream)) < share

    def _tied(self, stream: str, correlation: float) -> float:
        """The next number from 0 to 1, drawn towards the last one."""
        last = self._last[stream] if stream in self._last else self._draw(stream)
        drawn = self._draw(stream) * (1 - correlation) + last * correlation
        self._last[stream] = drawn
        return drawn

    def _draw(self, stream: str) -> float:
        """The next number from 0 to 1, 1 excluded."""
        source = self._streams.get(stream)
        if source is None:
            source = self._streams[stream] = self._chance.stream(f"{self._name} {stream}")
        return source.random()


def with_bit_flipped(data: bytes, bit: int) -> bytes:
    """``data`` with one bit changed, counted from the first byte's lowest."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
