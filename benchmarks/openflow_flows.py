"""``ovs-ofctl`` adds flows and reads them back: ours and the real Open vSwitch, in one run.

    python -m benchmarks.openflow_flows
    python -m benchmarks.openflow_flows --flows 1000 --rounds 5

Each switch has a directory of its own, and devices that are dummies. The same real ``ovs-ofctl``
adds flows from a file, one message each or all in a bundle, changes, dumps and deletes them. The
sides take turns; shown is each one's quickest round, with the CPU time of the client and of the
daemons in brackets.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.harness import interpreter
from benchmarks.live_switches import OURS, THEIRS, Outcome, Switch, have_theirs, measure, running

_FILE = "flows.txt"


def _flow(number: int) -> str:
    source, destination = f"10.0.{number >> 8}.{number & 255}", f"10.{number % 7}.0.0/16"
    match = f"priority={100 + number % 50},tcp,nw_src={source},nw_dst={destination},tp_dst=80"
    return (
        f"table={number % 4},{match},actions=mod_vlan_vid:{number % 4000},output:{1 + number % 9}"
    )


def _ofctl(switch: Switch, *words: str) -> str:
    return switch.call("ovs-ofctl", "-OOpenFlow14", *words)


def _add(switch: Switch) -> None:
    _ofctl(switch, "add-flows", "br0", _FILE)


def _add_in_bundle(switch: Switch) -> None:
    _ofctl(switch, "--bundle", "add-flows", "br0", _FILE)


def _change(switch: Switch) -> None:
    _ofctl(switch, "mod-flows", "br0", "tcp,actions=drop")


def _dump(switch: Switch) -> None:
    dumped = _ofctl(switch, "--no-names", "dump-flows", "br0")
    expected = (switch.folder / _FILE).read_text().count("\n")
    assert dumped.count("cookie=") == expected, f"{dumped.count('cookie=')} flows"


def _delete(switch: Switch) -> None:
    _ofctl(switch, "del-flows", "br0")


WORKS: tuple[tuple[str, Callable[[Switch], None]], ...] = (
    ("add-flows", _add),
    ("dump-flows", _dump),
    ("add-flows, all there", _add),
    ("mod-flows, all of them", _change),
    ("del-flows, all of them", _delete),
    ("--bundle add-flows", _add_in_bundle),
    ("--bundle add-flows, all there", _add_in_bundle),
    ("del-flows, after that", _delete),
)


def _round(switch: Switch) -> Iterator[Outcome]:
    for _, work in WORKS:
        yield measure(switch, partial(work, switch))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.openflow_flows", description=__doc__
    )
    parser.add_argument("--flows", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the quickest counts (3)")
    options = parser.parse_args()
    if not have_theirs():
        return 1
    outcomes: dict[str, list[list[Outcome]]] = {OURS: [], THEIRS: []}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        switches = {}
        for kind in outcomes:
            switch = stack.enter_context(running(kind, Path(folder) / kind.split()[0]))
            switch.vsctl("set-fail-mode", "br0", "secure")
            _delete(switch)
            text = "".join(f"{_flow(number)}\n" for number in range(options.flows))
            (switch.folder / _FILE).write_text(text)
            switches[kind] = switch
        for _ in range(options.rounds):
            for kind, switch in switches.items():
                outcomes[kind].append(list(_round(switch)))
    _print(options.flows, outcomes)
    return 0


def _print(flows: int, outcomes: dict[str, list[list[Outcome]]]) -> None:
    print(interpreter())
    print(f"{f'{flows:,} flows':34}{OURS:>24}{THEIRS:>24}{'ratio':>8}")
    for number, (name, _) in enumerate(WORKS):
        ours, theirs = (
            min(a_round[number] for a_round in outcomes[kind]) for kind in (OURS, THEIRS)
        )
        ratio = ours.elapsed_s / theirs.elapsed_s
        print(f"{name:34}{ours!s:>24}{theirs!s:>24}{ratio:8.1f}")


if __name__ == "__main__":
    sys.exit(main())
