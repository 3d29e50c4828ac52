"""How much of a flow is looked at, in words of 64 bits (``dp-extra-info:miniflow_bits``).

Open vSwitch keeps of a flow's words only those that its mask has anything in, in two maps: one of
what comes before the network layer, and one of the rest. The port that a frame came by is in
neither map: there are flows for each port apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from vnet.ovs.flow import tunnel_flags
from vnet.ovs.flow.flow import Bits, Flow

_WORD_BITS = 64


def _word(*members: Bits) -> int:
    return reduce(or_, (bits.mask for bits in members))


def _words(bits: Bits) -> list[int]:
    """The words of a member that takes several."""
    n_words = bits.ones.bit_length() // _WORD_BITS
    ones = (1 << _WORD_BITS) - 1
    return [ones << bits.shift + _WORD_BITS * index for index in range(n_words)]


def _last_bytes(bits: Bits, n_bytes: int) -> int:
    return ((1 << 8 * n_bytes) - 1) << bits.shift


def _first_bytes(bits: Bits, n_bytes: int) -> int:
    return bits.mask & ~_last_bytes(bits, bits.ones.bit_length() // 8 - n_bytes)


_REGISTERS = [_word(*pair) for pair in zip(Flow.regs[::2], Flow.regs[1::2], strict=True)]
_LABELS = [_word(*Flow.mpls_lse[index : index + 2]) for index in range(0, len(Flow.mpls_lse), 2)]

_LENGTH_OF_OPTIONS = _word(Flow.tun_metadata_present)
_TUNNEL = (
    _word(Flow.tun_dst),
    *_words(Flow.tun_ipv6_dst),
    _word(Flow.tun_src),
    *_words(Flow.tun_ipv6_src),
    _word(Flow.tun_id),
    _word(Flow.tun_flags, Flow.tun_tos, Flow.tun_ttl, Flow.tun_tp_src, Flow.tun_tp_dst),
    _word(Flow.tun_gbp_id, Flow.tun_gbp_flags, Flow.tun_erspan_ver, Flow.tun_erspan_idx),
    _word(Flow.tun_erspan_dir, Flow.tun_erspan_hwid, Flow.tun_gtpu_flags, Flow.tun_gtpu_msgtype),
    _LENGTH_OF_OPTIONS,
    *_words(Flow.tun_metadata),
)
_TAGS = _word(Flow.vlan_tpid, Flow.vlan_tci, Flow.vlan1_tpid, Flow.vlan1_tci)
_BEFORE_NETWORK = (
    *_TUNNEL,
    _word(Flow.metadata),
    *_REGISTERS,
    _word(Flow.skb_priority, Flow.pkt_mark),
    _word(Flow.dp_hash),
    _word(Flow.recirc_id, Flow.ct_state, Flow.ct_nw_proto, Flow.ct_zone),
    _word(Flow.ct_mark, Flow.packet_type),
    *_words(Flow.ct_label),
    _word(Flow.conj_id, Flow.actset_output),
    Flow.dl_dst.mask | _first_bytes(Flow.dl_src, 2),
    _last_bytes(Flow.dl_src, 4) | Flow.dl_type.mask,
    _TAGS,
    *_LABELS,
)
_FROM_NETWORK = (
    _word(Flow.nw_src, Flow.nw_dst),
    _word(Flow.ct_nw_src, Flow.ct_nw_dst),
    *_words(Flow.ipv6_src),
    *_words(Flow.ipv6_dst),
    *_words(Flow.ct_ipv6_src),
    *_words(Flow.ct_ipv6_dst),
    _word(Flow.ipv6_label, Flow.nw_frag, Flow.nw_tos, Flow.nw_ttl, Flow.nw_proto),
    *_words(Flow.nd_target),
    Flow.arp_sha.mask | _first_bytes(Flow.arp_tha, 2),
    _last_bytes(Flow.arp_tha, 4) | Flow.tcp_flags.mask,
    _word(Flow.nsh_flags, Flow.nsh_ttl, Flow.nsh_mdtype, Flow.nsh_np, Flow.nsh_path_hdr),
    *(_word(*Flow.nsh_context[index : index + 2]) for index in range(0, len(Flow.nsh_context), 2)),
    _word(Flow.tp_src, Flow.tp_dst, Flow.ct_tp_src, Flow.ct_tp_dst),
    _word(Flow.igmp_group_ip4),
)


def miniflow_bits_text(key: int, mask: int) -> str:
    """``miniflow_bits(4,1)``. Whether there is a tag is always looked at, and so is how long the
    options of Geneve are, even where there are none."""
    mask |= _TAGS
    if Flow.tun_flags.of(key) & tunnel_flags.GENEVE:
        mask |= _LENGTH_OF_OPTIONS
    return f"miniflow_bits({_count(mask, _BEFORE_NETWORK)},{_count(mask, _FROM_NETWORK)})"


def _count(mask: int, words: Sequence[int]) -> int:
    return sum(1 for word in words if mask & word)
