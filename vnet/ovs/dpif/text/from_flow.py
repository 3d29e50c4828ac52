"""From a flow to its row of attributes (``odp_flow_key_from_flow``, ``odp_flow_key_from_mask``).

Which attributes there are depends on the key alone; a mask has the same ones, with the mask's
bits in them. Only those that Open vSwitch lacks are left out where the mask has none of their bits.
"""

from __future__ import annotations

from vnet.ovs.dpif.text.attribute import Attribute
from vnet.ovs.dpif.text.kind import Kind
from vnet.ovs.dpif.text.kinds import (
    CT_LABEL,
    CT_MARK,
    CT_STATE,
    CT_TUPLE4,
    CT_TUPLE6,
    CT_ZONE,
    DP_HASH,
    ETHERNET,
    ETHERTYPE,
    EXTENSION_HEADERS,
    ICMPV6,
    IN_PORT,
    MARK,
    MPLS,
    ND,
    PACKET_TYPE,
    PBB,
    PRIORITY,
    RECIRC_ID,
    TCP,
    TCP_FLAGS_SET,
    TUNNEL,
    VLAN,
)
from vnet.ovs.dpif.text.shape import (
    ETH_TYPE_MIN,
    ETHERTYPE_EXACT,
    ICMP_EXACT,
    MPLS_BOTTOM,
    MPLS_TYPES,
    NETWORK_KINDS,
    VLAN_TYPES,
    VLANS,
    is_neighbor_discovery,
    transport_kind,
)
from vnet.ovs.flow.flow import N_VLANS, Bits, Flow
from vnet.ovs.flow.ports import ODPP_NONE
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP, ETH_TYPE_IPV6, PT_ETHERNET

_TUNNEL_ENDS = (
    Flow.tun_src.mask | Flow.tun_dst.mask | Flow.tun_ipv6_src.mask | Flow.tun_ipv6_dst.mask
)


def key_attributes(key: int, mask: int = 0, *, vlan_limit: int = N_VLANS) -> list[Attribute]:
    """The attributes of a flow; ``mask`` is looked at only for whether TCP flags matter."""
    return _Exporter(key, key, mask, vlan_limit, is_mask=False).attributes()


def mask_attributes(key: int, mask: int, *, vlan_limit: int = N_VLANS) -> list[Attribute]:
    """The attributes of a flow's mask."""
    return _Exporter(key, mask, mask, vlan_limit, is_mask=True).attributes()


class _Exporter:
    """One walk over a flow. ``data`` is what goes into the attributes: the key or the mask."""

    def __init__(self, key: int, data: int, mask: int, vlan_limit: int, *, is_mask: bool) -> None:
        self.key = key
        self.data = data
        self.mask = mask
        self.vlan_limit = vlan_limit
        self.is_mask = is_mask
        self.dl_type = Flow.dl_type.of(key)

    def attributes(self) -> list[Attribute]:
        """All of them."""
        return [*self._metadata(), *self._link_onward()]

    def _of(self, kind: Kind) -> Attribute:
        read = kind.read_masks if self.is_mask else kind.read
        return Attribute(kind, read(self.data))

    def _metadata(self) -> list[Attribute]:
        kinds: list[Kind] = [PRIORITY]
        if self.is_mask or self.key & _TUNNEL_ENDS:
            kinds.append(TUNNEL)
        kinds += (MARK, CT_STATE, CT_ZONE, CT_MARK, CT_LABEL)
        if Flow.ct_nw_proto.of(self.key):
            if self.dl_type == ETH_TYPE_IP:
                kinds.append(CT_TUPLE4)
            elif self.dl_type == ETH_TYPE_IPV6:
                kinds.append(CT_TUPLE6)
        kinds += (RECIRC_ID, DP_HASH)
        if self.is_mask or Flow.in_port.of(self.key) != ODPP_NONE:
            kinds.append(IN_PORT)
        kinds.append(PACKET_TYPE)
        return [self._of(kind) for kind in kinds]

    def _link_onward(self) -> list[Attribute]:
        if Flow.packet_type.of(self.key) != PT_ETHERNET:
            return self._ethertype_onward()
        return [self._of(ETHERNET), *self._tags_onward(0)]

    def _tags_onward(self, depth: int) -> list[Attribute]:
        """A tag, and within it what it tags. A tag that was cut off has a TCI of 0."""
        if depth >= min(self.vlan_limit, N_VLANS):
            return self._ethertype_onward()
        tpid_bits, tci_bits = VLANS[depth]
        is_cut = not tci_bits.of(self.key)
        if is_cut and self.dl_type not in VLAN_TYPES:
            return self._ethertype_onward()
        tpid = self.dl_type if is_cut else tpid_bits.of(self.key)
        inner = () if is_cut else tuple(self._tags_onward(depth + 1))
        return [
            Attribute(ETHERTYPE, (ETHERTYPE_EXACT if self.is_mask else tpid,)),
            Attribute(VLAN, (tci_bits.of(self.data),)),
            Attribute(None, inner=inner),
        ]

    def _ethertype_onward(self) -> list[Attribute]:
        if self.dl_type < ETH_TYPE_MIN:
            # A frame without a type has none in the key, and an exact one in the mask.
            return [Attribute(ETHERTYPE, (ETHERTYPE_EXACT,))] if self.is_mask else []
        ethertype = self._of(ETHERTYPE)
        if self.dl_type in VLAN_TYPES:
            return [ethertype]
        if self.dl_type in MPLS_TYPES:
            return [ethertype, self._labels()]
        network = NETWORK_KINDS.get(self.dl_type)
        if network is None:
            return [ethertype, *self._if_matched(PBB, Flow.pbb_tci)]
        extensions = self._if_matched(EXTENSION_HEADERS, Flow.ipv6_exthdr)
        return [ethertype, self._of(network), *extensions, *self._transport()]

    def _if_matched(self, kind: Kind, bits: Bits) -> list[Attribute]:
        return [self._of(kind)] if self.mask & bits.mask else []

    def _labels(self) -> Attribute:
        lses = MPLS.read(self.key)
        bottoms = [number for number, lse in enumerate(lses, start=1) if lse & MPLS_BOTTOM]
        n_labels = bottoms[0] if bottoms else sum(map(bool, lses))
        return Attribute(MPLS, MPLS.read(self.data)[:n_labels])

    def _transport(self) -> list[Attribute]:
        kind = transport_kind(Flow(self.key))
        if kind is None:
            return []
        attributes = [self._of(kind)]
        if kind is TCP and (self.data | self.mask) & Flow.tcp_flags.mask:
            attributes.append(self._of(TCP_FLAGS_SET))
        elif kind is ICMPV6 and is_neighbor_discovery(Flow(self.key)):
            types = Flow.tp_src.of(self.data), Flow.tp_dst.of(self.data)
            if not self.is_mask or types == ICMP_EXACT:
                attributes.append(self._of(ND))
        return attributes
