"""Record the cases of ``script.py`` on the kernel of this machine.

    python -m tests.linux.bridge.recorded.record [NAME...]

Needs root, iproute2 and bridge-utils. Namespaces are called ``vnetrec-...`` and removed after.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.linux.bridge.recorded.script import CASES, Case, mac_text, without_timers

FILE = Path(__file__).parents[3] / "data" / "linux" / "spanning_trees.json"
_PREFIX = "vnetrec-"


def _run(command: str) -> str:
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _in(node: str, command: str) -> str:
    return _run(f"ip netns exec {_PREFIX}{node} {command}")


def _build(case: Case) -> None:
    for node in case.bridges:
        _run(f"ip netns add {_PREFIX}{node}")
        for scope in ("all", "default"):
            _in(node, f"sysctl -qw net.ipv6.conf.{scope}.disable_ipv6=1")
        _in(node, "brctl addbr br0")
    number = 0
    for ends in case.cables:
        words = []
        for end in ends:
            node, device = end.split("/")
            number += 1
            words.append(f"{device} address {mac_text(number)} netns {_PREFIX}{node}")
        _run(f"ip link add {words[0]} type veth peer name {words[1]}")
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
            _run(f"ip netns del {_PREFIX}{node}")


def main(names: list[str]) -> None:
    """Record the named cases, or all."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    for case in CASES:
        if not names or case.name in names:
            known[case.name] = record(case)
            sys.stdout.write(f"{case.name}: {len(known[case.name])} looks\n")
    FILE.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
