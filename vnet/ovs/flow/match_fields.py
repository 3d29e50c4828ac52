"""A match as a list of fields: the form in which NXM and OXM carry it.

Not all that a match holds can be said so: ports without a protocol cannot, nor an ARP address in
a match on IPv4. Source: ovs-fields(7), "Field Reference";
OpenFlow 1.5, section 7.2.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vnet.ovs.flow.fields import FIELDS, FULL_FIELDS, Field
from vnet.ovs.flow.flow import CFI, N_NSH_CONTEXTS, N_REGS, Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.prerequisites import Prerequisite, dl_type_of, is_nd
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_PBB,
    ETH_TYPE_RARP,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    ND_NEIGHBOR_SOLICIT,
    PT_ETHERNET,
)

NXM = 0
"""In place of an OpenFlow version: OVS's own fields, as OpenFlow 1.0 carries them."""
OF15 = 6


class FieldMatch(NamedTuple):
    """One field's value and mask; a mask of ``field.ones`` is an exact match."""

    field: Field
    value: int
    mask: int


def _fields(names: str) -> tuple[Field, ...]:
    return tuple(_ALL_FIELDS[name] for name in names.split())


_ALL_FIELDS = FIELDS | FULL_FIELDS


_PACKET_TYPE = FIELDS["packet_type"]
_CONTEXT = _fields("dp_hash recirc_id conj_id")
_ETHERNET = _fields("eth_src eth_dst eth_type")
_MPLS = _fields("mpls_tc mpls_bos mpls_ttl mpls_label")
_ARP = _fields("arp_op arp_spa arp_tpa arp_sha arp_tha")
_BEHIND_TYPE = {
    ETH_TYPE_MPLS: _MPLS,
    ETH_TYPE_MPLS_MCAST: _MPLS,
    ETH_TYPE_ARP: _ARP,
    ETH_TYPE_RARP: _ARP,
    ETH_TYPE_PBB: _fields("pbb_isid pbb_uca"),
}
_IP_ADDRESSES = {
    ETH_TYPE_IP: _fields("ip_src ip_dst"),
    ETH_TYPE_IPV6: _fields("ipv6_src ipv6_dst"),
}
_IP_REST = _fields("nw_ecn nw_ttl ipv6_label ipv6_exthdr nw_proto")
_TCP = _fields("tcp_src tcp_dst tcp_flags")
_UDP = _fields("udp_src udp_dst")
_SCTP = _fields("sctp_src sctp_dst")
_TRANSPORT = {
    (ETH_TYPE_IP, IPPROTO_TCP): _TCP,
    (ETH_TYPE_IPV6, IPPROTO_TCP): _TCP,
    (ETH_TYPE_IP, IPPROTO_UDP): _UDP,
    (ETH_TYPE_IPV6, IPPROTO_UDP): _UDP,
    (ETH_TYPE_IP, IPPROTO_SCTP): _SCTP,
    (ETH_TYPE_IPV6, IPPROTO_SCTP): _SCTP,
    (ETH_TYPE_IP, IPPROTO_ICMP): _fields("icmp_type icmp_code"),
    (ETH_TYPE_IPV6, IPPROTO_ICMPV6): _fields("icmpv6_type icmpv6_code"),
}
_ND_SOLICIT = _fields("nd_reserved nd_target nd_options_type nd_sll")
_ND_ADVERT = _fields("nd_reserved nd_target nd_options_type nd_tll")
_TUNNEL = _fields(
    "tun_id tun_flags tun_src tun_dst tun_ipv6_src tun_ipv6_dst tun_gbp_id tun_gbp_flags"
)
_BEHIND_TUNNEL = _fields(
    "tun_erspan_idx tun_erspan_ver tun_erspan_dir tun_erspan_hwid tun_gtpu_flags tun_gtpu_msgtype"
    " nsh_flags nsh_ttl nsh_mdtype nsh_np nsh_spi nsh_si "
    + " ".join(f"nsh_c{i + 1}" for i in range(N_NSH_CONTEXTS))
)
_REGS = _fields(" ".join(f"reg{i}" for i in range(N_REGS)))
_XREGS = _fields(" ".join(f"xreg{i}" for i in range(N_REGS // 2)))
_MARKS = _fields(
    "pkt_mark ct_state ct_zone ct_mark ct_label ct_nw_src ct_ipv6_src ct_nw_dst ct_ipv6_dst"
)
_CT_PROTOCOL = _fields("ct_nw_proto ct_tp_src ct_tp_dst")
_METADATA = _fields("metadata")

_SAID_EXACTLY = {FIELDS["vlan_vid"]: 0x1FFF, FIELDS["ip_frag"]: 0x03}
"""Masks that are all of a field, though not all ones."""
_SAID_OTHERWISE: dict[Field, Callable[[Flow], int]] = {
    FIELDS["nd_options_type"]: lambda flow: flow.tcp_flags & 0xFF,
    FIELDS["nsh_spi"]: lambda flow: flow.nsh_path_hdr >> 8,
}
"""Values that are not said as actions read them."""


def said_value(field: Field) -> Callable[[Flow], int]:
    """What is said of a field, as a function of the flow in a match."""
    return _SAID_OTHERWISE.get(field, field.get)


def match_fields(match: Match, of_version: int = OF15) -> list[FieldMatch]:
    """What NXM, or OXM of an OpenFlow version (6 for 1.5), says of a match (nx_put_match)."""
    flow, mask = Flow(match.value), Flow(match.mask)
    said = []
    for field in _order(match, flow, mask, of_version):
        if field.is_wild(mask):
            continue
        if field.is_tun_metadata:
            said.append(_tun_option(match, field))
            continue
        field_mask = field.get(mask)
        if not field.is_maskable or field_mask == _SAID_EXACTLY.get(field):
            field_mask = field.ones
        said.append(FieldMatch(field, said_value(field)(flow), field_mask))
    if _is_ethernet(flow, mask) and not any(_implies_ethernet(item.field) for item in said):
        said.insert(0, FieldMatch(_PACKET_TYPE, PT_ETHERNET, _PACKET_TYPE.ones))
    return said


def _is_ethernet(flow: Flow, mask: Flow) -> bool:
    return flow.packet_type == PT_ETHERNET and mask.packet_type == Flow.packet_type.ones


def _implies_ethernet(field: Field) -> bool:
    return field.prerequisite is not Prerequisite.NONE


def _order(match: Match, flow: Flow, mask: Flow, of_version: int) -> Iterator[Field]:
    """The fields that can be said of such a match, each before those that presuppose it."""
    if mask.packet_type and not _is_ethernet(flow, mask):
        yield _PACKET_TYPE
    yield from _CONTEXT
    yield FIELDS["in_port_oxm" if of_version else "in_port"]
    yield FIELDS["actset_output"]
    yield from _ETHERNET
    if not of_version:
        yield FIELDS["vlan_tci"]
    else:
        yield FIELDS["vlan_vid"]
        if flow.vlan_tci & mask.vlan_tci & (CFI | CFI - 1):
            yield FIELDS["vlan_pcp"]
    dl_type = dl_type_of(flow)
    yield from _BEHIND_TYPE.get(dl_type, ())
    if dl_type in _IP_ADDRESSES:
        yield from _ip_order(flow, mask, dl_type, of_version)
    yield from _TUNNEL
    for option in match.tun_options:
        yield FIELDS[f"tun_metadata{option.number}"]
    yield from _BEHIND_TUNNEL
    yield from _XREGS if of_version >= OF15 else _REGS
    yield from _MARKS
    if flow.ct_nw_proto:
        yield from _CT_PROTOCOL
    yield from _METADATA


def _ip_order(flow: Flow, mask: Flow, dl_type: int, of_version: int) -> Iterator[Field]:
    yield from _IP_ADDRESSES[dl_type]
    yield FIELDS["ip_frag"]
    yield FIELDS["ip_dscp" if of_version else "nw_tos"]
    yield from _IP_REST
    if not mask.nw_proto:
        return
    yield from _TRANSPORT.get((dl_type, flow.nw_proto), ())
    if is_nd(flow):
        yield from _ND_SOLICIT if flow.tp_src == ND_NEIGHBOR_SOLICIT else _ND_ADVERT


def _tun_option(match: Match, field: Field) -> FieldMatch:
    option = next(o for o in match.tun_options if f"tun_metadata{o.number}" == field.name)
    mask = match.mask >> option.shift & option.ones if option.is_masked else field.ones
    return FieldMatch(field, match.value >> option.shift & option.ones, mask)
