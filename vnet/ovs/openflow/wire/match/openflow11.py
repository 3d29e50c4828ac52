"""``struct ofp11_match``: what OpenFlow 1.0 can match, MPLS and metadata, with masks of addresses.

Masks are written inverted: a bit that is set is not looked at. Source: OpenFlow 1.1, section
A.2.3.
"""

from __future__ import annotations

import struct

from vnet.ovs.flow.field_access import (
    VLAN_PCP_MASK,
    VLAN_PCP_SHIFT,
    VLAN_VID_MASK,
    port_from_ofp11,
    port_to_ofp11,
)
from vnet.ovs.flow.flow import CFI, Bits, Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_RARP,
    IPPROTO_ICMP,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PT_ETHERNET,
)
from vnet.ovs.openflow.errors import OpenFlowError

STANDARD = 0
"""The type in the header of such a match (OFPMT_STANDARD)."""

_MATCH = struct.Struct("!HHII6s6s6s6sHBxHBBIIIIHHIB3xQQ")
OPENFLOW11_BYTES = _MATCH.size

_ANY_IN_PORT = 1 << 0
_ANY_VLAN = 1 << 1
_ANY_PCP = 1 << 2
_ANY_TYPE = 1 << 3
_ANY_TOS = 1 << 4
_ANY_PROTO = 1 << 5
_ANY_TP_SRC = 1 << 6
_ANY_TP_DST = 1 << 7
_ANY_LABEL = 1 << 8
_ANY_TC = 1 << 9

_VLAN_ANY = 0xFFFE
_VLAN_NONE = 0xFFFF
_DSCP_MASK = 0xFC
_MAC_ONES = (1 << 48) - 1
_IPV4_ONES = (1 << 32) - 1
_METADATA_ONES = (1 << 64) - 1
_PORT = Bits("in_port", Flow.in_port.shift, 16, Flow.in_port.stage)
_LSE = Flow.mpls_lse[0]
_LABEL = Bits("mpls_label", _LSE.shift + 12, 20, _LSE.stage)
_TC = Bits("mpls_tc", _LSE.shift + 9, 3, _LSE.stage)

_WITH_ADDRESSES = (ETH_TYPE_IP, ETH_TYPE_ARP, ETH_TYPE_RARP)
_WITH_LABEL = (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST)
_WITH_PORTS = (IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP)


def encode_openflow11(match: Match) -> bytes:
    """What the structure can say of a match (ofputil_match_to_ofp11_match)."""
    flow, mask = Flow(match.value), Flow(match.mask)
    wildcards, vlan, pcp = _encode_vlan(flow.vlan_tci, mask.vlan_tci)
    for bit, bits in (
        (_ANY_IN_PORT, _PORT),
        (_ANY_TYPE, Flow.dl_type),
        (_ANY_PROTO, Flow.nw_proto),
        (_ANY_TP_SRC, Flow.tp_src),
        (_ANY_TP_DST, Flow.tp_dst),
        (_ANY_LABEL, _LABEL),
        (_ANY_TC, _TC),
    ):
        if not mask.get(bits):
            wildcards |= bit
    if not mask.nw_tos & _DSCP_MASK:
        wildcards |= _ANY_TOS
    return _MATCH.pack(
        STANDARD,
        OPENFLOW11_BYTES,
        port_to_ofp11(flow.get(_PORT)) if mask.get(_PORT) else 0,
        wildcards,
        _mac(flow.dl_src),
        _mac(mask.dl_src ^ _MAC_ONES),
        _mac(flow.dl_dst),
        _mac(mask.dl_dst ^ _MAC_ONES),
        vlan,
        pcp,
        flow.dl_type,
        flow.nw_tos & _DSCP_MASK,
        flow.nw_proto,
        flow.nw_src,
        mask.nw_src ^ _IPV4_ONES,
        flow.nw_dst,
        mask.nw_dst ^ _IPV4_ONES,
        flow.tp_src,
        flow.tp_dst,
        flow.get(_LABEL),
        flow.get(_TC),
        flow.metadata,
        mask.metadata ^ _METADATA_ONES,
    )


def _mac(address: int) -> bytes:
    return address.to_bytes(6, "big")


def _encode_vlan(tci: int, mask: int) -> tuple[int, int, int]:
    """Wildcards, VLAN and priority."""
    if not mask:
        return _ANY_VLAN | _ANY_PCP, 0, 0
    if mask & CFI and not tci & CFI:
        return _ANY_PCP, _VLAN_NONE, 0
    vlan = tci & VLAN_VID_MASK if mask & VLAN_VID_MASK else _VLAN_ANY
    if not mask & VLAN_PCP_MASK:
        return _ANY_PCP, vlan, 0
    return 0, vlan, tci >> VLAN_PCP_SHIFT


