"""Catching packets that arrive for a tunnel, and learning neighbours on the way.

A packet that is about to leave for the host itself may be a tunnel's: then it does not leave.
"""

from __future__ import annotations

from vnet.base.ids import IpAddress, Mac
from vnet.ovs.flow.flow import Bits, Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.flow.prerequisites import is_nd
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    IPPROTO_ICMPV6,
    ND_NEIGHBOR_ADVERT,
)
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.wire.arp import REPLY

_SOLICITED_NODE = bytes.fromhex("01ff")
"""What the group of a solicited node has before the end of the address that it is the group of
(RFC 4291 section 2.7.1)."""


def terminating_tunnel(ctx: XlateCtx, port: OfPort) -> OdpPort | None:
    """The tunnel port that waits for a packet which leaves by a port of the host's.

    Without one, answers to ARP and Neighbor Discovery are listened to; with one, the packet itself
    shows where its sender is.
    """
    underlay, flow = ctx.in_.backer.underlay, ctx.flow
    if not underlay.is_native or not underlay.has_address(port):
        return None
    found = underlay.listener(flow, ctx.wc)
    if found is None:
        if _is_answer_for_us(ctx) or _is_gratuitous(flow, ctx.wc):
            _snoop(ctx)
    elif flow.dl_type == ETH_TYPE_IP:
        _learn(ctx, Flow.nw_src, Flow.dl_src)
    elif flow.dl_type == ETH_TYPE_IPV6:
        _learn(ctx, Flow.ipv6_src, Flow.dl_src)
    return found


def _learn(ctx: XlateCtx, ip: Bits, mac: Bits) -> None:
    if ctx.in_.allow_side_effects:
        address, owner = (ctx.flow.get(bits).to_bytes(bits.width // 8, "big") for bits in (ip, mac))
        ctx.in_.backer.underlay.neighbors.learn(ctx.bridge.name, IpAddress(address), Mac(owner))


def _is_answer_for_us(ctx: XlateCtx) -> bool:
    """Whether a packet that may tell of a neighbour is for an address of this bridge, or for the
    first of any other of its ports."""
    flow = ctx.flow
    is_arp = flow.dl_type == ETH_TYPE_ARP
    if not is_arp and flow.nw_proto != IPPROTO_ICMPV6:
        return False
    addresses_of = ctx.in_.backer.underlay.router.host.addresses
    ours = [address.ip for address in addresses_of(ctx.bridge.name)]
    for port in ctx.bridge.ports.values():
        ours += [address.ip for address in addresses_of(port.name)[:1]]
    if is_arp:
        return flow.nw_dst.to_bytes(4, "big") in ours
    target = flow.ipv6_dst.to_bytes(16, "big")
    return any(len(ip) == 16 and _reaches(target, ip) for ip in ours)


def _reaches(target: bytes, ip: IpAddress) -> bool:
    """Whether what was sent to ``target`` is for ``ip``, be it by its group."""
    is_link_local_group = target[0] == 0xFF and target[1] & 0xF == 0x2
    is_group = is_link_local_group and target[11:13] == _SOLICITED_NODE
    return target == ip or (is_group and target[13:] == ip[13:])


def _is_gratuitous(flow: Flow, wc: Flow) -> bool:
    """Whether somebody announces an address of its own, be it a question or an answer."""
    if flow.dl_type != ETH_TYPE_ARP:
        return False
    wc.fill(Flow.nw_src)
    wc.fill(Flow.nw_dst)
    return flow.nw_src == flow.nw_dst


def _snoop(ctx: XlateCtx) -> None:
    """Learn from an ARP packet or a Neighbor Advertisement, if it is one."""
    flow, wc = ctx.flow, ctx.wc
    if flow.dl_type == ETH_TYPE_ARP:
        if not _is_gratuitous(flow, wc):
            wc.fill(Flow.nw_proto)
            if flow.nw_proto != REPLY:
                return
        wc.fill(Flow.arp_sha)
        if flow.arp_sha:
            wc.fill(Flow.nw_src)
            _learn(ctx, Flow.nw_src, Flow.arp_sha)
    elif is_nd(flow, wc) and flow.tp_src == ND_NEIGHBOR_ADVERT:
        # Those without a link-layer address are for others, whose question we did not ask.
        wc.fill(Flow.arp_tha)
        if flow.arp_tha:
            for bits in (Flow.ipv6_src, Flow.ipv6_dst, Flow.nd_target):
                wc.fill(bits)
            _learn(ctx, Flow.nd_target, Flow.arp_tha)
