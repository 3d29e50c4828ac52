"""Patch ports: a packet goes out of one bridge and, in the same translation, into another."""

from __future__ import annotations

from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OFPP_UNSET, OfpPort
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.xlate.cache import PatchCredit
from vnet.ovs.ofproto.xlate.clone import do_on_clone
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.freeze import cancel_freeze
from vnet.ovs.ofproto.xlate.loop import end_pipeline
from vnet.ovs.ofproto.xlate.ports import may_receive
from vnet.ovs.ofproto.xlate.recirc import REGS_MASK, TUNNEL_MASK
from vnet.ovs.ofproto.xlate.report import NodeKind
from vnet.ovs.ofproto.xlate.special import take_special
from vnet.ovs.ofproto.xlate.stacks import clear_connection
from vnet.ovs.ofproto.xlate.tables import do_table

_OF_ONE_BRIDGE = TUNNEL_MASK | REGS_MASK | Flow.metadata.mask
"""What a packet has in one bridge and loses on its way into another."""


def patch_output(
    ctx: XlateCtx, out: OfPort, peer_bridge: Ofproto, peer: OfPort, *, is_last: bool
) -> None:
    """Let the packet come in by ``peer``; afterwards all is as if it had just left by ``out``.

    The other bridge's errors, freezing and changes are its own: here the packet goes on as it was.
    """
    bridge, trace, mirrors = ctx.bridge, ctx.trace, ctx.mirrors
    flow, tunnel_wc = ctx.flow.key, ctx.wc.key & TUNNEL_MASK
    stack, stack_bytes, action_set = ctx.stack, ctx.stack_bytes, ctx.action_set
    conntracked, was_mpls = ctx.conntracked, ctx.was_mpls

    ctx.stack, ctx.stack_bytes, ctx.action_set = [], 0, []
    ctx.flow.in_port = peer.number
    ctx.flow.key &= ~_OF_ONE_BRIDGE
    ctx.flow.actset_output = OFPP_UNSET
    ctx.wc.key &= ~TUNNEL_MASK
    clear_connection(ctx.flow)
    ctx.conntracked = False
    ctx.trace = ctx.report(NodeKind.BRIDGE, f'bridge("{peer_bridge.name}")')
    if peer_bridge is not bridge:
        ctx.mirrors = 0
        ctx.bridge = peer_bridge

    if not take_special(ctx, peer) and may_receive(ctx.flow, peer):
        if peer.tree.forwards:
            _enter(ctx, is_last=is_last)
            end_pipeline(ctx)
        else:
            _look(ctx, is_last=is_last)

    ctx.trace, ctx.bridge = trace, bridge
    if peer_bridge is not bridge:
        ctx.mirrors = mirrors
    ctx.flow.key = flow
    ctx.wc.key = ctx.wc.key & ~TUNNEL_MASK | tunnel_wc
    ctx.stack, ctx.stack_bytes, ctx.action_set = stack, stack_bytes, action_set
    ctx.conntracked, ctx.was_mpls = conntracked, was_mpls
    ctx.exit = False
    ctx.error = DropCause.OK
    ctx.credit(PatchCredit(tx=out, rx=peer))


def _enter(ctx: XlateCtx, *, is_last: bool) -> None:
    do_table(
        ctx,
        OfpPort(ctx.flow.in_port),
        0,
        may_packet_in=True,
        honor_table_miss=True,
        is_last=is_last,
        rule_actions=do_on_clone,
    )


def _look(ctx: XlateCtx, *, is_last: bool) -> None:
    """The peer does not forward: NORMAL and flows that learn look at the packet, no more."""
    base_flow, n_actions, mirrors = ctx.base_flow.copy(), len(ctx.actions), ctx.mirrors
    _enter(ctx, is_last=is_last)
    ctx.base_flow, ctx.mirrors = base_flow, mirrors
    del ctx.actions[n_actions:]
    cancel_freeze(ctx)
