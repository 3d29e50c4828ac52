"""From a row of attributes back to a flow (``odp_flow_key_to_flow``, ``odp_flow_key_to_mask``).

Attributes that contradict each other raise :class:`~vnet.ovs.flow.errors.OvsTextError`; ones
that are missing, or that the flow has no room for, give a fitness that is not perfect.
"""

from __future__ import annotations

from enum import Enum, auto

from vnet.ovs.dpif.text.attribute import Attribute, Attributes
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
    EXTENSION_HEADERS,
    IN_PORT,
    IPV4_HEADER,
    IPV6_HEADER,
    MARK,
    MPLS,
    PACKET_TYPE,
    PBB,
    PRIORITY,
    RECIRC_ID,
    TUNNEL,
    VLAN,
)
from vnet.ovs.dpif.text.shape import (
    ETH_TYPE_MIN,
    ETHERTYPE_EXACT,
    MPLS_BOTTOM,
    MPLS_TYPES,
    NETWORK_KINDS,
    VLAN_TYPES,
    VLANS,
)
from vnet.ovs.dpif.text.to_transport import put_transport
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import CFI, DL_TYPE_NONE, N_MPLS_LABELS, N_VLANS, Flow
from vnet.ovs.flow.ports import ODPP_NONE
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_PBB,
    PT_ETHERNET,
    PT_NAMESPACE_ETHERTYPE,
)


class Fitness(Enum):
    """How well attributes describe a flow."""

    PERFECT = auto()
    TOO_MUCH = auto()
    TOO_LITTLE = auto()


Present = dict[Kind | None, Attribute]

_COPIED: tuple[Kind, ...] = (
    RECIRC_ID,
    DP_HASH,
    PRIORITY,
    MARK,
    CT_STATE,
    CT_ZONE,
    CT_MARK,
    CT_LABEL,
    CT_TUPLE4,
    CT_TUPLE6,
    TUNNEL,
    IN_PORT,
    PACKET_TYPE,
)
"""Metadata that is taken as it is."""

_IMPLIED_TYPES: tuple[tuple[Kind, int], ...] = (
    (IPV4_HEADER, ETH_TYPE_IP),
    (IPV6_HEADER, ETH_TYPE_IPV6),
    (MPLS, ETH_TYPE_MPLS),
)

_OWN_KINDS: dict[int, Kind] = {ETH_TYPE_PBB: PBB, ETH_TYPE_IPV6: EXTENSION_HEADERS}
"""What Open vSwitch lacks, and the type of packets that may have it."""


def key_of(attributes: Attributes, *, vlan_limit: int = N_VLANS) -> tuple[int, Fitness]:
    """The flow that a key's attributes describe."""
    importer = _Importer(None, vlan_limit)
    fitness = importer.run(attributes)
    return importer.flow.key, fitness


def mask_of(attributes: Attributes, key: int, *, vlan_limit: int = N_VLANS) -> tuple[int, Fitness]:
    """The mask that a mask's attributes describe, for a flow's ``key``."""
    importer = _Importer(Flow(key), vlan_limit)
    fitness = importer.run(attributes)
    return importer.flow.key, fitness


def _index(attributes: Attributes) -> Present:
    present: Present = {}
    for attribute in attributes:
        if attribute.kind in present:
            raise OvsTextError(f"duplicate {attribute.name} attribute in flow key")
        present[attribute.kind] = attribute
    return present


def _judge(present: Present, expected: set[Kind | None]) -> Fitness:
    if expected - present.keys():
        return Fitness.TOO_LITTLE
    return Fitness.TOO_MUCH if present.keys() - expected else Fitness.PERFECT


