"""A recorded case: steps, and what a switch showed after each.

A case is plain data. As a file it is JSON, a step a line; frames are in hexadecimal and written
once, steps name them by number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data" / "ovs"
"""The cases that are kept, a file a kind."""


@dataclass(frozen=True)
class Run:
    """A command line of ``ovs-vsctl``, ``ovs-ofctl`` or ``ovs-appctl``. A ``-`` among its words
    stands for a file with ``lines``."""

    command: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Receive:
    """Frames come in by a port, one after another. The first finds a datapath without flows."""

    port: str
    frames: tuple[bytes, ...]


@dataclass(frozen=True)
class Warp:
    """Time passes: ``total_ms``, and ``step_ms`` of it at a time."""

    total_ms: int
    step_ms: int


@dataclass(frozen=True)
class Show:
    """A command line that shows something: its output is part of what is seen."""

    command: str


@dataclass(frozen=True)
class Join:
    """A wire between two dummy ports, mostly of two bridges."""

    port: str
    other: str


@dataclass(frozen=True)
class Carry:
    """Whoever plays the case carries frames from now on: what leaves by a port of ``ways`` comes
    in by the other, one frame after another, in the order of the ports' names. A wire on which it
    matters what comes first.
    """

    ways: tuple[tuple[str, str], ...]


Step = Run | Receive | Warp | Show | Join | Carry


@dataclass(frozen=True)
class Seen:
    """What a step led to: why it was refused, what left by which port (the order of ports says
    nothing), and lines of text."""

    refusal: str = ""
    sent: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    text: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """Steps of one kind, drawn from a seed, and what was seen after each."""

    kind: str
    seed: int
    steps: tuple[Step, ...]
    seen: tuple[Seen, ...]


# -- as a file


def write(path: Path, cases: Sequence[Case]) -> None:
    """Write cases of one kind."""
    body = ",\n".join(_case_text(case) for case in cases)
    path.write_text(f"[\n{body}\n]\n", encoding="utf-8")


def read(path: Path) -> list[Case]:
    """Read what :func:`write` has written."""
    return [_case_of(document) for document in json.loads(path.read_text(encoding="utf-8"))]


class _Frames:
    """Each frame once."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}

    def all(self, frames: Iterable[bytes]) -> list[int]:
        return [self.numbers.setdefault(frame, len(self.numbers)) for frame in frames]


def _case_text(case: Case) -> str:
    frames = _Frames()
    steps = [
        _step_words(step, frames) | _seen_words(seen, frames)
        for step, seen in zip(case.steps, case.seen, strict=True)
    ]
    lines = ",\n".join(json.dumps(step) for step in steps)
    head = f'{{"kind": {json.dumps(case.kind)}, "seed": {case.seed}, "steps": [\n{lines}\n]'
    packets = ",\n".join(json.dumps(frame.hex()) for frame in frames.numbers)
    return f'{head}, "frames": [\n{packets}\n]}}'


def _step_words(step: Step, frames: _Frames) -> dict[str, Any]:
    match step:
        case Run(command, lines):
            return {"run": command} | ({"lines": lines} if lines else {})
        case Receive(port, received):
            return {"receive": port, "frames": frames.all(received)}
        case Warp(total_ms, step_ms):
            return {"warp_ms": total_ms, "step_ms": step_ms}
        case Show(command):
            return {"show": command}
        case Join(port, other):
            return {"join": [port, other]}
        case Carry(ways):
            return {"carry": ways}


def _seen_words(seen: Seen, frames: _Frames) -> dict[str, Any]:
    words: dict[str, Any] = {}
    if seen.refusal:
        words["refused"] = seen.refusal
    if seen.sent:
        words["sent"] = {port: frames.all(sent) for port, sent in sorted(seen.sent.items())}
    if seen.text:
        words["text"] = seen.text
    return words


def _case_of(document: dict[str, Any]) -> Case:
    frames = [bytes.fromhex(frame) for frame in document["frames"]]
    steps, seen = [], []
    for words in document["steps"]:
        steps.append(_step_of(words, frames))
        sent = {
            port: tuple(frames[number] for number in numbers)
            for port, numbers in words.get("sent", {}).items()
        }
        seen.append(Seen(words.get("refused", ""), sent, tuple(words.get("text", ()))))
    return Case(document["kind"], document["seed"], tuple(steps), tuple(seen))


def _step_of(words: dict[str, Any], frames: Sequence[bytes]) -> Step:
    match words:
        case {"run": command}:
            return Run(command, tuple(words.get("lines", ())))
        case {"receive": port, "frames": numbers}:
            return Receive(port, tuple(frames[number] for number in numbers))
        case {"warp_ms": total_ms, "step_ms": step_ms}:
            return Warp(total_ms, step_ms)
        case {"show": command}:
            return Show(command)
        case {"join": [port, other]}:
            return Join(port, other)
        case {"carry": ways}:
            return Carry(tuple((port, other) for port, other in ways))
    raise ValueError(f"no step: {words}")
