"""A flow in a table: what it matches, what it does, how long it stays, and what it has seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from vnet.ovs.flow.match import Match
from vnet.ovs.ofproto.rules.action_queries import NO_REFERENCES, References
from vnet.ovs.openflow.messages import FlowFlags
from vnet.ovs.openflow.ofpacts import Conjunction, Ofpacts

HIDDEN_PRIORITY = 0x10000
"""Rules of this priority and above are the switch's own: OpenFlow cannot name them."""


@dataclass(slots=True, eq=False)
class Rule:
    """A rule, compared by identity. Times are of the virtual clock; timeouts in whole seconds,
    0 for never. ``table_id``, ``priority`` and ``match`` never change; the rest may, since a
    modified flow stays the same rule.

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
    references: References = NO_REFERENCES
    """What ``actions`` refer to."""
    conjunctions: tuple[Conjunction, ...] = ()
    """The clauses that the rule is; such a rule decides nothing by itself."""
    lower: Rule | None = field(default=None, repr=False)
    """Within a classifier: the rule with the same match and the next lower priority."""

    @property
    def is_hidden(self) -> bool:
        """Whether OpenFlow neither shows nor changes it."""
        return self.priority >= HIDDEN_PRIORITY
