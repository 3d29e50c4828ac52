"""Whether actions may stand with a match, and what they must know of it."""

from __future__ import annotations

from operator import is_
from typing import NamedTuple

from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.ports import OFPP_MAX
from vnet.ovs.flow.protocols import P_ANY, P_OF10_ANY
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import TABLE_ALL, Ofpacts
from vnet.ovs.openflow.text.actions.registry import KINDS

_N_TABLES_UNKNOWN = 255


class CheckedActions(NamedTuple):
    """The actions, knowing what they need of the match, and the protocols that allow them."""

    actions: Ofpacts
    usable: int


def check_actions(
    actions: Ofpacts,
    match: Match,
    *,
    table_id: int = TABLE_ALL,
    max_ports: int = OFPP_MAX,
    n_tables: int = _N_TABLES_UNKNOWN,
) -> CheckedActions:
    """Check ``actions`` of a flow with ``match`` in ``table_id``, on a switch of at most
    ``max_ports`` ports and ``n_tables`` tables.

    Raises :class:`OpenFlowError`. Actions that do not go with the match, such as popping an MPLS
    label where none is matched, narrow the protocols to those that forgive it.
    """
    checker = _Checker(match, table_id, max_ports, n_tables)
    checked = checker.nested(actions)
    return CheckedActions(checked, checker.usable)


def check_consistency(
    actions: Ofpacts,
    match: Match,
    needed: int,
    *,
    table_id: int = TABLE_ALL,
    max_ports: int = OFPP_MAX,
    n_tables: int = _N_TABLES_UNKNOWN,
) -> Ofpacts:
    """As :func:`check_actions`; but what one of the protocols ``needed`` does not allow raises
    OFPBAC_MATCH_INCONSISTENT. This is how a switch checks what it receives.
    """
    checked = check_actions(
        actions, match, table_id=table_id, max_ports=max_ports, n_tables=n_tables
    )
    if needed & ~checked.usable:
        raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
    return checked.actions


class _Checker:
    """One checking; see :class:`~vnet.ovs.openflow.text.actions.kind.Checker`."""

    def __init__(self, match: Match, table_id: int, max_ports: int, n_tables: int) -> None:
        self.flow = Flow(match.value)
        self.mask = Flow(match.mask)
        self.usable = P_ANY
        self.table_id = table_id
        self.max_ports = max_ports
        self.n_tables = n_tables

    def inconsistent(self) -> None:
        self.usable &= P_OF10_ANY

    def nested(self, actions: Ofpacts) -> Ofpacts:
        before = self.flow.key
        checked = [KINDS[type(action)].check(action, self) for action in actions]
        self.flow.key = before
        # Flows that do the same share one list, unless they have to know of their matches.
        return actions if all(map(is_, checked, actions)) else tuple(checked)

    def action_set(self, actions: Ofpacts) -> Ofpacts:
        usable = self.usable
        checked = self.nested(actions)
        self.usable = usable
        return checked
