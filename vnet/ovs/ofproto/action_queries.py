"""What a bridge asks of a list of actions: where it outputs to, and what else it refers to."""

from __future__ import annotations

from collections.abc import Iterator

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

_NESTING: frozenset[type[Ofpact]] = frozenset((Clone, Ct, WriteActions))


def _may_hold(actions: Ofpacts, kind: type[Ofpact]) -> bool:
    """Whether there can be an action of a kind, even within others: most flows have none."""
    kinds = set(map(type, actions))
    return kind in kinds or not _NESTING.isdisjoint(kinds)


def flattened(actions: Ofpacts) -> Iterator[Ofpact]:
    """Every action, and those within ``clone``, ``ct`` and ``write_actions``."""
    for action in actions:
        yield action
        if isinstance(action, Clone | Ct | WriteActions):
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


def groups_of(actions: Ofpacts) -> list[int]:
    """The groups that they output to."""
    if not _may_hold(actions, Group):
        return []
    return [action.group_id for action in flattened(actions) if isinstance(action, Group)]


def meters_of(actions: Ofpacts) -> list[int]:
    """The meters that they send packets through."""
    if not _may_hold(actions, Meter):
        return []
    return [action.meter_id for action in flattened(actions) if isinstance(action, Meter)]


def governing_meter(actions: Ofpacts) -> int | None:
    """The meter that a flow goes with: one that stands before all else. With it the flow goes."""
    first = actions[0] if actions else None
    return first.meter_id if isinstance(first, Meter) else None


def conjunctions_of(actions: Ofpacts) -> tuple[Conjunction, ...]:
    """The clauses that a flow with these actions is; none for a flow that acts by itself."""
    return tuple(action for action in actions if isinstance(action, Conjunction))


def learns_to_delete(actions: Ofpacts) -> list[Learn]:
    """The ``learn`` actions whose flows go when the last flow with such an action does."""
    return [a for a in actions if isinstance(a, Learn) and a.delete_learned]
