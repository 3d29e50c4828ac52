"""``brctl showstp`` of rings, lines and bundles, as the kernel has been seen to print it.

``tests/linux/bridge/recorded/record.py`` has recorded it; what timers have left is not compared.
"""

from __future__ import annotations

import json

import pytest

from tests.linux.bridge.recorded.play import Played
from tests.linux.bridge.recorded.record import FILE
from tests.linux.bridge.recorded.script import CASES, Case, without_timers

SEEN: dict[str, list[dict[str, str]]] = json.loads(FILE.read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_tree_is_the_kernels(case: Case) -> None:
    looks = Played(case).looks
    assert len(looks) == len(SEEN[case.name])
    for number, (ours, seen) in enumerate(zip(looks, SEEN[case.name], strict=True)):
        for node, text in seen.items():
            seen_lines = without_timers(text).rstrip("\n").splitlines()
            assert ours[node].rstrip("\n").splitlines() == seen_lines, f"{node}, look {number}"