class _Importer:
    """One walk over attributes. ``source`` is the key: for a key itself, the flow being made."""

    def __init__(self, key: Flow | None, vlan_limit: int) -> None:
        self.flow = Flow()
        self.is_mask = key is not None
        self.source = self.flow if key is None else key
        self.vlan_limit = min(vlan_limit, N_VLANS)

    def run(self, attributes: Attributes) -> Fitness:
        """Fill the flow."""
        present = _index(attributes)
        expected: set[Kind | None] = set()
        self._put_metadata(present, expected)
        self._put_link(present, expected)
        self._put_ethertype(present, expected)
        if self._has_tag(0):
            return self._put_tags(present, expected)
        if self.is_mask:
            # No mask of a tag means: exactly none.
            self.flow.fill(Flow.vlan_tpid)
            self.flow.fill(Flow.vlan_tci)
            if VLAN in present:
                self.flow.vlan_tci = present[VLAN].values[0]
                expected.add(VLAN)
        return self._put_network(present, expected) or _judge(present, expected)

    def _put(self, attribute: Attribute) -> None:
        kind = attribute.kind
        if kind is not None:
            write = kind.write_masks if self.is_mask else kind.write
            self.flow.key |= write(attribute.values)

    def _put_metadata(self, present: Present, expected: set[Kind | None]) -> None:
        for kind in _COPIED:
            if kind in present:
                self._put(present[kind])
                expected.add(kind)
        if TUNNEL in present and not TUNNEL.has_ttl(present[TUNNEL].values):
            raise OvsTextError("tunnel options missing TTL")
        if RECIRC_ID not in present and self.is_mask:
            self.flow.fill(Flow.recirc_id)
        if IN_PORT not in present and not self.is_mask:
            self.flow.in_port = ODPP_NONE
        if PACKET_TYPE in present and self.source.packet_type >> 16 == PT_NAMESPACE_ETHERTYPE:
            self.flow.dl_type = self.flow.packet_type & 0xFFFF

    def _put_link(self, present: Present, expected: set[Kind | None]) -> None:
        """Without an Ethernet header, the EtherType says what the packet starts with."""
        if ETHERNET in present:
            self._put(present[ETHERNET])
            expected.add(ETHERNET)
            if not self.is_mask:
                self.flow.packet_type = PT_ETHERNET
        elif ETHERTYPE in present:
            expected.add(ETHERTYPE)
            if not self.is_mask:
                ethertype = present[ETHERTYPE].values[0]
                self.flow.packet_type = PT_NAMESPACE_ETHERTYPE << 16 | ethertype

    def _put_ethertype(self, present: Present, expected: set[Kind | None]) -> None:
        if ETHERTYPE in present:
            self._put_given_ethertype(present[ETHERTYPE].values[0])
            expected.add(ETHERTYPE)
        elif not self.is_mask:
            implied = (dl_type for kind, dl_type in _IMPLIED_TYPES if kind in present)
            self.flow.dl_type = next(implied, DL_TYPE_NONE)
        elif self.source.packet_type != PT_ETHERNET:
            self.flow.dl_type = ETHERTYPE_EXACT
        elif self.source.dl_type < ETH_TYPE_MIN:
            raise OvsTextError("mask expected for non-Ethernet II frame")

    def _put_given_ethertype(self, ethertype: int) -> None:
        self.flow.dl_type = ethertype
        if not self.is_mask and ethertype < ETH_TYPE_MIN:
            raise OvsTextError(f"invalid Ethertype {ethertype} in flow key")
        of_key = self.source.dl_type
        if self.is_mask and of_key < ETH_TYPE_MIN and ethertype != ETHERTYPE_EXACT:
            what = f'"Ethertype" {of_key:#x} (with mask {ethertype:#x})'
            raise OvsTextError(f"can't bitwise match non-Ethernet II {what}")

    def _has_tag(self, depth: int) -> bool:
        if self.is_mask:
            return bool(self.source.get(VLANS[depth][1]) & CFI)
        return self.flow.dl_type in VLAN_TYPES

    def _put_tags(self, present: Present, expected: set[Kind | None]) -> Fitness:
        """Tags, each with what it tags inside; the type read before them is their TPID."""
        for depth in range(self.vlan_limit):
            if not self._has_tag(depth):
                break
            of_tag: set[Kind | None] = {VLAN, None}
            expected |= of_tag & present.keys() if self.is_mask else of_tag
            fitness = _judge(present, expected)
            tpid_bits, tci_bits = VLANS[depth]
            tci = present[VLAN].values[0] if VLAN in present else 0
            self.flow.put(tpid_bits, self.flow.dl_type)
            self.flow.put(tci_bits, tci)
            self.flow.dl_type = 0
            if self.is_mask:
                if None not in present:
                    return fitness
            elif VLAN not in present or None not in present:
                return Fitness.TOO_LITTLE
            elif not tci:
                # A tag that was cut off in the frame: it tags nothing.
                is_perfect = fitness is Fitness.PERFECT
                return Fitness.TOO_MUCH if is_perfect and present[None].inner else fitness
            elif not tci & CFI:
                what = f"OVS_KEY_ATTR_VLAN 0x{tci:04x} is nonzero but CFI bit is not set"
                raise OvsTextError(what)
            present = _index(present[None].inner)
            expected = set()
            self._put_ethertype(present, expected)
            bad = self._put_network(present, expected)
            if bad is not None:
                return bad
        return _judge(present, expected)

    def _put_network(self, present: Present, expected: set[Kind | None]) -> Fitness | None:
        """Labels, or a network header and what follows. A fitness if that cannot be perfect."""
        dl_type = self.source.dl_type
        if dl_type in MPLS_TYPES:
            return self._put_labels(present, expected)
        own = _OWN_KINDS.get(dl_type)
        if own in present:
            self._put(present[own])
            expected.add(own)
        kind = NETWORK_KINDS.get(dl_type)
        if kind is None:
            return None
        if not self.is_mask:
            expected.add(kind)
        if kind in present:
            self._put_header(kind, present[kind], expected)
        put_transport(self.flow, self.source, present, expected, is_mask=self.is_mask)
        return None

    def _put_header(self, kind: Kind, header: Attribute, expected: set[Kind | None]) -> None:
        if kind is ARP and not self.is_mask and header.values[2] > 0xFF:
            raise OvsTextError(f"unsupported ARP opcode {header.values[2]} in flow key")
        self._put(header)
        if not self.is_mask:
            return
        if any(header.values) and self.flow.dl_type != ETHERTYPE_EXACT:
            types = f"{self.source.dl_type:#x}/{self.flow.dl_type:#x}"
            raise OvsTextError(f"unexpected L3 matching with masked Ethertype {types}")
        expected.add(kind)

    def _put_labels(self, present: Present, expected: set[Kind | None]) -> Fitness | None:
        if not self.is_mask or MPLS in present:
            expected.add(MPLS)
        if MPLS not in present:
            return None
        self._put(present[MPLS])
        if self.is_mask:
            return None
        *outer, innermost = present[MPLS].values
        if any(lse & MPLS_BOTTOM for lse in outer):
            raise OvsTextError("MPLS BOS set in non-innermost label")
        has_room = len(outer) + 1 < N_MPLS_LABELS
        return Fitness.TOO_LITTLE if has_room and not innermost & MPLS_BOTTOM else None
