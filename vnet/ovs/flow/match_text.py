"""Matches and flows in text, as ``ovs-ofctl dump-flows`` and ``ofproto/trace`` print them.

What is matched is listed in a fixed order. Names of protocols stand for EtherTypes and IP
protocols (``tcp``, ``udp6``, ``arp``), and members that several headers share go by the name of
the one that the match is about (``nw_src`` or ``arp_spa``, ``tp_src`` or ``icmp_type``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vnet.ovs.flow.address_text import ipv4_masked_text, ipv6_masked_text, mac_masked_text
from vnet.ovs.flow.field_access import (
    VLAN_PCP_MASK,
    VLAN_PCP_SHIFT,
    VLAN_VID_MASK,
    part,
)
from vnet.ovs.flow.flag_text import (
    CT_STATES,
    TCP_FLAGS,
    TUNNEL_FLAGS,
    flags_masked_text,
)
from vnet.ovs.flow.flow import CFI, Bits, Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.names import NO_NAMES, Names, port_text
from vnet.ovs.flow.packet_mask import packet_mask
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.prerequisites import ct_match_is_valid, is_ip
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_NSH,
    ETH_TYPE_PBB,
    ETH_TYPE_RARP,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PT_ETHERNET,
    PT_NAMESPACE_ETHERTYPE,
)
from vnet.ovs.flow.value_text import frag_text, hex_text, packet_type_text

# -- styles: a value under a mask that is not 0; ``ones`` is the mask of an exact match

Style = Callable[[int, int, int], str]


def _hex(value: int, mask: int, ones: int) -> str:
    return hex_text(value) if mask == ones else f"{hex_text(value)}/{hex_text(mask)}"


def _number(masked: str) -> Style:
    """Decimal if it is exact, else value and mask in this format."""
    return lambda value, mask, ones: (
        str(value) if mask == ones else f"{value:{masked}}/{mask:{masked}}"
    )


def _always(form: str) -> Style:
    """The value alone, however it is masked."""
    return lambda value, _mask, _ones: f"{value:{form}}"


_u8 = _number("#04x")
_u16 = _number("#x")
_u32 = _number("#010x")
_decimal = _always("d")


def _u32_hex(value: int, mask: int, ones: int) -> str:
    return f"{value:#x}" if mask == ones else f"{value:#x}/{mask:#x}"


def _label20(value: int, mask: int, ones: int) -> str:
    return f"{value:#07x}" if mask == ones else f"{value:#07x}/{mask:#07x}"


def _zero_or_hex(value: int, _mask: int, _ones: int) -> str:
    return hex_text(value)


def _mac(value: int, mask: int, _ones: int) -> str:
    return mac_masked_text(value, mask)


def _ipv4(value: int, mask: int, _ones: int) -> str:
    return ipv4_masked_text(value, mask)


def _ipv6(value: int, mask: int, _ones: int) -> str:
    return ipv6_masked_text(value, mask)


def _frag(value: int, mask: int, _ones: int) -> str:
    return frag_text(value, mask)


class _Part(NamedTuple):
    """One item of the list: shown where the mask has any of ``bits``."""

    label: str
    bits: Bits
    style: Style


def _shown(parts: tuple[_Part, ...], flow: Flow, mask: Flow) -> Iterator[str]:
    masked = mask.key
    for label, bits, style in parts:
        if masked & bits.mask:
            yield f"{label}={style(bits.of(flow.key), bits.of(masked), bits.ones)}"


# -- metadata

_CONTEXT = (
    _Part("pkt_mark", Flow.pkt_mark, _hex),
    _Part("recirc_id", Flow.recirc_id, _hex),
    _Part("dp_hash", Flow.dp_hash, _hex),
    _Part("conj_id", Flow.conj_id, _decimal),
    _Part("skb_priority", Flow.skb_priority, _zero_or_hex),
)
_CT = (
    _Part("ct_zone", Flow.ct_zone, _u16),
    _Part("ct_mark", Flow.ct_mark, _hex),
    _Part("ct_label", Flow.ct_label, _hex),
    _Part("ct_nw_src", Flow.ct_nw_src, _ipv4),
    _Part("ct_ipv6_src", Flow.ct_ipv6_src, _ipv6),
    _Part("ct_nw_dst", Flow.ct_nw_dst, _ipv4),
    _Part("ct_ipv6_dst", Flow.ct_ipv6_dst, _ipv6),
)
_CT_PORTS = (
    _Part("ct_nw_proto", Flow.ct_nw_proto, _decimal),
    _Part("ct_tp_src", Flow.ct_tp_src, _u16),
    _Part("ct_tp_dst", Flow.ct_tp_dst, _u16),
)
_REGS = tuple(_Part(f"reg{i}", bits, _hex) for i, bits in enumerate(Flow.regs))
_TUNNEL = (
    _Part("tun_id", Flow.tun_id, _hex),
    _Part("tun_src", Flow.tun_src, _ipv4),
    _Part("tun_dst", Flow.tun_dst, _ipv4),
    _Part("tun_ipv6_src", Flow.tun_ipv6_src, _ipv6),
    _Part("tun_ipv6_dst", Flow.tun_ipv6_dst, _ipv6),
    _Part("tun_gbp_id", Flow.tun_gbp_id, _u16),
    _Part("tun_gbp_flags", Flow.tun_gbp_flags, _zero_or_hex),
    _Part("tun_tos", Flow.tun_tos, _always("x")),
    _Part("tun_ttl", Flow.tun_ttl, _decimal),
    _Part("tun_erspan_ver", Flow.tun_erspan_ver, _decimal),
)
_ERSPAN = {
    1: (_Part("tun_erspan_idx", Flow.tun_erspan_idx, _zero_or_hex),),
    2: (
        _Part("tun_erspan_dir", Flow.tun_erspan_dir, _decimal),
        _Part("tun_erspan_hwid", Flow.tun_erspan_hwid, _zero_or_hex),
    ),
}
"""By ERSPAN's version."""
_GTPU = (
    _Part("gtpu_flags", Flow.tun_gtpu_flags, _zero_or_hex),
    _Part("gtpu_msgtype", Flow.tun_gtpu_msgtype, _decimal),
)
_METADATA = (_Part("metadata", Flow.metadata, _hex),)
_TUN_FLAGS_SHOWN = sum(TUNNEL_FLAGS)

