"""``python -m benchmarks [WORD ...] [--rounds N]``: run them and print a table.

With words, only the benchmarks whose name holds one of them. The exit code is 1 when a
target was missed.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import (
    bridging,
    captures,
    dummy_streams,
    events,
    leasing,
    ofproto,
    openvswitch,
    road,
    routing,
    scale,
    starting,
    tcp,
    translation,
)
from benchmarks.harness import Benchmark, Speed, interpreter, run, table
from benchmarks.yardstick import hot_path

MODULES = (
    events,
    road,
    routing,
    translation,
    tcp,
    bridging,
    openvswitch,
    ofproto,
    dummy_streams,
    captures,
    leasing,
    scale,
    starting,
)
"""Each has a tuple ``BENCHMARKS``; add yours here."""

YARDSTICK = Speed("the yardstick against itself", "frames/s", hot_path, hot_path, "yardstick")
"""Shows the yardstick's own speed, and by how much a ratio strays when nothing differs."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="run those whose name has it")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each (7)")
    options = parser.parse_args(arguments)
    chosen: list[Benchmark] = [
        benchmark
        for benchmark in (YARDSTICK, *(one for module in MODULES for one in module.BENCHMARKS))
        if not options.words or any(word in benchmark.name for word in options.words)
    ]
    print(interpreter())
    results = []
    for number, benchmark in enumerate(chosen, start=1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(chosen)} {benchmark.name}\033[K", end="", file=sys.stderr)
        results.append(run(benchmark, options.rounds))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    print(table(results))
    missed = sum(result.met is False for result in results)
    met = sum(result.met is True for result in results)
    print(f"{met} targets met, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
