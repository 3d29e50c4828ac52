"""Command lines of ovs-vsctl, and what the real program answers.

``python -m tests.ovs.vsctl.transcript`` asks it again; that takes an installed Open vSwitch.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.ovs.private_ovs import TIMEOUT_S, PrivateOvs

FILE = Path("tests/data/vsctl/transcripts.json")

_WAITING_S = 1
"""How long a command line is watched that waited before. Any other may take its time."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOGGED = re.compile(r"^\S+Z\|\d+\|", re.MULTILINE)


class Answer(NamedTuple):
    """``status`` None: it still waits. UUIDs are left out."""

    status: int | None
    output: str = ""
    errors: str = ""


def without_uuids(text: str) -> str:
    """A text in which all UUIDs are one."""
    return _UUID.sub("UUID", text)


def in_any_order(answer: Answer) -> Answer:
    """An answer whose lines are in order: the UUIDs decide in which the program prints them."""
    return answer._replace(output="".join(sorted(answer.output.splitlines(keepends=True))))


def kept_transcripts() -> dict[str, list[tuple[str, Answer]]]:
    """The command lines by transcript, each of which begins with an empty database."""
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: [(line, Answer(*answer)) for line, answer in lines] for name, lines in kept.items()
    }


@contextmanager
def real_database() -> Iterator[PrivateOvs]:
    """A real, empty database, without a switch."""
    with tempfile.TemporaryDirectory() as directory:
        ovs = PrivateOvs(Path(directory))
        try:
            ovs.start_database()
            yield ovs
        finally:
            ovs.stop()


def real_answers(transcript: Iterable[tuple[str, Answer]]) -> list[tuple[str, Answer]]:
    """What the real program answers now to a transcript's lines, one after the other."""
    with real_database() as ovs:
        return [(line, _real_answer(ovs, line, kept)) for line, kept in transcript]


def _real_answer(ovs: PrivateOvs, line: str, kept: Answer) -> Answer:
    # The database alone knows of no switch that would take anything up.
    command = ("ovs-vsctl", "--no-wait", *shlex.split(line))
    try:
        done = ovs.do(*command, timeout_s=_WAITING_S if kept.status is None else TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return Answer(None)
    errors = _LOGGED.sub("", done.stderr).replace("\0", "")
    return Answer(done.returncode, without_uuids(done.stdout), without_uuids(errors))


if __name__ == "__main__":
    asked = {name: real_answers(transcript) for name, transcript in kept_transcripts().items()}
    FILE.write_text(json.dumps(asked, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