class _Structure:
    """A structure that is read, and the match that it makes."""

    def __init__(self, data: bytes, offset: int) -> None:
        (
            _,
            _,
            self.in_port,
            self.wildcards,
            self.dl_src,
            self.dl_src_mask,
            self.dl_dst,
            self.dl_dst_mask,
            self.vlan,
            self.pcp,
            self.dl_type,
            self.nw_tos,
            self.nw_proto,
            self.nw_src,
            self.nw_src_mask,
            self.nw_dst,
            self.nw_dst_mask,
            self.tp_src,
            self.tp_dst,
            self.mpls_label,
            self.mpls_tc,
            self.metadata,
            self.metadata_mask,
        ) = _MATCH.unpack_from(data, offset)
        self.flow = Flow()
        self.mask = Flow()

    def match(self, bits: Bits, value: int, mask: int) -> None:
        self.flow.put(bits, value & mask)
        self.mask.put(bits, mask)

    def match_whole(self, wildcard: int, bits: Bits, value: int) -> None:
        if not self.wildcards & wildcard:
            self.match(bits, value & bits.ones, bits.ones)

    def match_ethernet(self) -> None:
        self.match(Flow.packet_type, PT_ETHERNET, Flow.packet_type.ones)


def decode_openflow11(data: bytes, offset: int) -> Match:
    """The match that a structure is (ofputil_match_from_ofp11_match).

    Raises :class:`OpenFlowError` (OFPBMC_BAD_VALUE, OFPBMC_BAD_FIELD).
    """
    read = _Structure(data, offset)
    if not read.wildcards & _ANY_IN_PORT:
        port = port_from_ofp11(read.in_port)
        if port is None:
            raise OpenFlowError("OFPBMC_BAD_VALUE")
        read.match(_PORT, port, _PORT.ones)
    _read_ethernet(read)
    dl_type = read.flow.dl_type
    if dl_type in _WITH_ADDRESSES:
        _read_network(read)
    if dl_type == ETH_TYPE_IP:
        _read_transport(read)
    if dl_type in _WITH_LABEL:
        read.match_whole(_ANY_LABEL, _LABEL, read.mpls_label)
        read.match_whole(_ANY_TC, _TC, read.mpls_tc)
    read.match(Flow.metadata, read.metadata, read.metadata_mask ^ _METADATA_ONES)
    return Match(read.flow.key, read.mask.key)


def _read_ethernet(read: _Structure) -> None:
    src_mask = int.from_bytes(read.dl_src_mask, "big") ^ _MAC_ONES
    dst_mask = int.from_bytes(read.dl_dst_mask, "big") ^ _MAC_ONES
    if src_mask or dst_mask:
        read.match(Flow.dl_src, int.from_bytes(read.dl_src, "big"), src_mask)
        read.match(Flow.dl_dst, int.from_bytes(read.dl_dst, "big"), dst_mask)
        read.match_ethernet()
    if not read.wildcards & _ANY_VLAN:
        _read_vlan(read)
        read.match_ethernet()
    if not read.wildcards & _ANY_TYPE:
        read.match_whole(_ANY_TYPE, Flow.dl_type, read.dl_type)
        read.match_ethernet()


def _read_vlan(read: _Structure) -> None:
    if read.vlan == _VLAN_NONE:
        read.match(Flow.vlan_tci, 0, Flow.vlan_tci.ones)
        return
    if read.vlan != _VLAN_ANY and read.vlan > VLAN_VID_MASK:
        raise OpenFlowError("OFPBMC_BAD_VALUE")
    tci, mask = CFI, CFI
    if read.vlan != _VLAN_ANY:
        tci, mask = CFI | read.vlan, CFI | VLAN_VID_MASK
    if not read.wildcards & _ANY_PCP:
        if read.pcp > 7:
            raise OpenFlowError("OFPBMC_BAD_VALUE")
        tci, mask = tci | read.pcp << VLAN_PCP_SHIFT, mask | VLAN_PCP_MASK
    read.match(Flow.vlan_tci, tci, mask)


def _read_network(read: _Structure) -> None:
    if read.flow.dl_type == ETH_TYPE_IP and not read.wildcards & _ANY_TOS:
        if read.nw_tos & ~_DSCP_MASK:
            raise OpenFlowError("OFPBMC_BAD_VALUE")
        read.match(Flow.nw_tos, read.nw_tos, _DSCP_MASK)
    read.match_whole(_ANY_PROTO, Flow.nw_proto, read.nw_proto)
    read.match(Flow.nw_src, read.nw_src, read.nw_src_mask ^ _IPV4_ONES)
    read.match(Flow.nw_dst, read.nw_dst, read.nw_dst_mask ^ _IPV4_ONES)


def _read_transport(read: _Structure) -> None:
    protocol = read.flow.nw_proto
    for wildcard, bits, value in (
        (_ANY_TP_SRC, Flow.tp_src, read.tp_src),
        (_ANY_TP_DST, Flow.tp_dst, read.tp_dst),
    ):
        if protocol == IPPROTO_ICMP and not read.wildcards & wildcard and value > 0xFF:
            raise OpenFlowError("OFPBMC_BAD_FIELD")
        if protocol == IPPROTO_ICMP or protocol in _WITH_PORTS:
            read.match_whole(wildcard, bits, value)