# -- headers

_ETHERNET = (_Part("dl_src", Flow.dl_src, _mac), _Part("dl_dst", Flow.dl_dst, _mac))
_IPV4 = (_Part("nw_src", Flow.nw_src, _ipv4), _Part("nw_dst", Flow.nw_dst, _ipv4))
_ARP = (_Part("arp_spa", Flow.nw_src, _ipv4), _Part("arp_tpa", Flow.nw_dst, _ipv4))
_IPV6 = (
    _Part("ipv6_src", Flow.ipv6_src, _ipv6),
    _Part("ipv6_dst", Flow.ipv6_dst, _ipv6),
    _Part("ipv6_label", Flow.ipv6_label, _label20),
    _Part("ipv6_exthdr", part(Flow.ipv6_exthdr, 0, 9), _u32_hex),
)
_PBB = (
    _Part("pbb_isid", part(Flow.pbb_tci, 0, 24), _number("#x")),
    _Part("pbb_uca", part(Flow.pbb_tci, 27, 1), _decimal),
)
_NSH = (
    _Part("nsh_flags", Flow.nsh_flags, _u8),
    _Part("nsh_ttl", Flow.nsh_ttl, _u8),
    _Part("nsh_mdtype", Flow.nsh_mdtype, _u8),
    _Part("nsh_np", Flow.nsh_np, _u8),
    _Part("nsh_spi", part(Flow.nsh_path_hdr, 8, 24), _u32_hex),
    _Part("nsh_si", part(Flow.nsh_path_hdr, 0, 8), _u8),
)
_NSH_CONTEXT = tuple(
    _Part(f"nsh_c{i}", bits, _u32_hex) for i, bits in enumerate(Flow.nsh_context, 1)
)
_NSH_MD_TYPE1 = 1
_ADDRESSES = {
    ETH_TYPE_IPV6: _IPV6,
    ETH_TYPE_ARP: _ARP,
    ETH_TYPE_RARP: _ARP,
    ETH_TYPE_NSH: _NSH,
    ETH_TYPE_PBB: _PBB,
}
"""What of the network layer is shown, by EtherType; IPv4's for all others."""
_ARP_HARDWARE = (
    _Part("arp_sha", Flow.arp_sha, _mac),
    _Part("arp_tha", Flow.arp_tha, _mac),
)
_LSE = Flow.mpls_lse
_BELOW_ADDRESSES = (
    _Part("nw_tos", part(Flow.nw_tos, 2, 6), lambda value, _mask, _ones: str(value << 2)),
    _Part("nw_ecn", part(Flow.nw_tos, 0, 2), _decimal),
    _Part("nw_ttl", Flow.nw_ttl, _decimal),
    _Part("mpls_label", part(_LSE[0], 12, 20), _decimal),
    _Part("mpls_tc", part(_LSE[0], 9, 3), _decimal),
    _Part("mpls_ttl", part(_LSE[0], 0, 8), _decimal),
    _Part("mpls_bos", part(_LSE[0], 8, 1), _decimal),
    _Part("mpls_lse1", _LSE[1], _u32),
    _Part("mpls_lse2", _LSE[2], _u32),
    _Part("nw_frag", part(Flow.nw_frag, 0, 2), _frag),
)
_PORTS = (_Part("tp_src", Flow.tp_src, _u16), _Part("tp_dst", Flow.tp_dst, _u16))
_ICMP = (_Part("icmp_type", Flow.tp_src, _u16), _Part("icmp_code", Flow.tp_dst, _u16))
_ICMPV6 = (
    *_ICMP,
    _Part("nd_target", Flow.nd_target, _ipv6),
    _Part("nd_sll", Flow.arp_sha, _mac),
    _Part("nd_tll", Flow.arp_tha, _mac),
    _Part("nd_reserved", Flow.igmp_group_ip4, _u32),
    _Part("nd_options_type", Flow.tcp_flags, _u16),
)
_TRANSPORT = {(ETH_TYPE_IP, IPPROTO_ICMP): _ICMP, (ETH_TYPE_IPV6, IPPROTO_ICMPV6): _ICMPV6}
"""What of the transport layer is shown, by EtherType and protocol; ports for all others."""

