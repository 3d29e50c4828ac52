"""What a wire does to frames besides delaying them, with the semantics of tc-netem(8).

:class:`Impairments` are the settings, shares from 0 to 1 and times in nanoseconds;
:class:`Netem` is the running state of one direction of a link. The order of decisions and
the loss model are those of Linux's net/sched/sch_netem.c.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from vnet.base.chance import Chance, Stream
from vnet.base.units import duration_text, share_text


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

    def __str__(self) -> str:
        return (
            f"gemodel p {share_text(self.to_bad)} r {share_text(self.to_good)} "
            f"1-h {share_text(self.loss_when_bad)} 1-k {share_text(self.loss_when_good)}"
        )


@dataclass(frozen=True, slots=True)
class Impairments:
    """What a link does to the frames of both its directions.

    ``jitter_ns`` is how far the delay may lie on either side of the link's latency, each
    time alike. The others are shares of frames, from 0 to 1: ``reorder`` of them go without
    delay and so overtake, ``corrupt`` of them have one bit flipped.
    """

    jitter_ns: int = 0
    loss: float | GilbertElliott = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0

    def __str__(self) -> str:
        """As tc would list them: ``jitter 2ms loss 5%``; empty when there are none."""
        words = [f"jitter {duration_text(self.jitter_ns)}"] if self.jitter_ns else []
        if isinstance(self.loss, GilbertElliott):
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
    """One direction of a link: its settings, its streams of chance, and whether it is bad.

    Each impairment draws from a stream of its own, once for every frame while it is in force,
    even for a frame that another impairment has lost. So the n-th frame meets the same jitter
    whether or not there is loss as well. Duplicates have streams of their own, because they
    would shift everybody else's.
    """

    __slots__ = ("_bad", "_chance", "_name", "_streams", "impairments")

    def __init__(self, chance: Chance, name: str) -> None:
        self.impairments = UNIMPAIRED
        self._chance = chance
        self._name = name
        self._streams: dict[str, Stream] = {}
        self._bad = False

    def change(self, impairments: Impairments) -> None:
        """Other settings from the next frame on; a new loss model begins on a good wire."""
        if impairments.loss != self.impairments.loss:
            self._bad = False
        self.impairments = impairments

    def duplicates(self) -> bool:
        """Whether the next frame is sent twice."""
        return self._happens(self.impairments.duplicate, "duplicate")

    def fate(self, size_bytes: int, *, copy: bool = False) -> Fate:
        """Decide what becomes of the next frame, or of the next ``copy`` of one."""
        settings = self.impairments
        whose = " of copies" if copy else ""
        flipped_bit = None
        lost = self._loses(f"loss{whose}")
        if self._happens(settings.corrupt, f"corrupt{whose}") and size_bytes:
            flipped_bit = int(self._draw(f"bit{whose}") * size_bytes * 8)
        reordered = self._happens(settings.reorder, f"reorder{whose}")
        jitter_ns = 0
        if settings.jitter_ns:
            jitter_ns = int(self._draw(f"jitter{whose}") * 2 * settings.jitter_ns)
            jitter_ns -= settings.jitter_ns
        return Fate(lost, flipped_bit, reordered, jitter_ns)

    def _loses(self, stream: str) -> bool:
        loss = self.impairments.loss
        if not isinstance(loss, GilbertElliott):
            return self._happens(loss, stream)
        # The wire turns first, but this frame still meets it as it was.
        was_bad = self._bad
        if self._draw(stream) < (loss.to_good if was_bad else loss.to_bad):
            self._bad = not was_bad
        return self._draw(stream) < (loss.loss_when_bad if was_bad else loss.loss_when_good)

    def _happens(self, share: float, stream: str) -> bool:
        return share > 0 and self._draw(stream) < share

    def _draw(self, stream: str) -> float:
        """The next number from 0 to 1, 1 excluded."""
        source = self._streams.get(stream)
        if source is None:
            source = self._streams[stream] = self._chance.stream(f"link {self._name} {stream}")
        return source.random()


def with_bit_flipped(data: bytes, bit: int) -> bytes:
    """``data`` with one bit changed, counted from the first byte's lowest."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
