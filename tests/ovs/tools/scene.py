"""The transcript: which sub-commands there are, what is to be typed for each, and how it stands.

A file below ``scenes/`` is played from its first line to its last, on an empty switch or on the
database that it names (``none``: without any daemon), with the real programs. A row begins with
``== PROGRAM: SUB-COMMAND: STATE`` and perhaps a remark; the lines below it are the shell's. Where
an answer comes when it likes, its line waits for it (``bin/await``), never for a time. What both
sides answer is compared, output, errors and exit code, as the line's mark says:

==== ==========================================================================================
(none) the same, but for what no two runs have in common (:mod:`masks`)
``%``  the same lines, in whatever order: Open vSwitch goes through rows by their random UUIDs
``#``  the same but for numbers: sizes, counts and times are everybody's own
``?``  the same exit code, and an answer: what it says is its own
``!``  not the same: the row's remark says why, and tells of it once it is
==== ==========================================================================================

Rows without lines are in the table with a remark that says why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

SCENES = Path(__file__).with_name("scenes")
STATES = ("works", "differs", "no")
MARKS = "%#?!"

_HEAD = re.compile(r"== (?P<program>[\w-]+): (?P<command>.+?): (?P<state>\w+)(?:: (?P<remark>.+))?")


@dataclass
class Line:
    """A command line, and how its answers are compared."""

    mark: str
    text: str


@dataclass
class Row:
    """A sub-command."""

    program: str
    command: str
    state: str
    remark: str
    lines: list[Line] = field(default_factory=list)


@dataclass
class Scene:
    """Rows that are played on the same two sides, one after the other."""

    name: str
    database: str | None
    set_up: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def read(path: Path) -> Scene:
    """A scene of the transcript."""
    scene = Scene(path.stem, None)
    for text in path.read_text(encoding="utf-8").replace("\\\n", "").splitlines():
        if not text.strip() or text.startswith("#:"):
            continue
        if text.startswith("database: "):
            scene.database = text.removeprefix("database: ")
        elif text.startswith("=="):
            head = _HEAD.fullmatch(text)
            assert head is not None, f"{path.name}: {text}"
            assert head["state"] in STATES, f"{path.name}: {text}"
            scene.rows.append(
                Row(head["program"], head["command"], head["state"], head["remark"] or "")
            )
        elif scene.rows:
            mark, rest = (text[0], text[1:]) if text[0] in MARKS else ("", text)
            scene.rows[-1].lines.append(Line(mark, rest.strip()))
        else:
            scene.set_up.append(text)
    return scene


def all_scenes() -> list[Scene]:
    """The whole transcript."""
    return [read(path) for path in sorted(SCENES.glob("*.txt"))]
