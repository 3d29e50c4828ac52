"""From a flow to its row of attributes (``odp_flow_key_from_flow``, ``odp_flow_key_from_mask``).

Which attributes there are depends on the key alone; a mask has the same ones, with the mask's
bits in them.
"""

from __future__ import annotations

from vnet.ovs.dpif.text.attribute import Attribute
from vnet.ovs.dpif.text.kind import Kind
from vnet.ovs.dpif.text.kinds import (
    ARP,
    CT_LABEL,
    CT_MARK,
    CT_STATE,
    CT_TUPLE4,
    CT_TUPLE6,
    CT_ZONE,
    DP_HASH,
    ETHERNET,
    ETHERTYPE,
    ICMP,
    ICMPV6,
    IN_PORT,
    IPV4_HEADER,
    IPV6_HEADER,
    MARK,
    MPLS,
    ND,
    NSH,
    PACKET_TYPE,
    PRIORITY,
    RECIRC_ID,
    SCTP,
    TCP,
    TCP_FLAGS_SET,
    TUNNEL,
    UDP,
    VLAN,
)
from vnet.ovs.flow.flow import FRAG_LATER, N_VLANS, Flow
from vnet.ovs.flow.ports import ODPP_NONE
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_NSH,
    ETH_TYPE_RARP,
    ETH_TYPE_VLAN_8021AD,
    ETH_TYPE_VLAN_8021Q,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
    PT_ETHERNET,
)

_ETH_TYPE_MIN = 0x600
_ETHERTYPE_EXACT = 0xFFFF
_VLAN_TYPES = frozenset((ETH_TYPE_VLAN_8021Q, ETH_TYPE_VLAN_8021AD))
_IP_TYPES = frozenset((ETH_TYPE_IP, ETH_TYPE_IPV6))
_MPLS_BOTTOM = 0x100
_ICMP_EXACT = (0xFF, 0xFF)

_TUNNEL_ENDS = (
    Flow.tun_src.mask | Flow.tun_dst.mask | Flow.tun_ipv6_src.mask | Flow.tun_ipv6_dst.mask
)
_VLANS = ((Flow.vlan_tpid, Flow.vlan_tci), (Flow.vlan1_tpid, Flow.vlan1_tci))

_NETWORK_KINDS: dict[int, Kind] = {
    ETH_TYPE_IP: IPV4_HEADER,
    ETH_TYPE_IPV6: IPV6_HEADER,
    ETH_TYPE_ARP: ARP,
    ETH_TYPE_RARP: ARP,
    ETH_TYPE_NSH: NSH,
}
_TRANSPORT_KINDS: dict[tuple[int, int], Kind] = {
    **{(dl_type, IPPROTO_TCP): TCP for dl_type in _IP_TYPES},
    **{(dl_type, IPPROTO_UDP): UDP for dl_type in _IP_TYPES},
    **{(dl_type, IPPROTO_SCTP): SCTP for dl_type in _IP_TYPES},
    (ETH_TYPE_IP, IPPROTO_ICMP): ICMP,
    (ETH_TYPE_IPV6, IPPROTO_ICMPV6): ICMPV6,
}


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
        tpid_bits, tci_bits = _VLANS[depth]
        is_cut = not tci_bits.of(self.key)
        if is_cut and self.dl_type not in _VLAN_TYPES:
            return self._ethertype_onward()
        tpid = self.dl_type if is_cut else tpid_bits.of(self.key)
        inner = () if is_cut else tuple(self._tags_onward(depth + 1))
        return [
            Attribute(ETHERTYPE, (_ETHERTYPE_EXACT if self.is_mask else tpid,)),
            Attribute(VLAN, (tci_bits.of(self.data),)),
            Attribute(None, inner=inner),
        ]

    def _ethertype_onward(self) -> list[Attribute]:
        if self.dl_type < _ETH_TYPE_MIN:
            # A frame without a type has none in the key, and an exact one in the mask.
            return [Attribute(ETHERTYPE, (_ETHERTYPE_EXACT,))] if self.is_mask else []
        ethertype = self._of(ETHERTYPE)
        if self.dl_type in _VLAN_TYPES:
            return [ethertype]
        if self.dl_type in (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST):
            return [ethertype, self._labels()]
        network = _NETWORK_KINDS.get(self.dl_type)
        if network is None:
            return [ethertype]
        return [ethertype, self._of(network), *self._transport()]

    def _labels(self) -> Attribute:
        lses = MPLS.read(self.key)
        bottoms = [number for number, lse in enumerate(lses, start=1) if lse & _MPLS_BOTTOM]
        n_labels = bottoms[0] if bottoms else sum(map(bool, lses))
        return Attribute(MPLS, MPLS.read(self.data)[:n_labels])

    def _transport(self) -> list[Attribute]:
        kind = _TRANSPORT_KINDS.get((self.dl_type, Flow.nw_proto.of(self.key)))
        if kind is None or Flow.nw_frag.of(self.key) & FRAG_LATER:
            return []
        attributes = [self._of(kind)]
        if kind is TCP and (self.data | self.mask) & Flow.tcp_flags.mask:
            attributes.append(self._of(TCP_FLAGS_SET))
        elif kind is ICMPV6 and self._is_neighbor_discovery():
            attributes.append(self._of(ND))
        return attributes

    def _is_neighbor_discovery(self) -> bool:
        tp_src, tp_dst = Flow.tp_src.of(self.key), Flow.tp_dst.of(self.key)
        if tp_dst or tp_src not in (ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT):
            return False
        types = Flow.tp_src.of(self.data), Flow.tp_dst.of(self.data)
        return not self.is_mask or types == _ICMP_EXACT
