"""The exact-match cache: short keys of frames that were seen, and the roads they take.

Each port has dictionaries of its own from short keys to what is known, which its receiver asks;
here is what they share: how many entries there may be, and which are forgotten when a flow
changes. A hit needs no proof that its flow still stands, for flows that go or change take their
entries with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from vnet.ovs.datapath.shapes import ShortKey
from vnet.ovs.flow.ports import OdpPort

Known = TypeVar("Known")

if TYPE_CHECKING:
    from vnet.ovs.datapath.megaflow import Megaflow
    from vnet.ovs.datapath.road import Road

CACHE_LIMIT = 16_384
"""How many frames' keys are remembered. Open vSwitch has room for half of them, by the size of a
processor's cache; what is in the cache shows in nothing but speed."""

_REPLACE_ONE_IN = 100
"""While the cache is full, how many new keys it takes to replace an old one. Open vSwitch too
takes in one of a hundred, so that many short-lived connections do not drive out the busy ones."""


class Hit:
    """What the cache knows of a frame: its flow, TCP's flags, and its road.

    ``shortest`` is how long a frame must be for the same, 0 where the key is proof enough.
    """

    __slots__ = ("flow", "road", "shortest", "tcp_flags")

    def __init__(self, flow: Megaflow, tcp_flags: int, road: Road) -> None:
        self.flow = flow
        self.tcp_flags = tcp_flags
        self.road = road
        self.shortest = 0


Hits = dict[ShortKey, Hit]
PlainFlows = dict[ShortKey, "Megaflow"]
"""Plain UDP frames need no more than their flow."""


class Cached:
    """An entry, for whoever has to take it out again."""

    __slots__ = ("flow", "known", "place", "short_key")

    def __init__(
        self, flow: Megaflow, known: dict[ShortKey, Any], short_key: ShortKey, place: int
    ) -> None:
        self.flow = flow
        self.known = known
        self.short_key = short_key
        self.place = place


class ExactMatchCache:
    """What the ports' dictionaries hold together. A ``limit`` of 0 caches nothing."""

    __slots__ = ("_entries", "_hand", "_parts", "_refused", "limit")

    def __init__(self, limit: int = CACHE_LIMIT) -> None:
        self.limit = limit
        self._entries: list[Cached] = []
        self._parts: dict[object, object] = {}
        self._hand = 0
        self._refused = 0

    def __len__(self) -> int:
        return len(self._entries)

    def has_room(self) -> bool:
        """Whether the next key may come in."""
        if len(self._entries) < self.limit:
            return True
        self._refused += 1
        return self._refused % _REPLACE_ONE_IN == 0

    def add(
        self, known: dict[ShortKey, Known], short_key: ShortKey, flow: Megaflow, value: Known
    ) -> None:
        """Remember a frame of a flow; where there are too many, the next in turn is forgotten."""
        if len(self._entries) >= self.limit:
            self._hand = (self._hand + 1) % len(self._entries)
            oldest = self._entries[self._hand]
            oldest.flow.cached.remove(oldest)
            self._remove(oldest)
        short_key = self._shared(short_key)
        entry = Cached(flow, known, short_key, len(self._entries))
        self._entries.append(entry)
        flow.cached.append(entry)
        known[short_key] = value

    def _shared(self, short_key: ShortKey) -> ShortKey:
        """The same key, of parts that equal parts of other keys are the very same as. A probe reads
        all parts of a key that it finds; what flows have in common then stays in the processor's
        caches, where there are many flows."""
        parts = self._parts
        if len(parts) > self.limit:
            parts.clear()
        return tuple([parts.setdefault(part, part) for part in short_key])

    def _remove(self, entry: Cached) -> None:
        del entry.known[entry.short_key]
        last = self._entries.pop()
        if last is not entry:
            last.place = entry.place
            self._entries[entry.place] = last

    def forget_flow(self, flow: Megaflow) -> None:
        """A flow goes, or does something else from now on."""
        entries, flow.cached = flow.cached, []
        for entry in entries:
            self._remove(entry)

    def forget_port(self, in_port: OdpPort) -> None:
        """A port goes, and its dictionaries with it."""
        for flow in {entry.flow: None for entry in self._entries if entry.flow.in_port == in_port}:
            self.forget_flow(flow)
