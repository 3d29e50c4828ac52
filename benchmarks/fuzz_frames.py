"""A million frames that nobody would send: nothing raises, nothing grows, nothing vanishes.

    python -m benchmarks.fuzz_frames 1000000
    python -m benchmarks.fuzz_frames 10000 --seed 7 --only lab

See README.md beside this file. The exit code is 1 when a frame was not accounted for or the
memory kept growing; an exception ends the run with the frame that caused it.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter

from benchmarks.fuzzing.mutate import Mutator
from benchmarks.fuzzing.seeds import captured
from benchmarks.fuzzing.target import Target
from benchmarks.fuzzing.targets import targets
from benchmarks.harness import interpreter, resident_mb
from vnet.base.chance import Chance

SHARES = {"bridge": 0.2, "vlans": 0.15, "machine": 0.35, "lab": 0.2, "readers": 0.1}
"""How the frames are divided: a lab takes ten times as long for one as a bridge."""

_WARM = 0.3
"""The part of a target's frames after which its tables have filled."""

_GROWTH = 1.05
_GROWTH_MB = 8.0
"""Memory may end so far above where it was when warm: allocators keep a little."""


@dataclass
class Outcome:
    """What became of one target's frames."""

    name: str
    frames: int
    seconds: float = 0.0
    warm_mb: float = 0.0
    end_mb: float = 0.0
    fates: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def grew(self) -> bool:
        return self.end_mb > self.warm_mb * _GROWTH + _GROWTH_MB


def throw(target: Target, count: int, seed: int) -> Outcome:
    """Throw ``count`` frames at ``target`` and balance its books.

    What a frame raises passes through, with the frame as a note on it.
    """
    stream = Chance(seed).stream(f"frames for {target.name}")
    mutator = Mutator(target.seeds(), captured(), target.stations, stream)
    outcome = Outcome(target.name, count)
    warm = int(count * _WARM)
    begin = perf_counter()
    for number, data in enumerate(islice(mutator.frames(), count)):
        try:
            target.take(data)
        except Exception as error:
            error.add_note(f"{target.name}, frame {number}: {data.hex()}")
            raise
        if number == warm:
            outcome.warm_mb = _settled_mb(target)
    outcome.end_mb = _settled_mb(target)
    outcome.seconds = perf_counter() - begin
    outcome.fates, outcome.faults = target.fates(), target.faults
    return outcome


def _settled_mb(target: Target) -> float:
    target.settle()
    gc.collect()
    return resident_mb()


def fuzz(count: int, seed: int, only: str | None = None) -> list[Outcome]:
    """Divide ``count`` frames among the targets, or give them all to one."""
    outcomes = []
    for target in targets(seed):
        share = SHARES[target.name] if only is None else float(target.name == only)
        if share:
            outcomes.append(throw(target, int(count * share), seed))
    return outcomes


def report(outcomes: Sequence[Outcome]) -> str:
    """A line for each target, then what became of the frames by reason."""
    lines = ["target       frames  seconds  frames/s  MiB warm  MiB at the end"]
    lines += [
        f"{o.name:8} {o.frames:>10,} {o.seconds:>8.1f} {o.frames / o.seconds:>9,.0f} "
        f"{o.warm_mb:>9.1f} {o.end_mb:>15.1f}{'  GREW' if o.grew else ''}"
        for o in outcomes
    ]
    words = sorted({word for o in outcomes for word in o.fates})
    lines += ["", f"{'what became of them':28}" + "".join(f"{o.name:>12}" for o in outcomes)]
    lines += [
        f"{word:28}" + "".join(f"{o.fates[word] or '-':>12}" for o in outcomes) for word in words
    ]
    faults = [fault for o in outcomes for fault in o.faults]
    lines += ["", *faults[:20]] if faults else []
    lines += ["", f"{sum(o.frames for o in outcomes):,} frames, {len(faults)} unaccounted for"]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_frames")
    parser.add_argument("count", type=int, nargs="?", default=100_000, metavar="FRAMES")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other frames")
    parser.add_argument("--only", choices=list(SHARES), help="throw all of them at one target")
    chosen = parser.parse_args()
    print(interpreter())
    outcomes = fuzz(chosen.count, chosen.seed, chosen.only)
    print(report(outcomes))
    return int(any(o.grew or o.faults for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
