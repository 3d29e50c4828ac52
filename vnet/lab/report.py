"""What a run came to: steps with what was expected and seen, links, drops, captures.

Plain values, so that the table on screen, ``run.json`` and a test read the same thing.
Nothing in it depends on the wall clock or on where the lab ran.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vnet.base.drops import DropReason
from vnet.base.units import duration_text
from vnet.lab.lease_rows import LeaseRow
from vnet.lab.nat_rows import NatRow
from vnet.lab.network import Network
from vnet.lab.storms import StormRow
from vnet.sim.link import LinkEnd
from vnet.topology import steps


class Failure(NamedTuple):
    """An expectation that did not hold; ``actual`` None means nothing was seen."""

    expectation: steps.Expectation
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
    why the step could not run or end, ``unjudged`` why it was left out. A step inside another has
    ``depth`` above 0. One that is repeated has one outcome for all its rounds: the first that
    failed, else the last.
    """

    number: int
    step: steps.Step
    title: str
    depth: int = 0
    started_ns: int | None = None
    ended_ns: int | None = None
    seen: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    error: str = ""
    unjudged: str = ""
    untold: list[str] = field(default_factory=list)
    """What was expected and cannot be known where the scenario played."""
    rounds: int = 0
    failed_rounds: int = 0

    @property
    def held(self) -> bool:
        """Whether the step ran and all that was expected of it came true, in every round."""
        began_ns = self.started_ns if self.is_endless else self.ended_ns
        return began_ns is not None and not self.failures and not self.error

    @property
    def is_endless(self) -> bool:
        """Whether it goes on until the lab ends."""
        return isinstance(self.step, steps.RepeatStep) and self.step.count is None

    def fresh(self, now_ns: int) -> StepOutcome:
        """A blank outcome for the next round of this step."""
        return StepOutcome(self.number, self.step, self.title, self.depth, started_ns=now_ns)

    def take(self, latest: StepOutcome) -> None:
        """Enter how a round went; a failure that is written down stays."""
        if not self.failed_rounds:
            self.started_ns, self.ended_ns = latest.started_ns, latest.ended_ns
            self.seen, self.remarks = latest.seen, latest.remarks
            self.failures, self.error = latest.failures, latest.error
            self.unjudged, self.untold = latest.unjudged, latest.untold
        self.rounds += 1
        self.failed_rounds += not latest.held

    def break_off(self, latest: StepOutcome) -> None:
        """Enter a round that the end of the run cut short; it does not count as one."""
        self.take(latest)
        self.rounds -= 1
        self.failed_rounds -= 1

    @property
    def verdict(self) -> str:
        """Whether it held, and if not, why not."""
        if self.unjudged:
            return f"not judged: {self.unjudged}"
        if self.held:
            return "held"
        reasons = [self.error] if self.error else []
        reasons += map(str, self.failures)
        if not reasons:
            reasons = ["not yet begun" if self.started_ns is None else "not yet ended"]
        return ", ".join(reasons)

    def as_json(self) -> dict[str, Any]:
        """The outcome as ``run.json`` has it."""
        return {
            "step": self.title,
            "line": self.step.line,
            "started": None if self.started_ns is None else duration_text(self.started_ns),
            "ended": None if self.ended_ns is None else duration_text(self.ended_ns),
            "expected": {e.key: _expected(e) for e in self.step.expect},
            "seen": self.seen,
            "held": self.held,
            **({"rounds": self.rounds, "failed": self.failed_rounds} if self.rounds > 1 else {}),
            **({"remarks": self.remarks} if self.remarks else {}),
            **({"error": self.error} if self.error else {}),
            **({"unjudged": self.unjudged} if self.unjudged else {}),
            **({"untold": self.untold} if self.untold else {}),
        }


def _expected(expectation: steps.Expectation) -> Any:
    if expectation.relation == "==":
        return expectation.value
    return f"{expectation.relation} {expectation.value}"


def _nested(outcomes: list[StepOutcome]) -> list[dict[str, Any]]:
    """Steps as JSON, those inside another as its ``steps``."""
    top: list[dict[str, Any]] = []
    around: list[dict[str, Any]] = []
    for outcome in outcomes:
        found = outcome.as_json()
        del around[outcome.depth :]
        (around[-1].setdefault("steps", []) if around else top).append(found)
        around.append(found)
    return top


