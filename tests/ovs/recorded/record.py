"""Draw cases, have the real Open vSwitch answer them, and see whether our switch agrees.

    python -m tests.ovs.recorded.record mirrors 1 100
    python -m tests.ovs.recorded.record mirrors 1 25 tests/data/ovs

With a folder, the cases are written there, as ``KIND.json``. The exit code is 1 where ours differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.ovs.private_ovs import private_ovs
from tests.ovs.recorded.case import Case, write
from tests.ovs.recorded.ours import OurSwitch
from tests.ovs.recorded.play import differences, play
from tests.ovs.recorded.real import RealSwitch, real_switch
from tests.ovs.recorded.script import Script

_FOLDER = Path(__file__).parent / "kinds"
KINDS = tuple(sorted(path.stem for path in _FOLDER.glob("[a-z]*.py")))


def script(kind: str, seed: int) -> Script:
    """The steps of a case, not yet answered."""
    draw: Callable[[Script], None] = import_module(f"tests.ovs.recorded.kinds.{kind}").draw
    drawn = Script(kind, seed)
    draw(drawn)
    return drawn


def recorded(kind: str, seed: int, real: RealSwitch) -> Case:
    """A case with the real switch's answers."""
    steps = tuple(script(kind, seed).steps)
    real.forget()
    return Case(kind, seed, steps, play(steps, real))


def disagreements(case: Case) -> list[str]:
    """Where our switch does something else than the recorded one."""
    return differences(case, play(case.steps, OurSwitch()))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ovs.recorded.record")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("first_seed", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("folder", type=Path, nargs="?")
    chosen = parser.parse_args()
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.count)
    cases = []
    n_different = 0
    for case in _all_recorded(chosen.kind, seeds):
        cases.append(case)
        found = disagreements(case)
        n_different += bool(found)
        if found:
            print(f"seed {case.seed}: {len(found)} steps differ\n{found[0]}")
    if chosen.folder is not None:
        write(chosen.folder / f"{chosen.kind}.json", cases)
    print(f"{len(cases)} cases, {n_different} differ")
    return int(n_different > 0)


def _all_recorded(kind: str, seeds: range) -> Iterator[Case]:
    with (
        TemporaryDirectory() as folder,
        private_ovs(Path(folder)) as ovs,
        real_switch(ovs) as real,
    ):
        for seed in seeds:
            yield recorded(kind, seed, real)


if __name__ == "__main__":
    sys.exit(main())
