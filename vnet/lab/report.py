"""What a run came to: steps with what was expected and seen, links, drops, captures.

Plain values, so that the table on screen, ``run.json`` and a test read the same thing.
Nothing in it depends on the wall clock or on where the lab ran.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vnet.base.drops import DropReason
from vnet.base.units import duration_text
from vnet.lab.build import Network
from vnet.sim.link import Link
from vnet.topology import model


class Failure(NamedTuple):
    """An expectation that did not hold; ``actual`` None means nothing was seen."""

    expectation: model.Expectation
    actual: Any

    def __str__(self) -> str:
        key, relation, value = (
            self.expectation.key,
            self.expectation.relation,
            self.expectation.value,
        )
        return f"expected {key} {relation} {value}, saw {self.actual}"


@dataclass
class StepOutcome:
    """How a step went.

    ``seen`` has its figures, ``remarks`` the errors that its program was told of; ``error`` is
    why the step could not run or end.
    """

    number: int
    step: model.Step
    title: str
    started_ns: int | None = None
    ended_ns: int | None = None
    seen: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    error: str = ""

    @property
    def held(self) -> bool:
        """Whether the step ran and all that was expected of it came true."""
        return self.ended_ns is not None and not self.failures and not self.error

    def as_json(self) -> dict[str, Any]:
        return {
            "step": self.title,
            "line": self.step.line,
            "started": None if self.started_ns is None else duration_text(self.started_ns),
            "ended": None if self.ended_ns is None else duration_text(self.ended_ns),
            "expected": {e.key: _expected(e) for e in self.step.expect},
            "seen": self.seen,
            "held": self.held,
            **({"remarks": self.remarks} if self.remarks else {}),
            **({"error": self.error} if self.error else {}),
        }


def _expected(expectation: model.Expectation) -> Any:
    if expectation.relation == "==":
        return expectation.value
    return f"{expectation.relation} {expectation.value}"


class LinkRow(NamedTuple):
    """One direction of a link."""

    source: str
    target: str
    frames: int
    bytes: int
    drops: dict[str, int]


class DropRow(NamedTuple):
    """How often ``place`` (a device or a link's end) dropped for ``reason``."""

    place: str
    reason: DropReason
    frames: int


@dataclass
class Report:
    """The whole of a run."""

    lab: str
    seed: int
    virtual_ns: int
    steps: list[StepOutcome]
    links: list[LinkRow]
    drops: list[DropRow]
    captures: list[tuple[str, int]]
    files: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether every step held."""
        return all(outcome.held for outcome in self.steps)

    def as_json(self) -> dict[str, Any]:
        """The content of ``run.json``."""
        return {
            "lab": self.lab,
            "seed": self.seed,
            "virtual_time": duration_text(self.virtual_ns),
            "held": self.held,
            "steps": [outcome.as_json() for outcome in self.steps],
            "links": [
                {
                    "from": row.source,
                    "to": row.target,
                    "frames": row.frames,
                    "bytes": row.bytes,
                    "drops": row.drops,
                }
                for row in self.links
            ],
            "drops": [
                {"at": row.place, "reason": row.reason.word, "frames": row.frames}
                for row in self.drops
            ],
            "captures": [{"point": name, "frames": frames} for name, frames in self.captures],
        }


def link_rows(links: list[Link]) -> list[LinkRow]:
    """Both directions of every link."""
    return [
        LinkRow(
            end.name,
            end.peer.name,
            end.tx_frames,
            end.tx_bytes,
            {reason.word: count for reason, count in _sorted(end.drops)},
        )
        for link in links
        for end in link.ends
    ]


def drop_rows(network: Network) -> list[DropRow]:
    """Every drop of every device and link, by place and reason."""
    rows = [
        DropRow(device.label, reason, frames)
        for device in network.devices()
        for reason, frames in _sorted(device.drops)
    ]
    rows += [
        DropRow(f"link {end.name}", reason, frames)
        for link in network.links
        for end in link.ends
        for reason, frames in _sorted(end.drops)
    ]
    return rows


def _sorted(drops: dict[DropReason, int]) -> list[tuple[DropReason, int]]:
    return sorted(drops.items(), key=lambda item: item[0].word)
