"""The classifier: which rule a packet matches, and which of its bits that took to find out.

Tuple space search: rules with the same mask are one dictionary, a lookup probes each of these
subtables, those with the highest priorities first, and stops when none that is left could
beat what was found (lib/classifier.h of Open vSwitch explains the design at length).

The bits that were looked at become a datapath flow's mask, so three methods keep them few. A
subtable is searched in stages (metadata, then Ethernet, IP, transport) and left at the first
that no rule agrees with. Prefixes of addresses are tracked in tries, which often show by a
few leading bits that no rule of a subtable can match. And if only the transport ports
differ, a trie of the subtable's ports tells which bits of them show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from vnet.ovs.flow.field import Field
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.ofproto.classifier.conjunctions import SoftMatches
from vnet.ovs.ofproto.classifier.prefix_trie import PrefixTrie
from vnet.ovs.ofproto.classifier.subtable import (
    NO_PRIORITY,
    PORTS_MASK,
    STAGE_MODULUS,
    Subtable,
    TrackedPrefix,
)
from vnet.ovs.ofproto.rules.rule import Rule

MAX_PREFIX_FIELDS = 3


class PrefixField(NamedTuple):
    """An address whose prefixes are tracked: its place, and whether a flow has it at all."""

    shift: int
    width: int
    applies_to: Callable[[Flow], bool]

    @property
    def mask(self) -> int:
        """Its bits in a flow."""
        return ((1 << self.width) - 1) << self.shift

    def of(self, key: int) -> int:
        """Its value."""
        return (key & self.mask) >> self.shift


def prefix_field(field: Field) -> PrefixField:
    """A field whose prefixes can be tracked (``Field.tracks_prefixes``)."""
    place = Flow()
    field.unwildcard(place)
    shift = (place.key & -place.key).bit_length() - 1
    return PrefixField(shift, field.n_bits, field.are_prereqs_ok)


DEFAULT_PREFIX_FIELDS = tuple(prefix_field(FIELDS[name]) for name in ("ip_dst", "ip_src"))

_Seen = list[tuple[int, int] | None]
"""What the tries said in one lookup: bits needed, and lengths that may match (-1: any)."""


class Classifier:
    """Rules of one table. No two may have the same match and priority."""

    __slots__ = ("_by_mask", "_fields", "_is_sorted", "_n_rules", "_subtables", "_tries")

    def __init__(self, prefix_fields: Sequence[PrefixField] = DEFAULT_PREFIX_FIELDS) -> None:
        self._by_mask: dict[int, Subtable] = {}
        self._subtables: list[Subtable] = []
        self._is_sorted = True
        self._n_rules = 0
        self._fields: tuple[PrefixField, ...] = ()
        self._tries: tuple[PrefixTrie, ...] = ()
        self.set_prefix_fields(prefix_fields)

    def __len__(self) -> int:
        return self._n_rules

    def __iter__(self) -> Iterator[Rule]:
        return self.matching(CATCHALL)

    # -- changing

    def set_prefix_fields(self, fields: Sequence[PrefixField]) -> None:
        """Track the prefixes of these addresses, at most :data:`MAX_PREFIX_FIELDS`."""
        self._fields = tuple(fields)[:MAX_PREFIX_FIELDS]
        self._tries = tuple(PrefixTrie(field.width) for field in self._fields)
        for subtable in self._subtables:
            self._track(subtable)
            for value in subtable.rules:
                self._insert_prefixes(subtable, value)

    def insert(self, rule: Rule) -> None:
        """Add a rule."""
        mask = rule.match.mask
        subtable = self._by_mask.get(mask)
        if subtable is None:
            subtable = self._by_mask[mask] = Subtable(mask)
            self._subtables.append(subtable)
            self._track(subtable)
        else:
            self._sort()
        # One mask for all of a subtable's rules, however many equal ones were made.
        match = rule.match
        if match.mask is not subtable.mask:
            rule.match = Match(match.value, subtable.mask, match.tun_options)
        was = subtable.max_priority
        if subtable.insert(rule):
            self._insert_prefixes(subtable, rule.match.value)
        if subtable.max_priority != was:
            self._is_sorted = False
        self._n_rules += 1

    def remove(self, rule: Rule) -> None:
        """Take a rule out, which must be there."""
        subtable = self._by_mask[rule.match.mask]
        self._sort()
        was = subtable.max_priority
        if subtable.remove(rule):
            for index, length in subtable.prefixes:
                self._tries[index].remove(self._fields[index].of(rule.match.value), length)
        if not subtable.order:
            del self._by_mask[subtable.mask]
            # The last takes the place of the one that goes, as in Open vSwitch's vector: among
            # subtables of one priority the order decides what a lookup gets to see.
            last = self._subtables.pop()
            if last is not subtable:
                self._subtables[self._subtables.index(subtable)] = last
                self._is_sorted = False
        elif subtable.max_priority != was:
            self._is_sorted = False
        self._n_rules -= 1

    def move_to_end(self, rule: Rule) -> None:
        """A rule was changed: it is listed as the last of its subtable from now on."""
        order = self._by_mask[rule.match.mask].order
        del order[rule]
        order[rule] = None

    # -- finding rules by what they match

    def find(self, match: Match, priority: int) -> Rule | None:
        """The rule with exactly this match and priority."""
        subtable = self._by_mask.get(match.mask)
        return None if subtable is None else subtable.find(match, priority)

    def overlaps(self, match: Match, priority: int) -> bool:
        """Whether a packet could match both a rule of this priority and ``match``."""
        for subtable in self._sorted():
            if subtable.max_priority < priority:
                break
            common = match.mask & subtable.mask
            value = match.value & common
            for rule in subtable.order:
                if rule.priority == priority and rule.match.value & common == value:
                    return True
        return False

    def matching(self, match: Match) -> Iterator[Rule]:
        """The rules that match nothing but what ``match`` does, in the order of dumps."""
        value, mask = match.value, match.mask
        for subtable in self._sorted():
            if mask & ~subtable.mask == 0:
                for rule in subtable.order:
                    if rule.match.value & mask == value:
                        yield rule

    # -- looking up

    def lookup(self, flow: Flow, wc: Flow | None) -> Rule | None:
        """The rule of the highest priority that a flow matches.

        Whatever bits of the flow had a part in that become 1 in ``wc``.
        """
        clauses: list[Rule] = []
        hard = self._search(flow.key, wc, clauses)
        if not clauses:
            return hard
        soft = SoftMatches(clauses, hard)
        for conj_id in soft.resolve():
            # The flow matches every clause of a conjunction: what matters is which rule it
            # matches by that conjunction's number.
            rule = self._search(Flow.conj_id.set(flow.key, conj_id), wc, None)
            if rule is not None:
                return rule
        return soft.hard

    def _search(self, key: int, wc: Flow | None, clauses: list[Rule] | None) -> Rule | None:
        """The best rule that stands for itself; ``clauses`` gets the clauses that match."""
        best: Rule | None = None
        best_priority = NO_PRIORITY
        seen: _Seen = [None] * len(self._tries)
        for subtable in self._sorted():
            if subtable.max_priority <= best_priority:
                break
            if wc is None:
                rule = subtable.rules.get(key & subtable.mask)
            else:
                rule = self._find_and_note(subtable, key, wc, seen)
            if rule is None or rule.priority <= best_priority:
                continue
            if not rule.conjunctions:
                best = rule
                best_priority = rule.priority
            elif clauses is not None:
                clauses.append(rule)
        return best

    def _find_and_note(self, subtable: Subtable, key: int, wc: Flow, seen: _Seen) -> Rule | None:
        """Search one subtable, and note in ``wc`` the bits that it took."""
        looked_at = 0
        for stage in subtable.stages:
            if stage.prefixes and self._is_ruled_out(stage.prefixes, key, wc, seen):
                wc.key |= looked_at
                return None
            looked_at = stage.mask
            if (key & looked_at) % STAGE_MODULUS not in stage.counts:
                wc.key |= looked_at
                return None
        prefixes = subtable.last_prefixes
        if prefixes and self._is_ruled_out(prefixes, key, wc, seen):
            wc.key |= looked_at
            return None
        rule = subtable.rules.get(key & subtable.mask)
        if rule is None:
            of_ports = subtable.seen_of_ports(key)
            if of_ports:
                # What else the last stage has was part of the same probe.
                wc.key |= subtable.mask & ~PORTS_MASK | of_ports
                return None
        wc.key |= subtable.mask
        return rule

    def _is_ruled_out(
        self, prefixes: Sequence[TrackedPrefix], key: int, wc: Flow, seen: _Seen
    ) -> bool:
        """Whether a trie shows that no rule of a subtable with these prefixes can match.

        It may not cost more bits than the subtable itself would, or none that are not known
        already.
        """
        for index, length in prefixes:
            answer = seen[index]
            if answer is None:
                answer = seen[index] = self._look_up_prefix(index, key)
            n_bits, lengths = answer
            if lengths >> length & 1:
                continue
            field = self._fields[index]
            mask = (((1 << n_bits) - 1) << (field.width - n_bits)) << field.shift
            if n_bits <= length:
                wc.key |= mask
                return True
            if wc.key & mask == mask:
                return True
        return False

    def _look_up_prefix(self, index: int, key: int) -> tuple[int, int]:
        field = self._fields[index]
        return self._tries[index].lookup(field.of(key)) if field.applies_to(Flow(key)) else (0, -1)

    # -- keeping subtables and tries

    def _sorted(self) -> list[Subtable]:
        self._sort()
        return self._subtables

    def _sort(self) -> None:
        """By priority; stable, so that equals stay in the order of their coming."""
        if not self._is_sorted:
            self._subtables.sort(key=_descending_priority)
            self._is_sorted = True

    def _track(self, subtable: Subtable) -> None:
        """Find out which tracked fields a subtable's mask has a prefix of."""
        found = []
        for index, field in enumerate(self._fields):
            length = _prefix_length(field.of(subtable.mask), field.width)
            if length:
                found.append((TrackedPrefix(index, length), field.mask))
        subtable.track(found)

    def _insert_prefixes(self, subtable: Subtable, value: int) -> None:
        for index, length in subtable.prefixes:
            self._tries[index].insert(self._fields[index].of(value), length)


def _descending_priority(subtable: Subtable) -> int:
    return -subtable.max_priority


def _prefix_length(mask: int, width: int) -> int:
    """How long a prefix mask is; 0 where it is none."""
    length = mask.bit_count()
    return length if mask == ((1 << length) - 1) << (width - length) else 0
