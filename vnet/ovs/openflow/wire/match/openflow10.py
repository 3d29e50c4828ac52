"""``struct ofp10_match``: twelve fields, each whole or not at all, but for prefixes of IPv4.

Sources: OpenFlow 1.0, section 5.2.3.
"""

from __future__ import annotations

import struct
from functools import lru_cache

from vnet.ovs.flow.field_access import (
    OFP10_VLAN_NONE,
    VLAN_PCP_MASK,
    VLAN_PCP_SHIFT,
    VLAN_VID_MASK,
)
from vnet.ovs.flow.flow import CFI, Bits, Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.protocol_numbers import PT_ETHERNET

_MATCH = struct.Struct("!IH6s6sHBxHBBxxIIHH")
OPENFLOW10_BYTES = _MATCH.size

_CACHED = 1024

_DSCP_MASK = 0xFC
_PORT = Bits("in_port", Flow.in_port.shift, 16, Flow.in_port.stage)
_TCI = Flow.vlan_tci
_MAC = (1 << 48) - 1
_DL_SRC, _DL_DST, _DL_TYPE = Flow.dl_src.shift, Flow.dl_dst.shift, Flow.dl_type.shift
_NW_TOS, _NW_PROTO = Flow.nw_tos.shift, Flow.nw_proto.shift
_NW_SRC, _NW_DST = Flow.nw_src.shift, Flow.nw_dst.shift
_TP_SRC, _TP_DST = Flow.tp_src.shift, Flow.tp_dst.shift

_ANY_VLAN = 1 << 1
_ANY_PCP = 1 << 20
_ANY_TOS = 1 << 21
_WHOLE = {
    1 << 0: _PORT.mask,
    1 << 2: Flow.dl_src.mask,
    1 << 3: Flow.dl_dst.mask,
    1 << 4: Flow.dl_type.mask,
    1 << 5: Flow.nw_proto.mask,
    1 << 6: Flow.tp_src.mask,
    1 << 7: Flow.tp_dst.mask,
    _ANY_TOS: _DSCP_MASK << _NW_TOS,
}
"""The bits of ``wildcards`` (OFPFW10_*), and what is matched without them."""
_SRC_SHIFT, _DST_SHIFT = 8, 14
_COUNT_MASK = 0x3F
ALL_WILDCARDS = (1 << 22) - 1
"""The bits of ``wildcards`` that mean something: none of them is set in an exact match."""


def encode_openflow10(match: Match) -> bytes:
    """What the structure can say of a match (ofputil_match_to_ofp10_match)."""
    value, mask, _ = match
    tci = _TCI.of(value), _TCI.of(mask)
    vlan_wildcards, vlan, pcp = _encode_vlan(*tci) if tci[1] else (_ANY_VLAN | _ANY_PCP, 0, 0)
    # Shifts and masks are written out: this is done for each flow of a table.
    return _MATCH.pack(
        _wildcards_of(mask) | vlan_wildcards,
        value >> _PORT.shift & 0xFFFF,
        (value >> _DL_SRC & _MAC).to_bytes(6, "big"),
        (value >> _DL_DST & _MAC).to_bytes(6, "big"),
        vlan,
        pcp,
        value >> _DL_TYPE & 0xFFFF,
        value >> _NW_TOS & _DSCP_MASK,
        value >> _NW_PROTO & 0xFF,
        value >> _NW_SRC & 0xFFFFFFFF,
        value >> _NW_DST & 0xFFFFFFFF,
        value >> _TP_SRC & 0xFFFF,
        value >> _TP_DST & 0xFFFF,
    )


@lru_cache(maxsize=_CACHED)
def _wildcards_of(mask: int) -> int:
    """The wildcards but for those of VLANs."""
    wildcards = sum(bit for bit, whole in _WHOLE.items() if not mask & whole)
    wildcards |= _n_wild_bits(Flow.nw_src.of(mask)) << _SRC_SHIFT
    return wildcards | _n_wild_bits(Flow.nw_dst.of(mask)) << _DST_SHIFT


def _n_wild_bits(mask: int) -> int:
    """How many bits of an address are not matched: those below the lowest that is."""
    return (mask & -mask).bit_length() - 1 if mask else 32


def _encode_vlan(tci: int, mask: int) -> tuple[int, int, int]:
    """Wildcards, VLAN and priority where any of it is matched."""
    if mask & CFI and not tci & CFI:
        return 0, OFP10_VLAN_NONE, 0
    wildcards, vlan, pcp = 0, tci & VLAN_VID_MASK, tci >> VLAN_PCP_SHIFT
    if not mask & VLAN_VID_MASK:
        wildcards, vlan = _ANY_VLAN, 0
    if not mask & VLAN_PCP_MASK:
        wildcards, pcp = wildcards | _ANY_PCP, 0
    return wildcards, vlan, pcp


def decode_openflow10(data: bytes, offset: int) -> Match:
    """The match that a structure is (ofputil_match_from_ofp10_match).

    Nothing is refused: changes of flows leave out what makes no sense (see
    :func:`~vnet.ovs.openflow.wire.match.normalize.normalized`), other messages keep it.
    """
    (
        wildcards,
        in_port,
        dl_src,
        dl_dst,
        vlan,
        pcp,
        dl_type,
        nw_tos,
        nw_proto,
        nw_src,
        nw_dst,
        tp_src,
        tp_dst,
    ) = _MATCH.unpack_from(data, offset)
    tci, tci_mask = _decode_vlan(wildcards, vlan, pcp)
    mask = _mask_of(wildcards) | tci_mask << _TCI.shift
    value = (
        in_port << _PORT.shift
        | int.from_bytes(dl_src, "big") << _DL_SRC
        | int.from_bytes(dl_dst, "big") << _DL_DST
        | tci << _TCI.shift
        | dl_type << _DL_TYPE
        | nw_tos << _NW_TOS
        | nw_proto << _NW_PROTO
        | nw_src << _NW_SRC
        | nw_dst << _NW_DST
        | tp_src << _TP_SRC
        | tp_dst << _TP_DST
    ) & mask
    if mask & ~_PORT.mask:
        value |= PT_ETHERNET << Flow.packet_type.shift
        mask |= Flow.packet_type.mask
    return Match(value, mask)


@lru_cache(maxsize=_CACHED)
def _mask_of(wildcards: int) -> int:
    """The mask but for VLANs."""
    return (
        sum(whole for bit, whole in _WHOLE.items() if not wildcards & bit)
        | _prefix_mask(wildcards >> _SRC_SHIFT) << Flow.nw_src.shift
        | _prefix_mask(wildcards >> _DST_SHIFT) << Flow.nw_dst.shift
    )


def _prefix_mask(n_wild_bits: int) -> int:
    n_wild_bits &= _COUNT_MASK
    return 0xFFFFFFFF & -1 << n_wild_bits if n_wild_bits < 32 else 0


def _decode_vlan(wildcards: int, vlan: int, pcp: int) -> tuple[int, int]:
    """TCI and mask. A VLAN that is none rules out a tag, whatever is said of its priority."""
    if not wildcards & _ANY_VLAN and vlan == OFP10_VLAN_NONE:
        return 0, 0xFFFF
    mask = 0
    if not wildcards & _ANY_PCP:
        mask |= VLAN_PCP_MASK | CFI
    if not wildcards & _ANY_VLAN:
        mask |= VLAN_VID_MASK | CFI
    tci = vlan & VLAN_VID_MASK | pcp << VLAN_PCP_SHIFT & VLAN_PCP_MASK | CFI
    return tci & mask, mask
