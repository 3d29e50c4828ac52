"""The megaflow table: one dictionary per mask (dpcls in lib/dpif-netdev.c).

Flows never contradict each other, so the first that matches is the answer. Masks that are hit
more often are tried earlier; the order only changes how long a search takes, never its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from vnet.ovs.datapath.cache import Cached
from vnet.ovs.datapath.edit.layout import PLAIN_IPV4, Layout
from vnet.ovs.datapath.program import Program
from vnet.ovs.datapath.road import Road, has_tag, reach_of
from vnet.ovs.dpif.actions import OdpActions, TnlPop
from vnet.ovs.dpif.dpif import DatapathFlow, FlowStats
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort

_RANK_AFTER_HITS = 1_000
"""When a mask has been hit that often since the masks were last put in order, they are again.
Open vSwitch does so once a second, in which nothing or everything may happen on a virtual clock."""


class Roads(Protocol):
    """Whoever makes roads, and keeps them."""

    def road(self, actions: OdpActions, layout: Layout, is_tagged: bool) -> Road | None:
        """The straight road of some actions, if there is one."""

    def winding_road(self, flow: Megaflow, layout: Layout | None) -> Road:
        """The road of a flow for frames that have none that is straight; None for ``layout`` if
        there is padding behind the IP packet."""


class Megaflow:
    """An installed flow: what it matches, what it does, and what it has seen.

    ``in_port`` is always matched exactly. ``plain_road`` is its road for untagged IPv4 packets
    without options, and for others as far as ``reach`` tells. ``is_straight`` says that this road
    needs nothing of a packet but its bytes.
    ``cached`` are its entries in the exact-match cache.
    """

    __slots__ = (
        "actions",
        "cached",
        "in_port",
        "is_straight",
        "key",
        "mask",
        "n_bytes",
        "n_packets",
        "plain_road",
        "program",
        "reach",
        "tcp_flags",
        "ufid",
        "used_ns",
    )

    def __init__(self, key: int, mask: int) -> None:
        self.key = key
        self.mask = mask
        self.in_port = OdpPort(Flow.in_port.of(key))
        self.n_packets = 0
        self.n_bytes = 0
        self.used_ns: int | None = None
        self.tcp_flags = 0
        self.ufid: str | None = None
        self.cached: list[Cached] = []

    def act(self, actions: OdpActions, program: Program, roads: Roads) -> None:
        """Do this from now on; ``program`` is what ``actions`` were compiled to."""
        self.actions = actions
        self.program = program
        self.reach = reach_of(actions)
        straight = self.road(roads, PLAIN_IPV4)
        # How deep a packet in tunnels is, only the program counts.
        self.is_straight = straight is not None and not isinstance(actions[0], TnlPop)
        self.plain_road = straight or roads.winding_road(self, PLAIN_IPV4)

    def road(self, roads: Roads, layout: Layout) -> Road | None:
        """The straight road for frames of a layout, or None if the program must be run."""
        return roads.road(self.actions, layout, self.is_tagged)

    @property
    def is_tagged(self) -> bool:
        """Whether all frames that it matches have a VLAN tag."""
        return has_tag(self.key, self.mask)

    def stats(self) -> FlowStats:
        """A copy of what the flow has seen."""
        return FlowStats(self.n_packets, self.n_bytes, self.used_ns, self.tcp_flags)

    def shown(self) -> DatapathFlow:
        """The flow as a dump shows it."""
        return DatapathFlow(self.key, self.mask, self.actions, self.stats(), self.ufid)


class _Subtable:
    """The flows of one mask, by masked key."""

    __slots__ = ("flows", "hits")

    def __init__(self) -> None:
        self.flows: dict[int, Megaflow] = {}
        self.hits = 0


class MegaflowTable:
    """All flows of a datapath, in the order of their installation."""

    __slots__ = ("_by_mask", "_flows", "_ranked")

    def __init__(self) -> None:
        self._by_mask: dict[int, _Subtable] = {}
        self._ranked: list[tuple[int, Callable[[int], Megaflow | None], _Subtable]] = []
        self._flows: dict[tuple[int, int], Megaflow] = {}

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
        for mask, find, subtable in self._ranked:
            flow = find(key & mask)
            if flow is not None:
                subtable.hits = hits = subtable.hits + 1
                if hits == _RANK_AFTER_HITS:
                    self._rank()
                return flow
        return None

    def _rank(self) -> None:
        # A new list: somebody may be on the way through the old one.
        self._ranked = sorted(self._ranked, key=lambda ranked: -ranked[2].hits)
        for _mask, _find, subtable in self._ranked:
            subtable.hits = 0

    def get(self, key: int, mask: int) -> Megaflow | None:
        """The flow with this key under exactly this mask."""
        return self._flows.get((key & mask, mask))

    def insert(self, flow: Megaflow) -> None:
        """Add a flow whose key and mask are not taken."""
        subtable = self._by_mask.get(flow.mask)
        if subtable is None:
            subtable = self._by_mask[flow.mask] = _Subtable()
            self._ranked.append((flow.mask, subtable.flows.get, subtable))
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
            self._ranked = [ranked for ranked in self._ranked if ranked[2] is not subtable]
