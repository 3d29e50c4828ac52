"""A heap of rules whose keys change: what is out of date in it is passed over, not looked for."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from vnet.ovs.ofproto.rules.rule import Rule

Key = tuple[int, int]

_SPARE_ENTRIES = 64


class LazyHeap:
    """Rules by a key, the smallest first; of equal keys the one that was put first."""

    __slots__ = ("_current", "_entries", "_sequence")

    def __init__(self) -> None:
        self._current: dict[Rule, tuple[Key, int]] = {}
        self._entries: list[tuple[Key, int, Rule]] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._current)

    def __contains__(self, rule: Rule) -> bool:
        return rule in self._current

    def put(self, rule: Rule, key: Key) -> None:
        """Add a rule, or give it another key."""
        self._sequence += 1
        self._current[rule] = key, self._sequence
        heappush(self._entries, (key, self._sequence, rule))
        if len(self._entries) > 2 * len(self._current) + _SPARE_ENTRIES:
            self._entries = [(k, n, each) for each, (k, n) in self._current.items()]
            heapify(self._entries)

    def discard(self, rule: Rule) -> None:
        """Take a rule out, if it is in."""
        self._current.pop(rule, None)

    def first(self) -> tuple[Key, Rule] | None:
        """The smallest key and its rule, which stay."""
        entries = self._entries
        while entries:
            key, sequence, rule = entries[0]
            if self._current.get(rule) == (key, sequence):
                return key, rule
            heappop(entries)
        return None
