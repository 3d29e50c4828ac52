"""Sending a packet out of a port."""

from __future__ import annotations

from vnet.ovs.dpif.actions import Hash, HashAlgorithm, Output, Recirc, TnlPop, Trunc
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort, OfpPort
from vnet.ovs.flow.protocol_numbers import PT_ETHERNET, PT_NAMESPACE_ETHERTYPE
from vnet.ovs.ofproto.bond.bond import Bond
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.tunnel.config import PacketTypes
from vnet.ovs.ofproto.xlate.commit import commit
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.patch import patch_output
from vnet.ovs.ofproto.xlate.ports import is_stp
from vnet.ovs.ofproto.xlate.sampling import sample_output
from vnet.ovs.ofproto.xlate.stacks import IP_DSCP_MASK
from vnet.ovs.ofproto.xlate.termination import terminating_tunnel
from vnet.ovs.ofproto.xlate.tunnel import tunnel_output
from vnet.ovs.openflow.messages import PortConfig

_UNCUT_BYTES = 0xFFFF
_HEADERS = sum(
    bits.mask
    for bits in (
        *(Flow.dl_src, Flow.dl_dst, Flow.dl_type, Flow.packet_type, Flow.nw_tos),
        *(Flow.vlan_tpid, Flow.vlan_tci, Flow.vlan1_tpid, Flow.vlan1_tci),
    )
)
"""What an output may change, and puts back afterwards."""
_DSCP_SHIFT = 2


def compose_output(
    ctx: XlateCtx,
    ofp_port: OfpPort,
    *,
    check_stp: bool = True,
    is_last_action: bool = False,
    truncate: bool = False,
    bond: Bond | None = None,
) -> None:
    """Send the packet out of one port of the present bridge, whatever kind of port it is.

    ``check_stp`` is whether spanning trees count; ``is_last_action`` is whether nothing comes
    after it, so that no copy is needed; ``truncate`` is whether the packet has been cut for this
    output. With a ``bond`` the port is one of its links, and the datapath is to choose the link
    itself.
    """
    port = ctx.bridge.ports.get(ofp_port)
    if port is None:
        ctx.warn("Nonexistent output port")
        return
    if not _may_send(ctx, port, check_stp=check_stp):
        return
    peer = ctx.in_.backer.patch_peer(port)
    if peer is not None:
        if truncate:
            ctx.fail("Cannot truncate output to patch port")
        patch_output(ctx, port, *peer, is_last=is_last_action)
        return
    own_headers, n_outputs = ctx.flow.key & _HEADERS, ctx.n_outputs
    if port.packet_types is PacketTypes.LEGACY_L3:
        _leave_ethernet_behind(ctx)
    if port.queue_dscp:
        _mark_for_queue(ctx, port)
    if port.tunnel is not None:
        tunnel_output(ctx, port, truncate=truncate, is_last=is_last_action)
    elif port.odp_port is not None:
        commit(ctx)
        if bond is not None:
            ctx.actions.append(Hash(HashAlgorithm.L4, bond.settings.hash_basis))
            ctx.actions.append(Recirc(bond.recirc_id))
        else:
            _output(ctx, port, port.odp_port)
    if port.tunnel is not None or port.odp_port is not None:
        ctx.n_outputs = n_outputs + 1
    switching = ctx.bridge.switching
    if switching.mirrors:
        bundle = switching.bundle_of(ofp_port)
        if bundle is not None:
            ctx.mirror_packet(ctx, bundle, bundle.destination_mirrors)
    ctx.flow.key = ctx.flow.key & ~_HEADERS | own_headers


def _output(ctx: XlateCtx, port: OfPort, odp_port: OdpPort) -> None:
    tunnel = terminating_tunnel(ctx, port)
    if tunnel is not None:
        ctx.actions.append(TnlPop(tunnel))
        return
    sample_output(ctx, port)
    if 0 < ctx.mirror_snaplen < _UNCUT_BYTES:
        ctx.actions.append(Trunc(ctx.mirror_snaplen))
        ctx.slow_without("trunc")
    ctx.actions.append(Output(odp_port))


def _leave_ethernet_behind(ctx: XlateCtx) -> None:
    """For a port that carries packets without an Ethernet header."""
    if ctx.flow.packet_type == PT_ETHERNET:
        ctx.flow.packet_type = PT_NAMESPACE_ETHERTYPE << 16 | ctx.flow.dl_type
        ctx.pending_encap = False


def _mark_for_queue(ctx: XlateCtx, port: OfPort) -> None:
    """Give the packet the DSCP that the port has for its queue, for this output only."""
    ctx.wc.fill(Flow.skb_priority)
    dscp = port.queue_dscp.get(ctx.flow.skb_priority)
    if dscp is not None:
        ctx.wc.nw_tos |= IP_DSCP_MASK
        ctx.flow.nw_tos = ctx.flow.nw_tos & ~IP_DSCP_MASK | dscp << _DSCP_SHIFT


def _may_send(ctx: XlateCtx, port: OfPort, *, check_stp: bool) -> bool:
    """Whether anything stands against the output, the trace says what."""
    if PortConfig.NO_FWD in port.config:
        ctx.detail("OFPPC_NO_FWD set, skipping output")
    elif ctx.mirror_snaplen and port.odp_port is None:
        ctx.warn("Mirror truncate to ODPP_NONE, skipping output")
    elif _is_between_protected(ctx, port):
        ctx.warn("Flow is between protected ports, skipping output.")
    elif check_stp and not _is_on_tree(ctx, port):
        return False
    elif port.packet_types is PacketTypes.LEGACY_L2 and ctx.flow.packet_type != PT_ETHERNET:
        ctx.warn("Trying to send non-Ethernet packet through legacy L2 port. Dropping packet.")
    else:
        return True
    return False


def _is_on_tree(ctx: XlateCtx, port: OfPort) -> bool:
    """Whether a spanning tree has the packet, as the datapath has it, leave by a port."""
    tree = port.tree
    if is_stp(ctx.base_flow):
        if not tree.sends_bpdus:
            ctx.warn(f"{tree.protocol} not in listening state, skipping bpdu output")
        return tree.sends_bpdus
    if not tree.forwards:
        ctx.warn(f"{tree.protocol} not in forwarding state, skipping output")
    return tree.forwards


def _is_between_protected(ctx: XlateCtx, port: OfPort) -> bool:
    bundle_of = ctx.bridge.switching.bundle_of
    target = bundle_of(port.number)
    if target is None or not target.is_protected:
        return False
    source = bundle_of(OfpPort(ctx.flow.in_port))
    return source is not None and source.is_protected
