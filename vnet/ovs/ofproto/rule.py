"""A flow in a table: what it matches, what it does, how long it stays, and what it has seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from vnet.ovs.flow.match import Match
from vnet.ovs.openflow.messages import FlowFlags
from vnet.ovs.openflow.ofpacts import Ofpacts


@dataclass(slots=True, eq=False)
class Rule:
    """A rule, compared by identity. Times are of the virtual clock; timeouts in whole seconds,
    0 for never. ``table_id`` and ``match`` never change; the rest may.

    ``removed`` is set when the rule leaves its table: whoever still holds it must not credit it.
    """

    table_id: int
    priority: int
    match: Match
    actions: Ofpacts
    created_ns: int
    cookie: int = 0
    idle_timeout_s: int = 0
    hard_timeout_s: int = 0
    importance: int = 0
    flags: FlowFlags = FlowFlags.NONE
    modified_ns: int = field(default=0)
    used_ns: int = field(default=0)
    n_packets: int = 0
    n_bytes: int = 0
    removed: bool = False