_TYPE_NAMES = {
    ETH_TYPE_IP: "ip",
    ETH_TYPE_IPV6: "ipv6",
    ETH_TYPE_ARP: "arp",
    ETH_TYPE_RARP: "rarp",
    ETH_TYPE_MPLS: "mpls",
    ETH_TYPE_MPLS_MCAST: "mplsm",
}
_PROTOCOL_NAMES = {
    (ETH_TYPE_IP, IPPROTO_ICMP): "icmp",
    (ETH_TYPE_IP, IPPROTO_TCP): "tcp",
    (ETH_TYPE_IP, IPPROTO_UDP): "udp",
    (ETH_TYPE_IP, IPPROTO_SCTP): "sctp",
    (ETH_TYPE_IPV6, IPPROTO_ICMPV6): "icmp6",
    (ETH_TYPE_IPV6, IPPROTO_TCP): "tcp6",
    (ETH_TYPE_IPV6, IPPROTO_UDP): "udp6",
    (ETH_TYPE_IPV6, IPPROTO_SCTP): "sctp6",
}
_ARP_TYPES = (ETH_TYPE_ARP, ETH_TYPE_RARP)


def match_text(match: Match, names: Names = NO_NAMES, priority: int | None = None) -> str:
    """A match as match_format() prints it; ``priority``, if given, comes first."""
    flow, mask = Flow(match.value), Flow(match.mask)
    shown = [] if priority is None else [f"priority={priority}"]
    shown += _shown(_CONTEXT, flow, mask)
    if mask.actset_output:
        shown.append(f"actset_output={port_text(OfpPort(flow.actset_output), names)}")
    shown += _connection(flow, mask)
    dl_type = flow.dl_type
    if mask.packet_type and (mask.recirc_id or flow.packet_type != PT_ETHERNET):
        shown.append(packet_type_text(flow.packet_type, mask.packet_type))
        if flow.packet_type >> 16 == PT_NAMESPACE_ETHERTYPE:
            dl_type = flow.packet_type & 0xFFFF
    protocol = _PROTOCOL_NAMES.get((dl_type, flow.nw_proto)) if mask.nw_proto else None
    type_name = _TYPE_NAMES.get(dl_type)
    if mask.dl_type and type_name is not None:
        shown.append(protocol or type_name)
    shown += _shown(_REGS, flow, mask)
    shown += _tunnel(flow, mask)
    shown += _tun_options(match)
    shown += _shown(_METADATA, flow, mask)
    if mask.in_port:
        shown.append(f"in_port={port_text(OfpPort(flow.in_port), names)}")
    shown += _vlans(flow, mask)
    shown += _shown(_ETHERNET, flow, mask)
    if mask.dl_type and type_name is None:
        shown.append(f"dl_type={dl_type:#06x}")
    shown += _network(flow, mask, dl_type, protocol is not None and bool(mask.dl_type))
    shown += _shown(_BELOW_ADDRESSES, flow, mask)
    shown += _shown(_TRANSPORT.get((dl_type, flow.nw_proto), _PORTS), flow, mask)
    if mask.tcp_flags and flow.nw_proto == IPPROTO_TCP and is_ip(flow):
        tcp_flags = flags_masked_text(TCP_FLAGS, flow.tcp_flags, mask.tcp_flags & 0xFFF, 0xFFF)
        shown.append(f"tcp_flags={tcp_flags}")
    return ",".join(shown)


