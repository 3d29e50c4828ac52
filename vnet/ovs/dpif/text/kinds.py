"""The table of attributes that a datapath flow may have (OVS_KEY_ATTR_*), by their names."""

from __future__ import annotations

from vnet.ovs.dpif.text.kind import Kind, Member, StructKind
from vnet.ovs.dpif.text.notation import (
    FRAGMENT,
    FRAGMENT_FULL_MASK,
    IPV4,
    IPV6,
    LABEL,
    MAC,
    always_prefixed,
    decimal,
    ethertype,
    hexadecimal,
    nsh_byte,
    nsh_word,
)
from vnet.ovs.dpif.text.single_kinds import FlagsKind, NumberKind, PortKind, VlanKind, WideKind
from vnet.ovs.dpif.text.stack_kinds import MplsKind, NdExtensionsKind, NshKind
from vnet.ovs.dpif.text.tunnel_kind import TunnelKind
from vnet.ovs.flow.flag_text import CT_STATES, TCP_FLAGS
from vnet.ovs.flow.flow import FRAG_ANY, FRAG_LATER, Bits, Flow

_U8 = decimal(8)
_U16 = decimal(16)
_U1 = decimal(1)
_U3 = decimal(3)
_U24 = decimal(24)
_X8 = hexadecimal(8)
_X32 = hexadecimal(32)


def _half(bits: Bits, name: str, *, upper: bool) -> Bits:
    return Bits(name, bits.shift + (16 if upper else 0), 16, bits.stage)


def _encode_fragment(nw_frag: int, is_mask: bool) -> int:
    if is_mask:
        return FRAGMENT_FULL_MASK if nw_frag & FRAG_ANY else 0
    if not nw_frag & FRAG_ANY:
        return 0
    return 2 if nw_frag & FRAG_LATER else 1


def _decode_fragment(fragment: int, is_mask: bool) -> int:
    if is_mask:
        return FRAG_ANY | FRAG_LATER if fragment else 0
    return (0, FRAG_ANY, FRAG_ANY | FRAG_LATER)[fragment]


def _encode_arp_operation(nw_proto: int, _is_mask: bool) -> int:
    return 0xFFFF if nw_proto == 0xFF else nw_proto


def _lower_byte(number: int, _is_mask: bool) -> int:
    return number & 0xFF


def _fragment() -> Member:
    return Member("frag", FRAGMENT, Flow.nw_frag, _encode_fragment, _decode_fragment)


def _ports(name: str) -> StructKind:
    return StructKind(name, Member("src", _U16, Flow.tp_src), Member("dst", _U16, Flow.tp_dst))


def _icmp(name: str) -> StructKind:
    return StructKind(
        name,
        Member("type", _U8, Flow.tp_src, _lower_byte),
        Member("code", _U8, Flow.tp_dst, _lower_byte),
    )


