"""Sending a packet through a tunnel.

The headers that a tunnel puts in front are made here, once for a flow: the way, the source address
and the neighbour are asked for while translating. Then translation goes on in the underlay's
bridge, with the packet as the datapath has it by then, so that one datapath flow leads all the
way out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from vnet.base.ids import IpAddress, Mac, ip_text, mac_text
from vnet.base.record import record
from vnet.netdev.route_source import source_address
from vnet.ovs.dpif.actions import (
    Clone,
    DropCause,
    Output,
    Recirc,
    TnlPush,
    TunnelType,
)
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    IPPROTO_UDP,
    PT_ETHERNET,
)
from vnet.ovs.ofproto.tunnel.header import address_tunnel, outer_header
from vnet.ovs.ofproto.tunnel.ports import tunnel_ends
from vnet.ovs.ofproto.tunnel.requests import neighbor_request
from vnet.ovs.ofproto.xlate.cache import LostCopy, PatchCredit, SideEffect, XlateCache
from vnet.ovs.ofproto.xlate.commit import commit, commit_tunnel
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.patch import patch_output
from vnet.ovs.ofproto.xlate.recirc import TUNNEL_MASK
from vnet.ovs.ofproto.xlate.sampling import sample_output
from vnet.wire.gre import PROTOCOL as IPPROTO_GRE

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ofproto import Ofproto
    from vnet.ovs.ofproto.ports.ofport import OfPort
    from vnet.ovs.ofproto.tunnel.neighbors import NeighborCache

_OUTER = sum(
    bits.mask
    for bits in (
        *(Flow.dl_dst, Flow.dl_src, Flow.dl_type, Flow.packet_type),
        *(Flow.vlan_tpid, Flow.vlan_tci, Flow.vlan1_tpid, Flow.vlan1_tci),
        *(Flow.nw_src, Flow.nw_dst, Flow.ipv6_src, Flow.ipv6_dst),
        *(Flow.nw_proto, Flow.nw_tos, Flow.nw_ttl, Flow.nw_frag, Flow.tp_src, Flow.tp_dst),
    )
)
"""What of a flow the outer headers say."""

_UDP_TUNNELS = (TunnelType.VXLAN, TunnelType.GENEVE)


class _Way(NamedTuple):
    """Where a tunnel's packets go: the underlay's port, the next hop, and the outer source."""

    bridge: Ofproto
    port: OfPort
    next_hop: IpAddress
    source: IpAddress


@record(frozen=True, slots=True)
class NeighborUse:
    """A tunnel went by way of a neighbour, who is not forgotten while it does."""

    neighbors: NeighborCache
    bridge: str
    ip: IpAddress

    def push(self, _stats: FlowStats) -> None:
        self.neighbors.lookup(self.bridge, self.ip)


@record(frozen=True, slots=True)
class UnderlayEffects:
    """What a packet does in the underlay, where it is longer by its outer headers."""

    effects: tuple[SideEffect, ...]
    header_bytes: int

    def push(self, stats: FlowStats) -> None:
        n_bytes = stats.n_bytes + stats.n_packets * self.header_bytes
        longer = FlowStats(stats.n_packets, n_bytes, stats.used_ns, stats.tcp_flags)
        for effect in self.effects:
            effect.push(longer)


def tunnel_output(ctx: XlateCtx, port: OfPort, *, truncate: bool, is_last: bool) -> None:
    """Send the packet through the tunnel of a port."""
    underlay = ctx.in_.backer.underlay
    if port.tunnel is None or port.odp_port is None or not underlay.tunnels.has(port):
        ctx.warn("Tunneling decided against output")
        return
    own_tunnel = ctx.flow.key & TUNNEL_MASK
    address_tunnel(port.tunnel, ctx.flow, ctx.wc)
    if tunnel_ends(ctx.flow.key)[1] == tunnel_ends(ctx.in_.flow.key)[1]:
        ctx.warn("Not tunneling to our own address")
        return
    ctx.credit(PatchCredit(tx=port, rx=None))
    if underlay.is_native:
        ctx.detail("output to native tunnel")
        commit(ctx)
        _output_natively(ctx, port, truncate=truncate, is_last=is_last)
        ctx.flow.key = ctx.flow.key & ~TUNNEL_MASK | own_tunnel
    else:
        ctx.detail("output to kernel tunnel")
        commit_tunnel(ctx)
        ctx.flow.key = ctx.flow.key & ~TUNNEL_MASK | own_tunnel
        commit(ctx)
        sample_output(ctx, port)
        ctx.actions.append(Output(port.odp_port))


def _output_natively(ctx: XlateCtx, port: OfPort, *, truncate: bool, is_last: bool) -> None:
    way = _find_way(ctx)
    if way is None:
        ctx.lost_copies.append(LostCopy(port, DropCause.NO_TUNNEL_ROUTE))
        ctx.warn("native tunnel routing failed")
        return
    ctx.detail(f"tunneling to {ip_text(way.next_hop)} via {way.port.name}")
    underlay = ctx.in_.backer.underlay
    mac = underlay.neighbor(way.bridge.name, way.port.name, way.next_hop)
    if mac is None:
        ctx.lost_copies.append(LostCopy(port, DropCause.NO_TUNNEL_NEIGHBOR))
        _ask(ctx, way)
        return
    if ctx.in_.cache is not None:
        ctx.in_.cache.add(NeighborUse(underlay.neighbors, way.bridge.name, way.next_hop))
    ctx.detail(
        f"tunneling from {mac_text(way.port.mac)} {ip_text(way.source)}"
        f" to {mac_text(mac)} {ip_text(way.next_hop)}"
    )
    push = _push(ctx, port, way, mac)
    if push is None:
        ctx.warn("native tunnel header build failed")
        return
    flow, base = ctx.flow.key, ctx.base_flow.key
    _become_outer(ctx, push, way, mac)
    start = len(ctx.actions)
    ctx.actions.append(push)
    if truncate:
        # What was cut is not the length that statistics go by, so the datapath looks it up anew.
        ctx.actions.append(Recirc(0))
    else:
        _output_in_underlay(ctx, port, way, len(push.header), is_last=is_last)
    ctx.flow.key, ctx.base_flow.key = flow, base
    pushed = tuple(ctx.actions[start:])
    del ctx.actions[start:]
    if len(pushed) > 1:
        ctx.actions += pushed if is_last else (Clone(pushed),)


def _find_way(ctx: XlateCtx) -> _Way | None:
    """Where the flow's tunnel leads: by which port of which bridge, and over whom."""
    underlay, flow = ctx.in_.backer.underlay, ctx.flow
    _, target = tunnel_ends(flow.key)
    wanted = IpAddress(flow.tun_src.to_bytes(4, "big")) if flow.tun_src else None
    route = underlay.router.lookup(target, mark=flow.pkt_mark, source=wanted)
    found = None if route is None else underlay.port_of(route.device)
    if route is None or found is None:
        return None
    return _Way(*found, route.gateway or target, route.source)


