"""Frames that nobody would send, thrown at an Open vSwitch switch with random flow tables.

    python -m benchmarks.fuzz_switch 1000000
    python -m benchmarks.fuzz_switch 10000 --seed 7 --per-filling 100

Nothing raises, every frame is accounted for, memory stays where it is, and when the frames have
ended, so have megaflows, stations, connections and frozen translations. The exit code is 1 when
one of these does not hold; an exception ends the run with the frame that caused it.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.fuzz_frames import Outcome, report, throw
from benchmarks.fuzzing.switch_target import SwitchTarget
from benchmarks.harness import interpreter
from vnet.base.chance import Chance

FRAMES_PER_FILLING = 500


def fuzz(count: int, seed: int, frames_per_filling: int = FRAMES_PER_FILLING) -> Outcome:
    """Throw ``count`` frames at a switch whose tables are filled anew every so many."""
    return throw(SwitchTarget(Chance(seed), frames_per_filling), count, seed)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_switch")
    parser.add_argument("count", type=int, nargs="?", default=100_000, metavar="FRAMES")
    parser.add_argument("--seed", type=int, default=1, help="other flows and frames")
    parser.add_argument(
        *("--per-filling", "-n"),
        type=int,
        default=FRAMES_PER_FILLING,
        help=f"frames before the tables are filled anew ({FRAMES_PER_FILLING})",
    )
    chosen = parser.parse_args()
    print(interpreter())
    outcome = fuzz(chosen.count, chosen.seed, chosen.per_filling)
    print(report([outcome]))
    return int(outcome.grew or bool(outcome.faults))


if __name__ == "__main__":
    sys.exit(main())
