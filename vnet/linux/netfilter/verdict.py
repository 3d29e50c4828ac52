"""What somebody at a hook says of a packet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from vnet.base.drops import DropReason


class Action(Enum):
    ACCEPT = auto()  # go on to who looks next
    DROP = auto()  # it ends here, and is counted
    STOLEN = auto()  # somebody keeps it, or has dropped and counted it already


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` and ``notes`` (lines for the trace: which rule it was) go with DROP alone."""

    action: Action
    reason: DropReason | None = None
    notes: tuple[str, ...] = ()


ACCEPT = Verdict(Action.ACCEPT)
STOLEN = Verdict(Action.STOLEN)


def drop(reason: DropReason, *notes: str) -> Verdict:
    """Drop the packet."""
    return Verdict(Action.DROP, reason, notes)
