"""The megaflow table: one dictionary per mask (dpcls in lib/dpif-netdev.c).

Flows never contradict each other, so the first that matches is the answer. Masks that are hit
more often are tried earlier; the order only changes how long a search takes, never its result.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.datapath.program import Program
from vnet.ovs.dpif.actions import OdpActions
from vnet.ovs.dpif.dpif import DatapathFlow, FlowStats

RANK_EVERY_LOOKUPS = 10_000
"""How often the masks are put in order. OVS does so once a second of real time, which a
switch on a virtual clock has not got."""


class Megaflow:
    """An installed flow: what it matches, what it does, and what it has seen."""

    __slots__ = (
        "actions",
        "key",
        "mask",
        "n_bytes",
        "n_packets",
        "program",
        "tcp_flags",
        "used_ns",
    )

    def __init__(self, key: int, mask: int, actions: OdpActions, program: Program) -> None:
        self.key = key
        self.mask = mask
        self.actions = actions
        self.program = program
        self.n_packets = 0
        self.n_bytes = 0
        self.used_ns: int | None = None
        self.tcp_flags = 0

    def stats(self) -> FlowStats:
        """A copy of what the flow has seen."""
        return FlowStats(self.n_packets, self.n_bytes, self.used_ns, self.tcp_flags)

    def shown(self) -> DatapathFlow:
        """The flow as a dump shows it."""
        return DatapathFlow(self.key, self.mask, self.actions, self.stats())


class Subtable:
    """The flows of one mask, by masked key."""

    __slots__ = ("flows", "hits", "mask")

    def __init__(self, mask: int) -> None:
        self.mask = mask
        self.flows: dict[int, Megaflow] = {}
        self.hits = 0


class MegaflowTable:
    """All flows of a datapath, in the order of their installation."""

    __slots__ = ("_by_mask", "_flows", "_lookups", "_ranked")

    def __init__(self) -> None:
        self._by_mask: dict[int, Subtable] = {}
        self._ranked: list[Subtable] = []
        self._flows: dict[tuple[int, int], Megaflow] = {}
        self._lookups = 0

    def __len__(self) -> int:
        return len(self._flows)

    def __iter__(self) -> Iterator[Megaflow]:
        return iter(list(self._flows.values()))

    @property
    def n_masks(self) -> int:
        """How many different masks the flows have."""
        return len(self._by_mask)

    def lookup(self, key: int) -> Megaflow | None:
        """The flow that matches, or None."""
        for subtable in self._ranked:
            flow = subtable.flows.get(key & subtable.mask)
            if flow is not None:
                subtable.hits += 1
                return flow
        return None

    def get(self, key: int, mask: int) -> Megaflow | None:
        """The flow with exactly this key under exactly this mask."""
        return self._flows.get((key & mask, mask))

    def insert(self, flow: Megaflow) -> None:
        """Add a flow whose key and mask are not taken."""
        subtable = self._by_mask.get(flow.mask)
        if subtable is None:
            subtable = self._by_mask[flow.mask] = Subtable(flow.mask)
            self._ranked.append(subtable)
        masked = flow.key & flow.mask
        subtable.flows[masked] = flow
        self._flows[masked, flow.mask] = flow

    def remove(self, flow: Megaflow) -> None:
        """Take a flow out; its mask goes with its last flow."""
        masked = flow.key & flow.mask
        del self._flows[masked, flow.mask]
        subtable = self._by_mask[flow.mask]
        del subtable.flows[masked]
        if not subtable.flows:
            del self._by_mask[flow.mask]
            self._ranked.remove(subtable)

    def clear(self) -> None:
        """Forget every flow."""
        self._flows.clear()
        self._by_mask.clear()
        self._ranked.clear()