class LinkRow(NamedTuple):
    """One direction of a link.

    ``impaired`` says how many frames were ``duplicated``, ``reordered`` and ``corrupted``,
    where any were.
    """

    source: str
    target: str
    frames: int
    bytes: int
    drops: dict[str, int]
    impaired: dict[str, int]


class DropRow(NamedTuple):
    """How often ``place`` (a device or a link's end) dropped for ``reason``."""

    place: str
    reason: DropReason
    frames: int


@dataclass
class Report:
    """The whole of a run. With ``is_live`` its time was the wall clock's, and no seed counted."""

    lab: str
    seed: int
    virtual_ns: int
    steps: list[StepOutcome]
    links: list[LinkRow]
    drops: list[DropRow]
    captures: list[tuple[str, int]]
    files: list[str] = field(default_factory=list)
    storms: list[StormRow] = field(default_factory=list)
    nat: list[NatRow] = field(default_factory=list)
    leases: list[LeaseRow] = field(default_factory=list)
    is_live: bool = False

    @property
    def held(self) -> bool:
        """Whether every step held."""
        return all(outcome.held for outcome in self.steps)

    @property
    def kind_of_time(self) -> str:
        """``virtual``, or ``real``."""
        return "real" if self.is_live else "virtual"

    def __repr__(self) -> str:
        """One line that says what failed, for ``assert lab.run().held``."""
        failed = [outcome for outcome in self.steps if not outcome.held]
        where = f"{self.lab} at {duration_text(self.virtual_ns)}"
        if not failed:
            steps = "1 step" if len(self.steps) == 1 else f"{len(self.steps)} steps"
            return f"<Report of {where}: {steps}, all held>"
        told = "; ".join(f"{outcome.title}: {outcome.verdict}" for outcome in failed)
        return f"<Report of {where}: {len(failed)} of {len(self.steps)} NOT held: {told}>"

    def as_json(self) -> dict[str, Any]:
        """The content of ``run.json``."""
        return {
            "lab": self.lab,
            **({} if self.is_live else {"seed": self.seed}),
            f"{self.kind_of_time}_time": duration_text(self.virtual_ns),
            "held": self.held,
            "steps": _nested(self.steps),
            "links": [
                {
                    "from": row.source,
                    "to": row.target,
                    "frames": row.frames,
                    "bytes": row.bytes,
                    "drops": row.drops,
                    **row.impaired,
                }
                for row in self.links
            ],
            "drops": [
                {"at": row.place, "reason": row.reason.word, "frames": row.frames}
                for row in self.drops
            ],
            **({"leases": [row.as_json() for row in self.leases]} if self.leases else {}),
            **({"nat": [row.as_json() for row in self.nat]} if self.nat else {}),
            **({"storms": [row.as_json() for row in self.storms]} if self.storms else {}),
            "captures": [{"point": name, "frames": frames} for name, frames in self.captures],
        }


def all_ends(network: Network) -> list[tuple[LinkEnd, LinkEnd]]:
    """The ends of all links, then those that were elsewhere before."""
    return [*(link.ends for link in network.links), *network.former_ends]


def link_rows(links: Iterable[tuple[LinkEnd, LinkEnd]]) -> list[LinkRow]:
    """Both directions of links, given by their ends."""
    return [
        LinkRow(
            end.name,
            end.peer.name,
            end.tx_frames,
            end.tx_bytes,
            {reason.word: count for reason, count in _sorted(end.drops)},
            _impaired(end),
        )
        for ends in links
        for end in ends
    ]


def _impaired(end: LinkEnd) -> dict[str, int]:
    counts = {
        "duplicated": end.duplicated,
        "reordered": end.reordered,
        "corrupted": end.corrupted,
    }
    return {word: count for word, count in counts.items() if count}


def drop_rows(network: Network) -> list[DropRow]:
    """Every drop of every device, datapath and link, by place and reason."""
    rows = [
        DropRow(device.label, reason, frames)
        for device in network.devices()
        for reason, frames in _sorted(device.drops)
    ]
    rows += [
        DropRow(label, reason, frames)
        for label, drops in network.datapath_losses()
        for reason, frames in _sorted(drops)
    ]
    rows += [DropRow(*lost, frames) for lost, frames in network.lost_with_devices.items()]
    rows += [
        DropRow(f"link {end.name}", reason, frames)
        for ends in all_ends(network)
        for end in ends
        for reason, frames in _sorted(end.drops)
    ]
    return rows


def _sorted(drops: Mapping[DropReason, int]) -> list[tuple[DropReason, int]]:
    return sorted(drops.items(), key=lambda item: item[0].word)