PRIORITY = NumberKind("skb_priority", _X32, Flow.skb_priority)
TUNNEL = TunnelKind(
    "tunnel",
    Member("tun_id", always_prefixed(64), Flow.tun_id),
    Member("src", IPV4, Flow.tun_src),
    Member("dst", IPV4, Flow.tun_dst),
    Member("ipv6_src", IPV6, Flow.tun_ipv6_src),
    Member("ipv6_dst", IPV6, Flow.tun_ipv6_dst),
    Member("tos", _X8, Flow.tun_tos),
    Member("ttl", _U8, Flow.tun_ttl),
    Member("tp_src", _U16, Flow.tun_tp_src),
    Member("tp_dst", _U16, Flow.tun_tp_dst),
)
MARK = NumberKind("skb_mark", _X32, Flow.pkt_mark)
CT_STATE = FlagsKind(
    "ct_state",
    Flow.ct_state,
    CT_STATES,
    n_bits=32,
    exact_mask=0xFFFFFFFF,
    is_number_if_verbose=True,
)
CT_ZONE = NumberKind("ct_zone", hexadecimal(16), Flow.ct_zone, hides_wildcard=True)
CT_MARK = NumberKind("ct_mark", _X32, Flow.ct_mark, hides_wildcard=True)
CT_LABEL = WideKind("ct_label", hexadecimal(128), Flow.ct_label, hides_wildcard=True)
CT_TUPLE4 = StructKind(
    "ct_tuple4",
    Member("src", IPV4, Flow.ct_nw_src),
    Member("dst", IPV4, Flow.ct_nw_dst),
    Member("proto", _U8, Flow.ct_nw_proto),
    Member("tp_src", _U16, Flow.ct_tp_src),
    Member("tp_dst", _U16, Flow.ct_tp_dst),
)
CT_TUPLE6 = StructKind(
    "ct_tuple6",
    Member("src", IPV6, Flow.ct_ipv6_src),
    Member("dst", IPV6, Flow.ct_ipv6_dst),
    Member("proto", _U8, Flow.ct_nw_proto),
    Member("src_port", _U16, Flow.ct_tp_src, other_name="tp_src"),
    Member("dst_port", _U16, Flow.ct_tp_dst, other_name="tp_dst"),
)
RECIRC_ID = NumberKind("recirc_id", _X32, Flow.recirc_id, is_exact_only=True)
DP_HASH = NumberKind("dp_hash", _X32, Flow.dp_hash)
IN_PORT = PortKind("in_port", Flow.in_port)
PACKET_TYPE = StructKind(
    "packet_type",
    Member("ns", _U16, _half(Flow.packet_type, "packet_type_ns", upper=True)),
    Member("id", hexadecimal(16), _half(Flow.packet_type, "packet_type_id", upper=False)),
)
ETHERNET = StructKind("eth", Member("src", MAC, Flow.dl_src), Member("dst", MAC, Flow.dl_dst))
VLAN = VlanKind("vlan")
ETHERTYPE = NumberKind("eth_type", ethertype(), Flow.dl_type)
MPLS = MplsKind("mpls")
_TCI = Flow.pbb_tci
PBB = StructKind(
    "pbb",
    Member("isid", _U24, Bits("pbb_isid", _TCI.shift, 24, _TCI.stage)),
    Member("uca", _U1, Bits("pbb_uca", _TCI.shift + 27, 1, _TCI.stage)),
    Member("dei", _U1, Bits("pbb_dei", _TCI.shift + 28, 1, _TCI.stage)),
    Member("pcp", _U3, Bits("pbb_pcp", _TCI.shift + 29, 3, _TCI.stage)),
)
"""This kind and the next two are our own: Open vSwitch matches and writes no such thing."""
EXTENSION_HEADERS = NumberKind("ipv6_exthdrs", hexadecimal(16), Flow.ipv6_exthdr)
PROTOCOL = NumberKind("ip_proto", _U8, Flow.nw_proto)
IPV4_HEADER = StructKind(
    "ipv4",
    Member("src", IPV4, Flow.nw_src),
    Member("dst", IPV4, Flow.nw_dst),
    Member("proto", _U8, Flow.nw_proto),
    Member("tos", _X8, Flow.nw_tos),
    Member("ttl", _U8, Flow.nw_ttl),
    _fragment(),
)
IPV6_HEADER = StructKind(
    "ipv6",
    Member("src", IPV6, Flow.ipv6_src),
    Member("dst", IPV6, Flow.ipv6_dst),
    Member("label", LABEL, Flow.ipv6_label),
    Member("proto", _U8, Flow.nw_proto),
    Member("tclass", _X8, Flow.nw_tos),
    Member("hlimit", _U8, Flow.nw_ttl),
    _fragment(),
)
TCP = _ports("tcp")
TCP_FLAGS_SET = FlagsKind(
    "tcp_flags",
    Flow.tcp_flags,
    TCP_FLAGS,
    n_bits=16,
    exact_mask=0xFFF,
    is_number_if_verbose=False,
)
UDP = _ports("udp")
SCTP = _ports("sctp")
ICMP = _icmp("icmp")
ICMPV6 = _icmp("icmpv6")
ARP = StructKind(
    "arp",
    Member("sip", IPV4, Flow.nw_src),
    Member("tip", IPV4, Flow.nw_dst),
    Member("op", _U16, Flow.nw_proto, _encode_arp_operation, _lower_byte),
    Member("sha", MAC, Flow.arp_sha),
    Member("tha", MAC, Flow.arp_tha),
)
ND = StructKind(
    "nd",
    Member("target", IPV6, Flow.nd_target),
    Member("sll", MAC, Flow.arp_sha),
    Member("tll", MAC, Flow.arp_tha),
)
ND_EXTENSIONS = NdExtensionsKind(
    "nd_ext",
    Member("nd_reserved", _X32, Flow.igmp_group_ip4),
    Member("nd_options_type", _U8, Flow.tcp_flags, _lower_byte),
)
_PATH = Flow.nsh_path_hdr
NSH = NshKind(
    "nsh",
    Member("flags", nsh_byte(), Flow.nsh_flags),
    Member("ttl", nsh_byte(), Flow.nsh_ttl),
    Member("mdtype", nsh_byte(), Flow.nsh_mdtype),
    Member("np", nsh_byte(), Flow.nsh_np),
    Member("spi", nsh_word(24), Bits("nsh_spi", _PATH.shift + 8, 24, _PATH.stage)),
    Member("si", nsh_byte(), Bits("nsh_si", _PATH.shift, 8, _PATH.stage)),
    *(
        Member(f"c{number}", nsh_word(32), bits)
        for number, bits in enumerate(Flow.nsh_context, start=1)
    ),
)

KINDS: tuple[Kind, ...] = (
    PRIORITY,
    TUNNEL,
    MARK,
    CT_STATE,
    CT_ZONE,
    CT_MARK,
    CT_LABEL,
    CT_TUPLE4,
    CT_TUPLE6,
    RECIRC_ID,
    DP_HASH,
    IN_PORT,
    PACKET_TYPE,
    ETHERNET,
    VLAN,
    ETHERTYPE,
    MPLS,
    PBB,
    IPV4_HEADER,
    IPV6_HEADER,
    EXTENSION_HEADERS,
    PROTOCOL,
    TCP,
    TCP_FLAGS_SET,
    UDP,
    SCTP,
    ICMP,
    ICMPV6,
    ARP,
    ND,
    ND_EXTENSIONS,
    NSH,
)
KINDS_BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}