def _ask(ctx: XlateCtx, way: _Way) -> None:
    """Ask the underlay who has the next hop's address."""
    kind = "ARP" if len(way.next_hop) == 4 else "ND"
    ctx.detail(
        f"neighbor cache miss for {ip_text(way.next_hop)} on bridge {way.bridge.name}, "
        f"sending {kind} request"
    )
    if not ctx.may_act:
        return
    backer = ctx.in_.backer
    source = source_address(backer.underlay.router.host, way.bridge.name, way.next_hop)
    request = neighbor_request(way.port.mac, source or way.source, way.next_hop)
    backer.send_to_tables(way.bridge, way.port, request, depth=ctx.depth, resubmits=ctx.resubmits)


def _push(ctx: XlateCtx, port: OfPort, way: _Way, mac: Mac) -> TnlPush | None:
    assert port.tunnel is not None
    made = outer_header(port.tunnel, ctx.flow, way.port.mac, mac, way.source)
    if made is None or port.odp_port is None or way.port.odp_port is None:
        return None
    return TnlPush(port.odp_port, *made, way.port.odp_port)


def _become_outer(ctx: XlateCtx, push: TnlPush, way: _Way, mac: Mac) -> None:
    """The packet, and what the datapath has of it, are those with the outer headers from now on."""
    outer = Flow()
    flow = ctx.flow
    outer.dl_dst, outer.dl_src = int.from_bytes(mac, "big"), int.from_bytes(way.port.mac, "big")
    outer.packet_type = PT_ETHERNET
    outer.nw_dst, outer.nw_src = flow.tun_dst, flow.tun_src
    outer.ipv6_dst, outer.ipv6_src = flow.tun_ipv6_dst, flow.tun_ipv6_src
    source = int.from_bytes(way.source, "big")
    if flow.tun_dst:
        outer.dl_type = ETH_TYPE_IP
        outer.nw_src = outer.nw_src or source
    else:
        outer.dl_type = ETH_TYPE_IPV6
        outer.ipv6_src = outer.ipv6_src or source
    outer.nw_tos, outer.nw_ttl = flow.tun_tos, flow.tun_ttl
    outer.tp_dst, outer.tp_src = flow.tun_tp_dst, flow.tun_tp_src
    outer.nw_proto = IPPROTO_UDP if push.tunnel_type in _UDP_TUNNELS else IPPROTO_GRE
    ctx.flow.key = ctx.flow.key & ~_OUTER | outer.key
    ctx.base_flow.key = ctx.base_flow.key & ~_OUTER | outer.key


def _output_in_underlay(
    ctx: XlateCtx, port: OfPort, way: _Way, header_bytes: int, *, is_last: bool
) -> None:
    """Let the packet into the underlay's bridge, as if it had come from the host."""
    with _apart(ctx) as cache:
        patch_output(ctx, port, way.bridge, way.port, is_last=is_last)
    ctx.credit(UnderlayEffects(tuple(cache.effects), header_bytes))
    if ctx.in_.cache is not None:
        ctx.in_.cache.stations.update(cache.stations)


@contextmanager
def _apart(ctx: XlateCtx) -> Iterator[XlateCache]:
    """What is looked at meanwhile is of the outer headers, which no frame decides about; what is
    done is kept, to be done for packets of another length."""
    xin, wc = ctx.in_, ctx.wc
    wishes = xin.stats, xin.cache, xin.allow_side_effects, xin.frame
    cache = XlateCache()
    xin.stats, xin.cache, xin.allow_side_effects, xin.frame = None, cache, False, None
    ctx.wc = Flow()
    yield cache
    xin.stats, xin.cache, xin.allow_side_effects, xin.frame = wishes
    ctx.wc = wc
