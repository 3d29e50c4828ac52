"""The marker ``vnet_seeds``: a test once for each seed."""

from __future__ import annotations

import pytest

MARKER = "vnet_seeds"
FIXTURE = "vnet_seed"

_MOST = 2**63 - 1
"""What a topology file may have, too."""


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Multiply a marked test. A marker that cannot be obeyed is an error of collection."""
    mark = metafunc.definition.get_closest_marker(MARKER)
    if mark is None:
        return
    problem = _problem_with(mark)
    if not problem and FIXTURE not in metafunc.fixturenames:
        problem = f"the test uses neither vnet_lab nor {FIXTURE}, so a seed would change nothing"
    if problem:
        pytest.fail(f"{metafunc.definition.nodeid}: {MARKER}: {problem}", pytrace=False)
    ids = [f"seed={seed}" for seed in mark.args]
    metafunc.parametrize(FIXTURE, mark.args, indirect=True, ids=ids)


def seed_of(request: pytest.FixtureRequest) -> int | None:
    """The seed of this run of a test; None where the test has no marker."""
    seed: int | None = getattr(request, "param", None)
    if seed is None and request.node.get_closest_marker(MARKER) is not None:
        pytest.fail(f"{MARKER} marks a test, and not one of its parameters", pytrace=False)
    return seed


def _problem_with(mark: pytest.Mark) -> str:
    if mark.kwargs:
        return f"seeds have no names, such as {next(iter(mark.kwargs))}; write {MARKER}(1, 2, 3)"
    if not mark.args:
        return f"there is no seed; write {MARKER}(1, 2, 3)"
    for seed in mark.args:
        if type(seed) is not int or not 0 <= seed <= _MOST:
            return f"{seed!r} is no seed; seeds are whole numbers from 0 to {_MOST}"
    twice = next((seed for seed in mark.args if mark.args.count(seed) > 1), None)
    return "" if twice is None else f"the seed {twice} is there twice"
