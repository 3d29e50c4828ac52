"""A few thousand messages that nobody would send; ``python -m benchmarks.fuzz_ovsdb`` has more."""

from __future__ import annotations

import pytest

from benchmarks.fuzz_ovsdb import fuzz


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_clients_cost_nobody_else_anything(seed: int) -> None:
    fuzzer = fuzz(2000, seed)
    assert fuzzer.n_answers > 1000
    assert fuzzer.n_refused > 50
