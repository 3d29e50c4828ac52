"""``ovs-vsctl add-port``, as often as one likes: ours and the real Open vSwitch, in one run.

    python -m benchmarks.add_ports
    python -m benchmarks.add_ports --at-once 1000 5000 --calls 1000

Each switch has a directory of its own, and devices that are dummies. The same real ``ovs-vsctl``
adds ports, one in a call or all in one call, and waits each time until the switch has them. Shown
are how long that takes, and the CPU time of the client and of the daemons: the rest is waiting,
for the disk or for whoever else uses the machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.harness import interpreter
from benchmarks.live_switches import OURS, THEIRS, Outcome, Switch, have_theirs, measure, running


def one_by_one(switch: Switch, count: int) -> None:
    """A call for each port."""
    for number in range(count):
        switch.vsctl("add-port", "br0", f"p{number}")


def all_at_once(switch: Switch, count: int) -> None:
    """One call for all ports."""
    words = [word for number in range(count) for word in ("--", "add-port", "br0", f"p{number}")]
    switch.vsctl(*words[1:])


def one_more(switch: Switch, count: int) -> None:
    """Three ports, a call for each, at a bridge that has many."""
    for number in range(3):
        switch.vsctl("add-port", "br0", f"more{count}-{number}")


Work = Callable[[Switch, int], None]


def compare(name: str, works: list[tuple[str, Work]], count: int) -> None:
    """Have both do some work after each other, and print a line for each piece of it."""
    outcomes: dict[str, list[Outcome]] = {}
    for kind in (OURS, THEIRS):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "run"
            switch = stack.enter_context(running(kind, folder))
            outcomes[kind] = [measure(switch, partial(work, switch, count)) for _, work in works]
    for (title, _), ours, theirs in zip(works, outcomes[OURS], outcomes[THEIRS], strict=True):
        ratio = ours.elapsed_s / theirs.elapsed_s
        print(f"{name + title:34}{ours!s:>24}{theirs!s:>24}{ratio:8.2f}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.add_ports", description=__doc__)
    parser.add_argument(
        "--at-once", type=int, nargs="*", default=[1000, 5000], help="in one call (1000 5000)"
    )
    parser.add_argument("--calls", type=int, default=1000, help="of one port each (1000)")
    options = parser.parse_args()
    if not have_theirs():
        return 1
    print(interpreter())
    print(f"{'':34}{OURS:>24}{THEIRS:>24}{'ratio':>8}")
    at_once: list[tuple[str, Work]] = [
        ("in one call", all_at_once),
        ("and 3 calls more", one_more),
    ]
    for count in options.at_once:
        compare(f"{count} ports, ", at_once, count)
    if options.calls:
        compare(f"{options.calls} ports, ", [("a call each", one_by_one)], options.calls)
    return 0


if __name__ == "__main__":
    sys.exit(main())
