"""Interleaved rounds of a subject and its yardstick, medians, and a verdict.

A figure such as "1.2 million frames/s" says more about the machine than about the
code. So each speed here is a ratio: the subject and a yardstick take turns in one
process, and machine, interpreter and the neighbours' noise fall out of the quotient.
"""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time

Work = Callable[[], int]
"""Does one round and returns how many units (frames, events) it handled."""

Setup = Callable[[], Work]
"""Makes a round's work ready, untimed and called anew for each round."""


@dataclass(frozen=True)
class Speed:
    """A rate that should reach ``target`` times the rate of the yardstick.

    Rates count CPU time. A ``target`` of None only informs.
    """

    name: str
    unit: str
    subject: Setup
    yardstick: Setup
    against: str
    target: float | None = None


@dataclass(frozen=True)
class Cost:
    """An absolute amount that should stay below ``limit``; for what has no yardstick.

    ``measure`` is called once for each round, and the median counts.
    """

    name: str
    unit: str
    measure: Callable[[], float]
    limit: float | None = None


Benchmark = Speed | Cost


@dataclass(frozen=True)
class Result:
    """One line of the report; ``met`` is None where there is nothing to meet."""

    name: str
    measured: str
    yardstick: str
    ratio: str
    target: str
    met: bool | None


def run(benchmark: Benchmark, rounds: int) -> Result:
    """Measure a benchmark ``rounds`` times, after one round of warming up."""
    if isinstance(benchmark, Cost):
        return _run_cost(benchmark, rounds)
    _rate(benchmark.subject)
    _rate(benchmark.yardstick)
    subject, yardstick, ratios = [], [], []
    for number in range(rounds):
        # Each side goes first in every other round: what the first leaves in the caches
        # must not always favour the same one.
        if number % 2:
            theirs, ours = _rate(benchmark.yardstick), _rate(benchmark.subject)
        else:
            ours, theirs = _rate(benchmark.subject), _rate(benchmark.yardstick)
        subject.append(ours)
        yardstick.append(theirs)
        ratios.append(ours / theirs)
    ratio = median(ratios)
    return Result(
        benchmark.name,
        f"{_thousands(median(subject))} {benchmark.unit}",
        f"{_thousands(median(yardstick))} {benchmark.against}",
        f"{ratio:.3g}",
        "" if benchmark.target is None else f">= {benchmark.target:g}",
        None if benchmark.target is None else ratio >= benchmark.target,
    )


def _run_cost(benchmark: Cost, rounds: int) -> Result:
    amount = median(benchmark.measure() for _ in range(rounds))
    return Result(
        benchmark.name,
        f"{amount:.3g} {benchmark.unit}",
        "",
        "",
        "" if benchmark.limit is None else f"<= {benchmark.limit:g}",
        None if benchmark.limit is None else amount <= benchmark.limit,
    )


def _rate(setup: Setup) -> float:
    """Units a second of CPU time over one round, collected garbage not counted."""
    work = setup()
    gc.collect()
    start = process_time()
    units = work()
    return units / (process_time() - start)


def _thousands(rate: float) -> str:
    return f"{rate / 1000:,.0f} k" if rate >= 10_000 else f"{rate / 1000:.1f} k"


def table(results: list[Result]) -> str:
    """Results in columns, with the verdict at the end of each line."""
    rows = [("benchmark", "measured", "yardstick", "ratio", "target", "")]
    for result in results:
        verdict = {True: "met", False: "MISSED", None: ""}[result.met]
        rows.append(
            (
                result.name,
                result.measured,
                result.yardstick,
                result.ratio,
                result.target,
                verdict,
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def interpreter() -> str:
    """The Python that ran: version, compiler, machine, and whose build it is.

    A build with profile-guided optimisation is 1.4 times as fast. Python cannot tell in
    every case whether it is one (Debian's is, and does not say so), so the path is named.
    """
    name = f"{platform.python_implementation()} {platform.python_version()}"
    options = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    optimised = ", --enable-optimizations" if "--enable-optimizations" in options else ""
    build = f"{platform.python_compiler()}{optimised}, {platform.machine()}"
    return f"{name} ({build}) at {sys.base_prefix}"


def in_fresh_process(module: str, function: str) -> float:
    """The number that ``module.function()`` returns in a Python of its own.

    For a :class:`Cost` that imports or memory of this process would spoil, such as
    start-up times and :func:`resident_mb`.
    """
    code = f"from {module} import {function} as measure; print(measure())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def resident_mb() -> float:
    """The resident size of this process in MiB; where /proc is missing, the largest it had.

    The largest is a poor substitute on Linux, where a process starts with its parent's.
    """
    import resource

    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / (1 << 20)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
