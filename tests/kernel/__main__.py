"""Hold many seeds against this kernel, as root: ``python -m tests.kernel bridge --seeds 1-50``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from tests.kernel.labs import KINDS
from tests.kernel.play import Difference, Inject, Step, Wait
from tests.kernel.real import reason_to_skip
from tests.kernel.setup import VIEWS
from tests.kernel.verdict import judge, record
from vnet.wire.summary import summarize


def main() -> int:
    """Exit status 1 where something differs."""
    options = _options()
    if (reason := reason_to_skip()) is not None:
        sys.exit(reason)
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    if options.record:
        record(options.kind, seeds, options.frames)
        return 0
    n_odd = n_frames = 0
    for verdict in judge(options.kind, seeds, options.frames):
        n_frames += verdict.n_frames
        n_odd += len(verdict.differences)
        # What follows on a difference may be one because of it.
        shown = verdict.differences[: None if options.all else 1]
        for difference in shown:
            print(f"{options.kind} {verdict.seed}", *_lines(difference), sep="\n  ")
    print(f"{n_odd} differences in {n_frames} frames of {len(seeds)} labs")
    return int(n_odd > 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kernel", description=__doc__)
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--seeds", default="1-10", help="one, or the first and the last")
    parser.add_argument("--record", action="store_true", help="keep the kernel's answers as a test")
    parser.add_argument("--all", action="store_true", help="more than each lab's first difference")
    parser.add_argument("--frames", type=int, default=100, help="into each lab")
    return parser.parse_args()


def _lines(difference: Difference) -> Iterator[str]:
    yield f"step {difference.number}, {_done(difference.step)}"
    # Of what a machine shows most is the same.
    for world, seen, others in (
        ("kernel", difference.kernel, difference.vnet),
        ("  vnet", difference.vnet, difference.kernel),
    ):
        for place, data in seen:
            if place not in VIEWS:
                yield f"{world} {place}: {_shown(data)}"
            elif (place, data) not in others:
                yield f"{world} {place}: {data.decode()}"


def _done(step: Step) -> str:
    match step:
        case Inject(port, frame):
            return f"{port}: {_shown(frame)}"
        case Wait(duration_ms):
            return f"time: {duration_ms} ms"
    return str(step)


def _shown(frame: bytes) -> str:
    return f"{summarize(frame)} [{frame[:120].hex()}{'…' if len(frame) > 120 else ''}]"


if __name__ == "__main__":
    sys.exit(main())
