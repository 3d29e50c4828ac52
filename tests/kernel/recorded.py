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

from tests.kernel.cases import Case
from tests.kernel.play import Inject, Look, Outcome, Reply, Seen, Send, Step, Wait
from tests.kernel.setup import VIEWS, Lab

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
    came = step.frame if isinstance(step, Inject) else b""
    return {"at_ms": at_ms, **_done_json(step), "out": list(_out_json(came, seen))}


def _done_json(step: Step) -> dict[str, Any]:
    match step:
        case Inject(port, frame):
            return {"port": port, "in": _text(frame)}
        case Wait(duration_ms):
            return {"wait_ms": duration_ms}
        case Reply(back, manner):
            return {"reply_to": back, "manner": manner}
        case Send(port, target, target_port, payload):
            return {"send": [port, target, target_port, _text(payload)]}
        case Look(timeouts):
            return {"look": "timeouts" if timeouts else "all"}


def _out_json(came: bytes, seen: list[Seen]) -> Iterator[str]:
    for port, frame in seen:
        if port in VIEWS:
            yield f"{port} {frame.decode()}"
        else:
            yield f"{port} {_SAME if frame == came else _text(frame)}"


def _step(entry: dict[str, Any]) -> tuple[Step, Outcome]:
    step = _done(entry)
    came = step.frame if isinstance(step, Inject) else b""
    out = [line.split(" ", 1) for line in entry["out"]]
    return step, Outcome(entry["at_ms"], [(port, _shown(port, text, came)) for port, text in out])


def _done(entry: dict[str, Any]) -> Step:
    match entry:
        case {"port": port, "in": text}:
            return Inject(port, _frame(text))
        case {"wait_ms": duration_ms}:
            return Wait(duration_ms)
        case {"reply_to": back, "manner": manner}:
            return Reply(back, manner)
        case {"send": [port, target, target_port, payload]}:
            return Send(port, target, target_port, _frame(payload))
        case _:
            return Look(entry["look"] == "timeouts")


def _shown(port: str, text: str, came: bytes) -> bytes:
    if port in VIEWS:
        return text.encode()
    return came if text == _SAME else _frame(text)


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
