"""How far a replayed scenario and its recording agree, step by step and place by place."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from tests.oracle.compare import (
    Labels,
    Lines,
    counted,
    difference,
    is_periodic,
    known_differences,
    sorted_within_ties,
)
from tests.oracle.linux_kit import Stage
from tests.oracle.recording import Counts, Frames, Place

LEAST_SHARE = 0.98
"""How much of what a kernel sent must be there, place by place and in order."""

Difference = tuple[Lines, Lines]
"""The frames that ours lacks, and those that it has besides."""


@dataclass(frozen=True)
class Agreement:
    """``found`` has the places at which a step differs; ``known`` those that are explained."""

    found: dict[tuple[str, str], Difference]
    known: dict[tuple[str, str], Difference]
    recorded_frames: int

    @property
    def share(self) -> float:
        """The part of the frames, theirs and ours, that has its counterpart."""
        odd = sum(max(len(missing), len(extra)) for missing, extra in self.found.values())
        return 1 - odd / self.recorded_frames

    def check(self, step: str) -> None:
        """A step differs exactly where, and as, it is known to."""
        found = {key: value for key, value in self.found.items() if key[0] == step}
        known = {key: value for key, value in self.known.items() if key[0] == step}
        assert found == known, "\n".join(_shown(found, known))

    def check_share(self) -> None:
        assert self.share >= LEAST_SHARE, f"{self.share:.2%} of {self.recorded_frames} frames"


def agreement(
    stage: Stage,
    folder: Path,
    *,
    periodic: bool = False,
    ties: bool = False,
    known_ports: Set[int] = frozenset(),
    unfinished: tuple[str, str] = ("", ""),
) -> Agreement:
    """Hold what was played on ``stage`` against its recording.

    ``periodic`` keeps what the kernel repeats by itself. ``ties`` takes frames that pass within
    one tick of the timer wheel for a set. Ports that are none of the ``known_ports``, if those are
    told, were chosen freely (:class:`Labels`). ``unfinished`` is a device whose own frames, from
    the MAC that follows, a kernel shows before their checksums are there; whether those hold is
    not compared. ``folder`` is for our capture.
    """
    steps = {name: stage.recording.steps[name] for name in stage.played}
    summed = {name: step.counts for name, step in steps.items() if step.counts is not None}
    ours = {
        name: (frames, stage.times_ms(name)) for name, frames in stage.dissected(folder).items()
    }
    theirs = {name: (step.frames, step.times_ms) for name, step in steps.items()}
    for frames, _ in (*ours.values(), *theirs.values()):
        _leave_checksums(frames.get((unfinished[0], "inout"), []), unfinished[1])
    kept = {n: s for n, s in ours.items() if n not in summed}
    mine = _lines(kept, Labels(known_ports), periodic, ties)
    kept = {n: s for n, s in theirs.items() if n not in summed}
    seen = _lines(kept, Labels(known_ports), periodic, ties)
    for name, counts in summed.items():
        mine[name] = _tallies(counted(ours[name][0]))
        seen[name] = _tallies(counts)
    found = {
        (name, " ".join(place)): odd
        for name in steps
        for place in sorted(mine[name].keys() | seen[name].keys())
        if any(odd := difference(mine[name].get(place, []), seen[name].get(place, [])))
    }
    total = sum(len(lines) for places in seen.values() for lines in places.values())
    return Agreement(found, known_differences(stage.recording.name), total)


def _leave_checksums(frames: list[dict[str, str]], mac: str) -> None:
    for frame in frames:
        if frame["eth.src"] == mac:
            frame.pop("udp.checksum.status", None)


Timed = tuple[Frames, dict[Place, list[int]]]
"""Frames by place, and when each of them passed, in milliseconds."""


def _lines(
    steps: dict[str, Timed], labels: Labels, periodic: bool, ties: bool
) -> dict[str, dict[Place, Lines]]:
    text: dict[str, dict[Place, Lines]] = {}
    for name, (frames, times_ms) in steps.items():
        text[name] = {}
        labels.next_step()
        for place in sorted(frames):
            kept = [
                (labels.line(frame), time_ms)
                for frame, time_ms in zip(frames[place], times_ms[place], strict=True)
                if periodic or not is_periodic(frame)
            ]
            lines = [line for line, _ in kept]
            text[name][place] = sorted_within_ties(lines, [t for _, t in kept]) if ties else lines
    return text


def _tallies(counts: Counts) -> dict[Place, Lines]:
    """A line for each frame of a step that was only counted; their order is not known."""
    lines: dict[Place, Lines] = {}
    for (at, way, kind, code), number in sorted(counts.items()):
        lines.setdefault((at, way), []).extend([f"{kind} {code}".rstrip()] * number)
    return lines


def _shown(found: dict[tuple[str, str], Difference], known: object) -> list[str]:
    lines = [f"known: {known}"]
    for (_step, place), (missing, extra) in found.items():
        lines += [f"{place} lacks {line}" for line in missing]
        lines += [f"{place} has besides {line}" for line in extra]
    return lines
