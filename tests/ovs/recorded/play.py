"""Plays the steps of a case on a switch, real or ours, and notes what is seen."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from tests.ovs.recorded.case import Carry, Case, Join, Receive, Run, Seen, Show, Step, Warp
from tests.ovs.recorded.drawn import without_drawn_numbers, without_own_address

_MOST_ROUNDS = 50
"""Frames that are carried on for longer than this circle."""


class Player(Protocol):
    """A switch that is driven from outside. Whatever a step leads to in the same instant has
    happened when its method returns.
    """

    def run(self, words: Sequence[str], lines: Sequence[str]) -> str:
        """Carry out a command; returns why it was refused, or nothing."""

    def show(self, words: Sequence[str]) -> list[str]:
        """The lines that a command prints."""

    def receive(self, port: str, frames: Sequence[bytes]) -> None:
        """Have a port receive frames one after another; the flows that they leave in the datapath
        are gone behind the last."""

    def warp(self, total_ms: int, step_ms: int) -> None:
        """Let time pass."""

    def join(self, port: str, other: str) -> None:
        """Let each of two ports receive what the other sends."""

    def take_sent(self) -> dict[str, tuple[bytes, ...]]:
        """What left by each port since the last time somebody asked."""


def play(steps: Iterable[Step], player: Player) -> tuple[Seen, ...]:
    """Carry out steps; what was seen after each."""
    ways: dict[str, str] = {}
    return tuple(_seen(step, player, ways) for step in steps)


def _seen(step: Step, player: Player, ways: dict[str, str]) -> Seen:
    refusal, text = "", []
    match step:
        case Run(command, lines):
            refusal = player.run(shlex.split(command), lines)
        case Show(command):
            text = player.show(shlex.split(command))
        case Receive(port, frames):
            player.receive(port, frames)
        case Warp(total_ms, step_ms):
            player.warp(total_ms, step_ms)
        case Join(port, other):
            player.join(port, other)
        case Carry():
            ways.clear()
            ways.update(step.ways)
    sent = {
        port: tuple(map(without_own_address, frames))
        for port, frames in _carried(player, ways).items()
    }
    return Seen(refusal, sent, tuple(without_drawn_numbers(line) for line in text))


def _carried(player: Player, ways: Mapping[str, str]) -> dict[str, tuple[bytes, ...]]:
    """What has been sent until nothing is on its way any more."""
    total: dict[str, tuple[bytes, ...]] = {}
    for _ in range(_MOST_ROUNDS):
        sent = player.take_sent()
        if not sent:
            return total
        for port, frames in sorted(sent.items()):
            total[port] = total.get(port, ()) + frames
            if port in ways:
                for frame in frames:
                    player.receive(ways[port], [frame])
    raise AssertionError(f"frames go round and round: {sent}")


def differences(case: Case, seen: Sequence[Seen]) -> list[str]:
    """Where another switch showed something else than ``case`` says, a text each."""
    found = []
    for number, (step, wanted, got) in enumerate(zip(case.steps, case.seen, seen, strict=True)):
        if wanted != got:
            found.append(f"step {number}: {_step_text(step)}\n{_difference(wanted, got)}")
    return found


def _step_text(step: Step) -> str:
    if isinstance(step, Receive):
        return f"{step.port} receives {' '.join(frame.hex() for frame in step.frames)}"
    return str(step)


def _difference(wanted: Seen, got: Seen) -> str:
    lines = []
    if wanted.refusal != got.refusal:
        lines.append(f"  refused: wanted {wanted.refusal!r}, got {got.refusal!r}")
    for port in sorted(wanted.sent.keys() | got.sent.keys()):
        ours, theirs = got.sent.get(port, ()), wanted.sent.get(port, ())
        if ours != theirs:
            lines.append(f"  {port}: wanted {_hex(theirs)}")
            lines.append(f"  {port}: got    {_hex(ours)}")
    if wanted.text != got.text:
        lines.append("  wanted: " + "\n          ".join(wanted.text))
        lines.append("  got:    " + "\n          ".join(got.text))
    return "\n".join(lines)


def _hex(frames: Iterable[bytes]) -> str:
    return " ".join(frame.hex() for frame in frames) or "nothing"
