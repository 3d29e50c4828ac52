"""The exact-match cache: short keys of frames that were seen, and the roads they take.

Each port has a dictionary of its own from short keys to hits, which its receiver asks; here is
what they share: how many hits there may be, and which are forgotten when a flow changes. A hit
needs no proof that its flow still stands, for flows that go or change take their hits with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.ovs.datapath.edit.layout import Edit
from vnet.ovs.datapath.shapes import ShortKey
from vnet.sim.frame import Frame

if TYPE_CHECKING:
    from vnet.ovs.datapath.megaflow import Megaflow

CACHE_LIMIT = 8_192
"""How many frames' keys are remembered (EM_FLOW_HASH_ENTRIES)."""

_REPLACE_ONE_IN = 100
"""While the cache is full, how many new keys it takes to replace an old one. Open vSwitch too
takes in one of a hundred, so that many short-lived connections do not drive out the busy ones."""

Send = Callable[[Frame], None]

Hit = tuple["Megaflow", int, int, tuple[Edit, ...], tuple[Send, ...]]
"""The flow; the least length of a frame of this key; TCP's flags; edits and ports."""

Hits = dict[ShortKey, Hit]


class Cached:
    """An entry, for whoever has to take it out again."""

    __slots__ = ("flow", "hits", "place", "short_key")

    def __init__(self, flow: Megaflow, hits: Hits, short_key: ShortKey, place: int) -> None:
        self.flow = flow
        self.hits = hits
        self.short_key = short_key
        self.place = place


class ExactMatchCache:
    """What the ports' dictionaries hold together. A ``limit`` of 0 caches nothing."""

    __slots__ = ("_entries", "_hand", "_refused", "limit")

    def __init__(self, limit: int = CACHE_LIMIT) -> None:
        self.limit = limit
        self._entries: list[Cached] = []
        self._hand = 0
        self._refused = 0

    def __len__(self) -> int:
        return len(self._entries)

    def has_room(self) -> bool:
        """Whether the next key may come in."""
        if len(self._entries) < self.limit:
            return True
        self._refused += 1
        return self._refused % _REPLACE_ONE_IN == 0 and self.limit > 0

    def add(self, hits: Hits, short_key: ShortKey, hit: Hit) -> None:
        """Remember a hit; where there are too many, the next in turn is forgotten for it."""
        if len(self._entries) >= self.limit:
            self._hand = (self._hand + 1) % len(self._entries)
            self._remove(self._entries[self._hand])
        flow = hit[0]
        entry = Cached(flow, hits, short_key, len(self._entries))
        self._entries.append(entry)
        flow.cached[entry] = None
        hits[short_key] = hit

    def _remove(self, entry: Cached) -> None:
        del entry.hits[entry.short_key]
        del entry.flow.cached[entry]
        last = self._entries.pop()
        if last is not entry:
            last.place = entry.place
            self._entries[entry.place] = last

    def forget_flow(self, flow: Megaflow) -> None:
        """A flow goes, or does something else from now on."""
        for entry in list(flow.cached):
            self._remove(entry)

    def forget_port(self, hits: Hits) -> None:
        """A port goes, and its dictionary with it."""
        for entry in [entry for entry in self._entries if entry.hits is hits]:
            self._remove(entry)
