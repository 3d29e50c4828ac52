"""The programs of Open vSwitch say the same to our daemons as to its own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.ovs.private_ovs import IS_INSTALLED
from tests.ovs.tools.page import page
from tests.ovs.tools.play import play
from tests.ovs.tools.scene import Row, Scene, all_scenes
from tests.ovs.tools.side import Side, started

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

PAGE = Path(__file__).parents[3] / "docs" / "ovs-tools.md"
SCENES = {scene.name: scene for scene in all_scenes()}


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_both_sides_say_the_same(scene: Scene, tmp_path: Path) -> None:
    faults = [
        f"{row.program} {row.command}: {fault}"
        for row, lines in zip(scene.rows, play(scene, tmp_path), strict=True)
        for line in lines
        if (fault := line.fault())
    ]
    assert not faults, "\n\n".join(faults)


def test_what_differs_or_is_missing_has_a_remark_and_a_line_that_shows_it() -> None:
    for row in _rows():
        if row.state != "works":
            assert row.remark, row.command
            assert any(line.mark == "!" for line in row.lines), row.command
        else:
            assert all(line.mark != "!" for line in row.lines), row.command


_WORDS = {
    ("ovs-vsctl", "--commands"): r",([\w-]+),",
    ("ovs-ofctl", "list-commands"): r"(?m)^  ([a-z][\w-]+)",
    ("ovsdb-client", "--help"): r"(?m)^  (?:\[--force\] )?([a-z-]+) \[",
    ("ovsdb-tool", "--help"): r"(?m)^  (?:\[\S*\] )?([a-z][a-z-]+) +[\[DARS]",
}


@pytest.mark.parametrize(("program", "option"), _WORDS)
def test_every_sub_command_has_a_row(program: str, option: str) -> None:
    said = subprocess.run([program, option], capture_output=True, text=True, check=True).stdout
    commands = set(re.findall(_WORDS[program, option], said))
    assert len(commands) >= 20
    assert commands <= {row.command for row in _rows() if row.program == program}


def test_every_command_of_both_daemons_has_a_row(tmp_path: Path) -> None:
    side = Side(tmp_path)
    with started(side):
        of_switch = side.must("ovs-appctl list-commands")
        of_server = side.must("ovs-appctl -t ovsdb-server list-commands")
    commands = set(re.findall(r"(?m)^  (\S+)", of_switch + of_server))
    assert len(commands) > 150
    assert commands <= {row.command for row in _rows() if row.program == "ovs-appctl"}


def test_the_page_in_the_docs_is_the_transcript() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.ovs.tools.page"


def _rows() -> list[Row]:
    return [row for scene in SCENES.values() for row in scene.rows]
