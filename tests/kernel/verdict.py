"""Many labs of a kind on the kernel and in vnet, and what differed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import NamedTuple

from tests.kernel import recorded
from tests.kernel.cases import Case
from tests.kernel.labs import case
from tests.kernel.play import Difference, Outcome, compare, play
from tests.kernel.real import RealLab
from tests.kernel.virtual import VirtualLab

_AT_ONCE = 8
"""How many labs are built before the first is used: they come up at the same time."""


class Verdict(NamedTuple):
    seed: int
    n_frames: int
    differences: list[Difference]


def judge(kind: str, seeds: Sequence[int], n_steps: int) -> Iterator[Verdict]:
    """Play each seed's case in both worlds. What differs must do so in a second run, too."""
    rest = iter(seeds)
    while batch := list(islice(rest, _AT_ONCE)):
        cases = [case(kind, seed, n_steps) for seed in batch]
        for seed, done, first in zip(batch, cases, in_kernel(cases), strict=True):
            differences = list(compare(done.steps, first, in_vnet(done, first)))
            if differences:
                (again,) = in_kernel([done])
                believed = list(compare(done.steps, again, in_vnet(done, again)))
                again_odd = {difference.number for difference in believed}
                differences = [odd for odd in differences if odd.number in again_odd]
            yield Verdict(seed, len(done.steps), differences)


def in_kernel(cases: Sequence[Case]) -> list[list[Outcome]]:
    """What the kernel of this machine sends in each case, step by step."""
    with ExitStack() as stack:
        labs = [stack.enter_context(RealLab(case.lab)) for case in cases]
        for lab in labs:
            lab.wait_ready()
        return [list(play(lab, case.steps)) for lab, case in zip(labs, cases, strict=True)]


def in_vnet(done: Case, kernel: Sequence[Outcome]) -> list[Outcome]:
    """The same in vnet, at the same moments."""
    lab = VirtualLab(done.lab)
    lab.wait_ready()
    return list(play(lab, done.steps, kernel))


def record(kind: str, seeds: Sequence[int], n_steps: int) -> None:
    """Write down what the kernel sends, for those who cannot ask it."""
    cases = [case(kind, seed, n_steps) for seed in seeds]
    for seed, done, outcomes in zip(seeds, cases, in_kernel(cases), strict=True):
        recorded.save(recorded.FOLDER / f"{kind}-{seed}.json", done, outcomes)
