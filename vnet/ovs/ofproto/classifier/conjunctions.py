"""Conjunctive matches: flows that together say "one of these, and one of those" (ovs-fields(7)).

A flow with ``conjunction(ID,K/N)`` actions is a clause, a soft match: it counts only if the
packet matches all N clauses of some ID at the same priority. Then the packet is looked up
again, as if its ``conj_id`` field were that ID.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from vnet.ovs.ofproto.classifier.subtable import NO_PRIORITY
from vnet.ovs.ofproto.rules.rule import Rule


class SoftMatches:
    """The clauses that a flow matches, in the order in which a lookup met them.

    ``hard`` is the best rule that stands for itself.
    """

    __slots__ = ("_clauses", "hard")

    def __init__(self, clauses: Sequence[Rule], hard: Rule | None) -> None:
        self._clauses = clauses
        self.hard = hard

    def resolve(self) -> Iterator[int]:
        """The conjunctions that the flow matches, in the order in which to try them.

        When there are no more, ``hard`` is what matches if none of them led to a rule: the one
        given, or one that stood in the shadow of a clause with the same match.
        """
        shadows: list[Rule | None] = list(self._clauses)
        while clauses := self._unbeaten(shadows):
            top = max(clause.priority for clause in clauses)
            yield from _satisfied([c for c in clauses if c.priority == top])
            shadows = [self._lower(c) if c.priority == top else c for c in clauses]

    def _unbeaten(self, rules: list[Rule | None]) -> list[Rule]:
        """Those that outrank the hard match.

        The last takes the place of one that goes, as in Open vSwitch's array: the order decides
        which of two conjunctions wins.
        """
        floor = NO_PRIORITY if self.hard is None else self.hard.priority
        kept: list[Rule] = []
        rest = deque(rules)
        while rest:
            rule = rest.popleft()
            if rule is not None and rule.priority > floor:
                kept.append(rule)
            elif rest:
                rest.appendleft(rest.pop())
        return kept

    def _lower(self, clause: Rule) -> Rule | None:
        """The next clause with the same match; a rule in its place may be the hard match."""
        lower = clause.lower
        if lower is None or lower.conjunctions:
            return lower
        if self.hard is None or lower.priority > self.hard.priority:
            self.hard = lower
        return None


def _satisfied(clauses: Sequence[Rule]) -> Iterator[int]:
    """The conjunctions of which all clauses are there."""
    missing: dict[int, int] = {}
    for rule in clauses:
        for conjunction in rule.conjunctions:
            if conjunction.n_clauses > len(clauses):
                continue
            conj_id = conjunction.conj_id
            bits = missing.get(conj_id, (1 << conjunction.n_clauses) - 1)
            missing[conj_id] = bits = bits & ~(1 << conjunction.clause)
            if not bits:
                yield conj_id
                break