def _connection(flow: Flow, mask: Flow) -> Iterator[str]:
    if mask.ct_state:
        yield f"ct_state={flags_masked_text(CT_STATES, flow.ct_state, mask.ct_state, 0xFF)}"
    yield from _shown(_CT, flow, mask)
    if mask.ct_nw_proto:
        yield from _shown(_CT_PORTS, flow, mask)


def _tunnel(flow: Flow, mask: Flow) -> Iterator[str]:
    yield from _shown(_TUNNEL, flow, mask)
    yield from _shown(_ERSPAN.get(flow.tun_erspan_ver, ()), flow, mask)
    yield from _shown(_GTPU, flow, mask)
    flags_mask = mask.tun_flags & _TUN_FLAGS_SHOWN
    if flags_mask:
        flags = flow.tun_flags & _TUN_FLAGS_SHOWN
        shown = flags_masked_text(TUNNEL_FLAGS, flags, flags_mask, _TUN_FLAGS_SHOWN)
        yield f"tun_flags={shown}"


def _tun_options(match: Match) -> Iterator[str]:
    present = Flow.tun_metadata_present.of(match.value)
    for option in match.tun_options:
        name = f"tun_metadata{option.number}"
        value = match.value >> option.shift & option.ones
        mask = match.mask >> option.shift & option.ones
        if not present >> option.number & 1:
            yield f"{name}=NP"
        elif option.is_masked and not mask:
            yield name
        elif mask == option.ones:
            yield f"{name}={hex_text(value)}"
        else:
            yield f"{name}={hex_text(value)}/{hex_text(mask)}"


def _vlans(flow: Flow, mask: Flow) -> Iterator[str]:
    tags = ((flow.vlan_tci, mask.vlan_tci, ""), (flow.vlan1_tci, mask.vlan1_tci, "1"))
    for tci, tci_mask, suffix in tags:
        if not tci_mask:
            return
        vid_mask, pcp_mask = tci_mask & VLAN_VID_MASK, tci_mask & VLAN_PCP_MASK
        is_whole = vid_mask in (0, VLAN_VID_MASK) and pcp_mask in (0, VLAN_PCP_MASK)
        if tci_mask & tci & CFI and is_whole and (vid_mask or pcp_mask):
            if vid_mask:
                yield f"dl_vlan{suffix}={tci & VLAN_VID_MASK}"
            if pcp_mask:
                yield f"dl_vlan_pcp{suffix}={tci >> VLAN_PCP_SHIFT}"
        elif tci_mask == 0xFFFF:
            yield f"vlan_tci{suffix}={tci:#06x}"
        else:
            yield f"vlan_tci{suffix}={tci:#06x}/{tci_mask:#06x}"


def _network(flow: Flow, mask: Flow, dl_type: int, is_protocol_shown: bool) -> Iterator[str]:
    yield from _shown(_ADDRESSES.get(dl_type, _IPV4), flow, mask)
    if dl_type == ETH_TYPE_NSH and mask.nsh_mdtype == 0xFF and flow.nsh_mdtype == _NSH_MD_TYPE1:
        yield from _shown(_NSH_CONTEXT, flow, mask)
    if mask.nw_proto and not is_protocol_shown:
        yield f"{'arp_op' if dl_type in _ARP_TYPES else 'nw_proto'}={flow.nw_proto}"
    if dl_type in _ARP_TYPES:
        yield from _shown(_ARP_HARDWARE, flow, mask)


_LEFT_OUT_IF_ZERO = (
    Flow.in_port,
    Flow.skb_priority,
    Flow.pkt_mark,
    Flow.recirc_id,
    Flow.dp_hash,
    Flow.ct_state,
    Flow.ct_zone,
    Flow.ct_mark,
    Flow.ct_label,
    Flow.metadata,
    *Flow.regs,
)
_CT_ADDRESSES = {
    ETH_TYPE_IP: (Flow.ct_nw_src, Flow.ct_nw_dst),
    ETH_TYPE_IPV6: (Flow.ct_ipv6_src, Flow.ct_ipv6_dst),
}


def flow_text(flow: Flow, names: Names = NO_NAMES) -> str:
    """A packet's flow as flow_format() prints it: all that there is in a packet of its kind, and
    of what rides with it only what is not 0.
    """
    mask = packet_mask(flow)
    for bits in _LEFT_OUT_IF_ZERO:
        if flow.key & bits.mask:
            mask.fill(bits)
        else:
            mask.clear(bits)
    if not ct_match_is_valid(flow, mask) or not flow.ct_nw_proto:
        addresses = _CT_ADDRESSES.get(flow.dl_type, ())
        for bits in (Flow.ct_nw_proto, Flow.ct_tp_src, Flow.ct_tp_dst, *addresses):
            mask.clear(bits)
    # Unmasked, because what is left out of the list still says how to call the rest.
    return match_text(Match(flow.key, mask.key), names)
