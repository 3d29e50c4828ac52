"""Stations that announce themselves: they have moved, or have just been switched on."""

from __future__ import annotations

from vnet.ovs.flow.flow import Flow

_TYPE_ARP = 0x0806
_REQUEST = 1
_REPLY = 2
_MAC_BROADCAST = 0xFFFF_FFFF_FFFF


def is_gratuitous_arp(flow: Flow, wc: Flow) -> bool:
    """Whether a station announces itself to everybody (RFC 5227 section 3 explains why)."""
    if flow.dl_type != _TYPE_ARP:
        return False
    wc.fill(Flow.dl_dst)
    if flow.dl_dst != _MAC_BROADCAST:
        return False
    wc.fill(Flow.nw_proto)
    if flow.nw_proto != _REQUEST:
        return flow.nw_proto == _REPLY
    wc.fill(Flow.nw_src)
    wc.fill(Flow.nw_dst)
    return flow.nw_src == flow.nw_dst
