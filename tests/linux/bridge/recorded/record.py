"""Record the cases of ``script.py`` on the kernel of this machine.

    python -m tests.linux.bridge.recorded.record [NAME...]

Needs root, iproute2 and bridge-utils. Namespaces are called ``vnetrec-...`` and removed after.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.linux.bridge.recorded.kernel import add_namespace, keep, run, run_in
from tests.linux.bridge.recorded.script import CASES, Case, mac_text, without_timers

FILE = Path(__file__).parents[3] / "data" / "linux" / "spanning_trees.json"
_PREFIX = "vnetrec-"


def _in(node: str, command: str) -> str:
    return run_in(f"{_PREFIX}{node}", command)


def _build(case: Case) -> None:
    for node in case.bridges:
        add_namespace(f"{_PREFIX}{node}")
        _in(node, "brctl addbr br0")
    number = 0
    for ends in case.cables:
        words = []
        for end in ends:
            node, device = end.split("/")
            number += 1
            words.append(f"{device} address {mac_text(number)} netns {_PREFIX}{node}")
        run(f"ip link add {words[0]} type veth peer name {words[1]}")
        for end in ends:
            node, device = end.split("/")
            _in(node, f"brctl addif br0 {device}")
            _in(node, f"ip link set {device} up")


def _play(case: Case) -> list[dict[str, str]]:
    looks = []
    for where, what in case.steps:
        if where == "wait":
            time.sleep(float(what))
        elif where == "look":
            shown = {node: _in(node, "brctl showstp br0") for node in case.bridges}
            looks.append({node: without_timers(text) for node, text in shown.items()})
        elif said := _in(where, what):
            raise SystemExit(f"{case.name}: {where}: {what}: {said}")
    return looks


def record(case: Case) -> list[dict[str, str]]:
    """What the kernel shows at each look."""
    try:
        _build(case)
        time.sleep(1.2)
        return _play(case)
    finally:
        for node in case.bridges:
            run(f"ip netns del {_PREFIX}{node}")


if __name__ == "__main__":
    keep(FILE, CASES, sys.argv[1:], record)
