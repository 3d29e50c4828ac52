"""A packet under way through a datapath's actions: bytes, and the metadata that rides along."""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.flow.extract import layers
from vnet.ovs.flow.flow import MEMBERS, Flow
from vnet.sim.frame import Frame, Meta

_CONNECTION_MEMBERS = (
    *(Flow.ct_state, Flow.ct_zone, Flow.ct_mark, Flow.ct_label, Flow.ct_nw_proto),
    *(Flow.ct_nw_src, Flow.ct_nw_dst, Flow.ct_ipv6_src, Flow.ct_ipv6_dst),
    *(Flow.ct_tp_src, Flow.ct_tp_dst),
)
_METADATA_MEMBERS = (
    *(Flow.in_port, Flow.recirc_id, Flow.packet_type),
    *(Flow.skb_priority, Flow.pkt_mark, Flow.dp_hash),
    *_CONNECTION_MEMBERS,
    *(bits for bits in MEMBERS if bits.name.startswith("tun_")),
)

METADATA_MASK = sum(bits.mask for bits in _METADATA_MEMBERS)
"""The bits of a flow that are not read from the frame but carried beside it."""

RECIRC_ID = Flow.recirc_id
PACKET_TYPE = Flow.packet_type


class Layout(NamedTuple):
    """Where the layers of a packet start, in bytes; None where there is no such layer."""

    l2_5: int | None
    l3: int | None
    l4: int | None


class Packet:
    """What actions work on. ``metadata`` has the bits of :data:`METADATA_MASK`, in place.

    ``cut_bytes`` is how much the next output leaves off the end; ``depth`` counts the
    recirculations; ``mru_bytes`` is the largest fragment the packet was put together from.
    """

    __slots__ = ("_layout", "cut_bytes", "data", "depth", "meta", "metadata", "mru_bytes")

    def __init__(
        self,
        data: bytes,
        meta: Meta | None,
        metadata: int,
        depth: int = 0,
        mru_bytes: int = 0,
    ) -> None:
        self.data = data
        self.meta = meta
        self.metadata = metadata
        self.depth = depth
        self.mru_bytes = mru_bytes
        self.cut_bytes = 0
        self._layout: Layout | None = None

    @property
    def packet_type(self) -> int:
        """0 where the packet starts with an Ethernet header."""
        return PACKET_TYPE.of(self.metadata)

    def layout(self, vlan_limit: int) -> Layout:
        """Where the layers are, as parsed when the packet was last looked up, and since then
        shifted by what was pushed and popped."""
        if self._layout is None:
            found = layers(self.data, packet_type=self.packet_type, vlan_limit=vlan_limit)
            self._layout = Layout(found.l2_5, found.l3, found.l4)
        return self._layout

    def copy(self) -> Packet:
        """A packet of its own, whole."""
        twin = Packet(self.data, self.meta, self.metadata, self.depth, self.mru_bytes)
        twin._layout = self._layout
        return twin

    def sent(self) -> Frame:
        """The frame as an output sends it; what was to be cut is cut, once."""
        data = self.data
        if self.cut_bytes:
            data = data[: len(data) - self.cut_bytes]
            self.cut_bytes = 0
        return Frame(data, self.meta)
