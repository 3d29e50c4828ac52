"""The rules of a classifier that have one mask: a dictionary, and what staged lookup needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from vnet.ovs.flow.flow import STAGE_MASKS, Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.ofproto.classifier.prefix_trie import PrefixTrie
from vnet.ovs.ofproto.rules.rule import Rule

NO_PRIORITY = -1
"""Lower than any rule's."""

PORTS_MASK = Flow.tp_src.mask | Flow.tp_dst.mask
_PORTS_SHIFT = min(Flow.tp_src.shift, Flow.tp_dst.shift)
_PORTS_BITS = 32


class TrackedPrefix(NamedTuple):
    """That the mask has a prefix of ``length`` bits in field ``field_index`` of those tracked."""

    field_index: int
    length: int


STAGE_MODULUS = (1 << 30) - 35
"""A prime, by which values are told apart. Python's own hash takes the remainder by a power of
two less one, for which bits that are multiples of 61 apart cancel out."""


class StageIndex:
    """A stage before the last: how many matches have each value of the fields so far.

    ``mask`` covers this stage and those before it, ``prefixes`` the tracked fields of this one.
    Values are counted by their remainder, which takes a tenth of the room. Where two share one,
    a lookup goes a stage further than it need.
    """

    __slots__ = ("counts", "mask", "prefixes")

    def __init__(self, mask: int) -> None:
        self.mask = mask
        self.counts: dict[int, int] = {}
        self.prefixes: tuple[TrackedPrefix, ...] = ()

    def count(self, value: int, change: int) -> None:
        """A match came (1) or went (-1)."""
        part = (value & self.mask) % STAGE_MODULUS
        n = self.counts.get(part, 0) + change
        if n:
            self.counts[part] = n
        else:
            del self.counts[part]


class Subtable:
    """The rules with one mask.

    ``rules`` has, for each value, the rule of the highest priority; others with that very
    match hang below it by ``Rule.lower``. ``order`` has all of them, as they came. ``prefixes`` are
    those that are tracked, and ``last_prefixes`` those of them that are in the last stage.
    """

    __slots__ = (
        "_n_by_priority",
        "last_prefixes",
        "mask",
        "max_priority",
        "order",
        "ports_length",
        "ports_mask",
        "ports_trie",
        "prefixes",
        "rules",
        "stages",
    )

    def __init__(self, mask: int) -> None:
        self.mask = mask
        self.rules: dict[int, Rule] = {}
        self.order: dict[Rule, None] = {}
        self.max_priority = NO_PRIORITY
        self._n_by_priority: dict[int, int] = {}
        parts = list(dict.fromkeys(m for stage in STAGE_MASKS if (m := mask & stage)))
        self.stages = tuple(StageIndex(part) for part in parts[:-1])
        self.prefixes: tuple[TrackedPrefix, ...] = ()
        self.last_prefixes: tuple[TrackedPrefix, ...] = ()
        self.ports_mask = mask & PORTS_MASK
        ports = self.ports_mask >> _PORTS_SHIFT
        self.ports_length = _PORTS_BITS + 1 - (ports & -ports).bit_length() if ports else 0
        self.ports_trie = PrefixTrie(_PORTS_BITS) if ports else None

    def insert(self, rule: Rule) -> bool:
        """Add a rule, which must be no duplicate; True if no other has its match."""
        value, priority = rule.match.value, rule.priority
        self.order[rule] = None
        self._n_by_priority[priority] = self._n_by_priority.get(priority, 0) + 1
        if priority > self.max_priority:
            self.max_priority = priority
        head = self.rules.get(value)
        if head is None:
            self.rules[value] = rule
            self._count(value, 1)
            return True
        if head.priority < priority:
            self.rules[value], rule.lower = rule, head
            return False
        while head.lower is not None and head.lower.priority > priority:
            head = head.lower
        rule.lower, head.lower = head.lower, rule
        return False

    def remove(self, rule: Rule) -> bool:
        """Take a rule out, which must be there; True if no other has its match."""
        value, priority = rule.match.value, rule.priority
        del self.order[rule]
        self._n_by_priority[priority] -= 1
        if not self._n_by_priority[priority]:
            del self._n_by_priority[priority]
            if priority == self.max_priority:
                self.max_priority = max(self._n_by_priority, default=NO_PRIORITY)
        above = self.rules[value]
        lower, rule.lower = rule.lower, None
        if above is not rule:
            while above.lower is not rule:
                assert above.lower is not None
                above = above.lower
            above.lower = lower
            return False
        if lower is not None:
            self.rules[value] = lower
            return False
        del self.rules[value]
        self._count(value, -1)
        return True

    def _count(self, value: int, change: int) -> None:
        """A match came (1) or went (-1)."""
        for stage in self.stages:
            stage.count(value, change)
        trie = self.ports_trie
        if trie is not None:
            (trie.insert if change > 0 else trie.remove)(_ports(value), self.ports_length)

    def find(self, match: Match, priority: int) -> Rule | None:
        """The rule with this very match and priority."""
        rule = self.rules.get(match.value)
        while rule is not None and rule.priority > priority:
            rule = rule.lower
        return rule if rule is not None and rule.priority == priority else None

    def seen_of_ports(self, key: int) -> int:
        """The bits that show why the ports of ``key`` are those of no rule; 0 if they are."""
        trie = self.ports_trie
        if trie is None:
            return 0
        n_bits, lengths = trie.lookup(_ports(key & self.ports_mask))
        if lengths:
            return 0
        ones = ((1 << n_bits) - 1) << (_PORTS_BITS - n_bits)
        return self.ports_mask & (ones << _PORTS_SHIFT)

    def track(self, prefixes: Iterable[tuple[TrackedPrefix, int]]) -> None:
        """Set the tracked prefixes, each with the mask of its field."""
        wanted = list(prefixes)
        self.prefixes = tuple(prefix for prefix, _ in wanted)
        before = 0
        for stage in self.stages:
            stage.prefixes = tuple(p for p, mask in wanted if mask & stage.mask & ~before)
            before = stage.mask
        self.last_prefixes = tuple(p for p, mask in wanted if mask & self.mask & ~before)


def _ports(key: int) -> int:
    return (key >> _PORTS_SHIFT) & 0xFFFF_FFFF
