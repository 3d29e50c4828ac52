"""What has become of flows, for those who follow them (flow monitors)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from vnet.base.record import record
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.openflow.messages import RemovedReason
from vnet.ovs.openflow.ofpacts import Ofpacts


class FlowEvent(Enum):
    """What happened to a flow. One that takes the place of another is added."""

    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"


@record(frozen=True, slots=True)
class FlowChange:
    """One flow's. ``shown`` is what ``rule`` was then; ``old_actions`` what it did before, if
    that has changed. ``position`` is that of the request among those carried out together; None:
    nobody asked for it.
    """

    event: FlowEvent
    rule: Rule
    shown: Rule
    reason: RemovedReason | None = None
    old_actions: Ofpacts | None = None
    position: int | None = None


FlowsListener = Callable[[Sequence[FlowChange]], None]
"""Is told of what was done together, in the order in which it was done."""
