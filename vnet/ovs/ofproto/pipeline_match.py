"""What a controller is told of a packet besides its bytes."""

from __future__ import annotations

from vnet.ovs.flow.flow import Bits, Flow
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.flow.protocol_numbers import (
    CS_ESTABLISHED,
    CS_NEW,
    CS_REPLY_DIR,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
)
from vnet.ovs.flow.tunnel_flags import OAM
from vnet.ovs.openflow.messages import IN_PORT_MASK

_FOLLOWS = (
    Flow.tun_id,
    Flow.tun_src,
    Flow.tun_dst,
    Flow.tun_ipv6_src,
    Flow.tun_ipv6_dst,
    Flow.tun_gbp_id,
    Flow.tun_gbp_flags,
    Flow.tun_erspan_ver,
    Flow.tun_erspan_idx,
    Flow.tun_erspan_dir,
    Flow.tun_erspan_hwid,
    Flow.tun_gtpu_flags,
    Flow.tun_gtpu_msgtype,
    Flow.metadata,
    *Flow.regs,
    Flow.pkt_mark,
    Flow.packet_type,
    Flow.ct_state,
    Flow.ct_zone,
    Flow.ct_mark,
    Flow.ct_label,
)
"""Told where they are not 0."""
_ANY = sum(bits.mask for bits in _FOLLOWS)

_PORTS = (Flow.ct_nw_proto, Flow.ct_tp_src, Flow.ct_tp_dst)
_TUPLES: dict[int, tuple[Bits, ...]] = {
    ETH_TYPE_IP: (Flow.ct_nw_src, Flow.ct_nw_dst, *_PORTS),
    ETH_TYPE_IPV6: (Flow.ct_ipv6_src, Flow.ct_ipv6_dst, *_PORTS),
}
_HAS_TUPLE = CS_NEW | CS_ESTABLISHED | CS_REPLY_DIR
_TUNNEL_OAM = OAM << Flow.tun_flags.shift


def pipeline_match(key: int, options: Match = CATCHALL) -> Match:
    """The match of a packet-in for a packet whose flow is ``key``; its in_port is OpenFlow's.

    In_port stands in it in any case, all else where it says something. ``options`` are those of
    the tunnel that it came by.
    """
    mask = IN_PORT_MASK
    if key & _ANY:
        for bits in _FOLLOWS:
            if key & bits.mask:
                mask |= bits.mask
    if key & _TUNNEL_OAM:
        mask |= _TUNNEL_OAM
    if key & Flow.ct_state.mask:
        mask |= Flow.dl_type.mask | _tuple_mask(key)
    return Match(key & mask | options.value, mask | options.mask, options.tun_options)


def _tuple_mask(key: int) -> int:
    """The addresses and ports that the connection of a packet began with."""
    if not Flow.ct_state.of(key) & _HAS_TUPLE or not Flow.ct_nw_proto.of(key):
        return 0
    return sum(bits.mask for bits in _TUPLES.get(Flow.dl_type.of(key), ()))
