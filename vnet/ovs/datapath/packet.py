"""A packet under way through a datapath's actions: bytes, and the metadata that rides along."""

from __future__ import annotations

from vnet.ovs.datapath.edit.layout import Layout
from vnet.ovs.flow.extract import layers
from vnet.ovs.flow.flow import MEMBERS, Flow
from vnet.sim.frame import Frame, Meta
from vnet.tables.conntrack.packet import CtMeta

METADATA_MASK = sum(
    bits.mask
    for bits in (
        *(Flow.in_port, Flow.recirc_id, Flow.packet_type),
        *(Flow.skb_priority, Flow.pkt_mark, Flow.dp_hash),
        *(bits for bits in MEMBERS if bits.name.startswith("tun_")),
    )
)
"""The bits of a flow that ride beside the frame, but for the connection's."""

IN_PORT = Flow.in_port
RECIRC_ID = Flow.recirc_id
DP_HASH = Flow.dp_hash
PACKET_TYPE = Flow.packet_type

PT_ETHERNET = 0
PT_ETHERTYPE = 1 << 16
"""Namespace 1: the lower half is an EtherType."""


class Packet:
    """What actions work on. ``metadata`` has the bits of :data:`METADATA_MASK`, in place.

    ``connection`` is what the connection tracker said of it. ``cut_bytes`` is how much the next
    output leaves off the end; ``depth`` counts recirculations. ``original`` is what came in, by
    which the hash for load balancing goes, whatever was rewritten since. ``mru_bytes`` is the
    largest fragment it was put together from.
    """

    __slots__ = (
        "_layout",
        "_padding_bytes",
        "connection",
        "cut_bytes",
        "data",
        "depth",
        "meta",
        "metadata",
        "mru_bytes",
        "original",
        "vlan_limit",
    )

    def __init__(
        self, data: bytes, meta: Meta | None, metadata: int, vlan_limit: int, mru_bytes: int = 0
    ) -> None:
        self.data = data
        self.meta = meta
        self.metadata = metadata
        self.vlan_limit = vlan_limit
        self.mru_bytes = mru_bytes
        self.original = data
        self.connection: CtMeta | None = None
        self.depth = 0
        self.cut_bytes = 0
        self._layout: Layout | None = None
        self._padding_bytes = 0

    @property
    def packet_type(self) -> int:
        """0 where the packet starts with an Ethernet header."""
        return PACKET_TYPE.of(self.metadata)

    @property
    def layout(self) -> Layout:
        """Where the layers were when the packet was looked up, shifted by what was pushed and
        popped since then."""
        if self._layout is None:
            self._parse()
        assert self._layout is not None
        return self._layout

    @layout.setter
    def layout(self, layout: Layout) -> None:
        self._layout = layout

    @property
    def padding_bytes(self) -> int:
        """How much is behind the end of the IP packet."""
        if self._layout is None:
            self._parse()
        return self._padding_bytes

    def _parse(self) -> None:
        packet_type = self.packet_type
        found = layers(self.data, packet_type=packet_type, vlan_limit=self.vlan_limit)
        self._layout = Layout(found.l2_5, found.l3, found.l4, packet_type == PT_ETHERNET)
        self._padding_bytes = len(self.data) - found.end

    def replace_layers(self, layout: Layout | None) -> None:
        """There is another packet now, without padding; None to find its layers anew."""
        self._layout = layout
        self._padding_bytes = 0

    def fill_up(self, n_bytes: int) -> None:
        """Put zeros behind the packet, if it is shorter."""
        missing = n_bytes - len(self.data)
        if missing > 0:
            self._padding_bytes = self.padding_bytes + missing
            self.data += bytes(missing)

    def become(self, data: bytes, metadata: int) -> None:
        """Be another packet from now on, with this metadata and nothing else that rides along.

        The hash that it got as it came in stays.
        """
        self.data = data
        self.metadata = metadata
        self.connection = None
        self.replace_layers(None)

    def copy(self) -> Packet:
        """A packet of its own, whole."""
        twin = Packet(self.data, self.meta, self.metadata, self.vlan_limit, self.mru_bytes)
        twin.original = self.original
        twin.depth = self.depth
        twin._layout = self._layout
        twin._padding_bytes = self._padding_bytes
        if self.connection is not None:
            twin.connection = self.connection.copy()
        return twin

    def sent(self) -> Frame:
        """The frame as an output sends it; what was to be cut is cut, once."""
        data = self.data
        if self.cut_bytes:
            data = data[: len(data) - self.cut_bytes]
            self.cut_bytes = 0
        return Frame(data, self.meta)
