"""Cases with the kernel's answers, as text: what can be compared where there is no root.

A frame is hexadecimal; ``78*1400`` in it stands for 1400 bytes 0x78. Of a frame that leaves as it
came in, only ``=`` is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.kernel.labs import Case
from tests.kernel.play import Inject, Outcome, Seen, Step, Wait
from tests.kernel.setup import Lab

FOLDER = Path(__file__).with_name("recorded")

_SAME = "="
_RUN = re.compile(r"((?:[0-9a-f]{2})*?)([0-9a-f]{2})\2{7,}")


def save(path: Path, case: Case, outcomes: Iterable[Outcome]) -> None:
    """Write a case and what the kernel sent in each of its steps."""
    steps = [_step_json(step, out) for step, out in zip(case.steps, outcomes, strict=True)]
    head = json.dumps(case.lab.as_json())
    body = ",\n".join(json.dumps(step) for step in steps)
    path.write_text(f'{{"lab": {head},\n"steps": [\n{body}\n]}}\n')


def load(path: Path) -> tuple[Case, list[Outcome]]:
    """What :func:`save` wrote."""
    document = json.loads(path.read_text())
    steps, outcomes = zip(*(_step(entry) for entry in document["steps"]), strict=True)
    return Case(Lab.from_json(document["lab"]), list(steps)), list(outcomes)


def _step_json(step: Step, outcome: Outcome) -> dict[str, Any]:
    at_ms, seen = outcome
    if isinstance(step, Wait):
        return {"at_ms": at_ms, "wait_ms": step.duration_ms, "out": list(_out_json(b"", seen))}
    return {
        "at_ms": at_ms,
        "port": step.port,
        "in": _text(step.frame),
        "out": list(_out_json(step.frame, seen)),
    }


def _out_json(came: bytes, seen: list[Seen]) -> Iterator[str]:
    for port, frame in seen:
        yield f"{port} {_SAME if frame == came else _text(frame)}"


def _step(entry: dict[str, Any]) -> tuple[Step, Outcome]:
    step: Step
    if "wait_ms" in entry:
        step, came = Wait(entry["wait_ms"]), b""
    else:
        came = _frame(entry["in"])
        step = Inject(entry["port"], came)
    out = [line.split(" ") for line in entry["out"]]
    seen = [(port, came if text == _SAME else _frame(text)) for port, text in out]
    return step, Outcome(entry["at_ms"], seen)


def _text(frame: bytes) -> str:
    """Hexadecimal with runs of one byte told by their length."""
    parts: list[str] = []
    text, at = frame.hex(), 0
    while (run := _RUN.match(text, at)) is not None:
        end = run.end()
        if run[1]:
            parts.append(run[1])
        parts.append(f"{run[2]}*{(end - run.start(2)) // 2}")
        at = end
    if at < len(text):
        parts.append(text[at:])
    return ".".join(parts)


def _frame(text: str) -> bytes:
    frame = b""
    for part in filter(None, text.split(".")):
        data, _, times = part.partition("*")
        frame += bytes.fromhex(data) * int(times or 1)
    return frame
