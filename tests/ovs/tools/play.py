"""Playing a scene on two sides at once."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from tests.ovs.tools.masks import Uuids, masked
from tests.ovs.tools.scene import SCENES, Line, Scene
from tests.ovs.tools.side import Answer, Side, started, write_stand_ins


class Played(NamedTuple):
    """A line, and what the two sides said to it."""

    line: Line
    theirs: Answer
    ours: Answer

    def fault(self) -> str:
        """What is wrong with the answers, or nothing."""
        mark, theirs, ours = self.line.mark, self.theirs, self.ours
        shown = f"{self.line.text}\n--- Open vSwitch\n{_shown(theirs)}\n--- vnet\n{_shown(ours)}"
        if mark == "!":
            return "" if theirs != ours else f"does not differ any more: {shown}"
        if mark == "?":
            same = theirs.exit_code == ours.exit_code and bool(theirs.output) == bool(ours.output)
            return "" if same else shown
        return "" if theirs == ours else shown


def _shown(answer: Answer) -> str:
    return f"{answer.output}{answer.errors}exit code {answer.exit_code}"


def play(scene: Scene, directory: Path, *, ours: bool = True) -> list[list[Played]]:
    """Play a scene; the answers, row by row. Without ``ours`` both sides are the real ones."""
    programs = write_stand_ins(directory / "programs") if ours else None
    # Names of one length: some programs pad what they show.
    sides = (Side(directory / "real"), Side(directory / "vnet", programs))
    with ThreadPoolExecutor(len(sides)) as pool:
        theirs, own = pool.map(lambda side: _answers(scene, side), sides)
    rows = zip(scene.rows, theirs, own, strict=True)
    return [list(map(Played, row.lines, *answers)) for row, *answers in rows]


def _answers(scene: Scene, side: Side) -> list[list[Answer]]:
    has_daemons = scene.database != "none"
    if has_daemons and scene.database is not None:
        shutil.copy(SCENES / scene.database, side.directory / "conf.db")
    uuids = Uuids()
    with started(side) if has_daemons else nullcontext():
        for text in scene.set_up:
            side.must(text)
        return [
            [masked(side.run(line.text), side.directory, uuids, line.mark) for line in row.lines]
            for row in scene.rows
        ]
