"""What is asked of every recorded scenario that is played in vnet.

A module replays one: it names the recording (``RECORDED``), says how its stage is built and what
happens on it (``Scenario``), and how frames are compared (``COMPARED``, the keywords of
:func:`~tests.oracle.agreement.agreement`). The fixtures of ``conftest`` play it once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.oracle.agreement import Agreement
from tests.oracle.linux_kit import Stage
from tests.oracle.recording import Recording, oracle_folder


class Replay(Protocol):
    """A stage, and what happens on it."""

    stage: Stage

    def __init__(self, folder: Path) -> None: ...

    def play(self) -> None: ...


class Recorded:
    """The recording ``linux/<name>``, if there is an oracle: its folder and its steps' names."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = oracle_folder(name)
        self.steps = [] if self.folder is None else list(Recording(self.folder).steps)

    @property
    def marks(self) -> list[Any]:
        """What a module that replays it is marked with."""
        missing = f"VNET_ORACLE does not lead to linux/{self.name}"
        skip = pytest.mark.skipif(self.folder is None, reason=missing)
        return [pytest.mark.oracle, pytest.mark.tshark, skip]


class FramesAgree:
    """Every step is played, and its frames are the kernel's. ``step`` runs over all of them."""

    def test_every_step_is_played(self, scenario: Replay, recorded: Recorded) -> None:
        assert list(scenario.stage.played) == recorded.steps

    def test_frames(self, step: str, agreed: Agreement) -> None:
        agreed.check(step)

    def test_nearly_every_frame_agrees(self, agreed: Agreement) -> None:
        agreed.check_share()
