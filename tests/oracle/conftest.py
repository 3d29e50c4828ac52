"""A module's scenario, played once, and how far it agrees with its recording."""

from __future__ import annotations

import pytest

from tests.oracle.agreement import Agreement, agreement
from tests.oracle.replayed import Recorded, Replay


@pytest.fixture(scope="module")
def recorded(request: pytest.FixtureRequest) -> Recorded:
    found: Recorded = request.module.RECORDED
    return found


@pytest.fixture(scope="module")
def scenario(request: pytest.FixtureRequest, recorded: Recorded) -> Replay:
    played: Replay = request.module.Scenario(recorded.folder)
    played.play()
    return played


@pytest.fixture(scope="module")
def agreed(
    request: pytest.FixtureRequest, scenario: Replay, tmp_path_factory: pytest.TempPathFactory
) -> Agreement:
    folder = tmp_path_factory.mktemp(scenario.stage.recording.name)
    return agreement(scenario.stage, folder, **request.module.COMPARED)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``step``, where a test does not say which, is every step of the recording."""
    marked = any("step" in m.args[0] for m in metafunc.definition.iter_markers("parametrize"))
    if "step" in metafunc.fixturenames and not marked:
        metafunc.parametrize("step", metafunc.module.RECORDED.steps)
