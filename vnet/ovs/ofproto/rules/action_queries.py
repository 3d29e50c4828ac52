"""What a bridge asks of a list of actions: where it outputs to, and what else it refers to."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.record import record
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OfpPort
from vnet.ovs.openflow.ofpacts import (
    Clone,
    Conjunction,
    Controller,
    Ct,
    Enqueue,
    Group,
    Learn,
    Meter,
    Ofpact,
    Ofpacts,
    Output,
    WriteActions,
)


@record(frozen=True, slots=True)
class References:
    """What a flow's actions refer to.

    ``governing_meter`` is a meter that stands before all else: with it the flow goes.
    ``conjunctions`` are the clauses that the flow is; one that acts by itself is none.
    ``deleting_learns`` are the ``learn`` actions whose flows go when the last flow with such an
    action does.
    """

    groups: tuple[int, ...] = ()
    meters: tuple[int, ...] = ()
    governing_meter: int | None = None
    conjunctions: tuple[Conjunction, ...] = ()
    deleting_learns: tuple[Learn, ...] = ()


NO_REFERENCES = References()

_NESTING = (Clone, Ct, WriteActions)
_REFERRING: frozenset[type[Ofpact]] = frozenset((*_NESTING, Group, Meter, Conjunction, Learn))


def references_of(actions: Ofpacts) -> References:
    """What actions refer to; most refer to nothing, and share one answer."""
    if _REFERRING.isdisjoint(map(type, actions)):
        return NO_REFERENCES
    every = list(flattened(actions))
    first = actions[0]
    return References(
        tuple(action.group_id for action in every if isinstance(action, Group)),
        tuple(action.meter_id for action in every if isinstance(action, Meter)),
        first.meter_id if isinstance(first, Meter) else None,
        tuple(action for action in actions if isinstance(action, Conjunction)),
        tuple(a for a in actions if isinstance(a, Learn) and a.delete_learned),
    )


def flattened(actions: Ofpacts) -> Iterator[Ofpact]:
    """Every action, and those within ``clone``, ``ct`` and ``write_actions``."""
    for action in actions:
        yield action
        if isinstance(action, _NESTING):
            yield from flattened(action.actions)


def outputs_to(actions: Ofpacts, port: OfpPort) -> bool:
    """Whether they output to this very port; by ``flood`` or ``all`` does not count."""
    for action in flattened(actions):
        if isinstance(action, Output | Enqueue):
            if action.port == port:
                return True
        elif isinstance(action, Controller) and port == OFPP_CONTROLLER:
            return True
    return False
