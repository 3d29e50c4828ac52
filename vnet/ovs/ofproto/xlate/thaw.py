"""Thawing: going on with a translation that froze."""

from __future__ import annotations

from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.flow.ports import OFPP_UNSET
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.control import write_actions
from vnet.ovs.ofproto.xlate.recirc import FROZEN_MASK, FrozenState
from vnet.ovs.ofproto.xlate.report import NodeKind
from vnet.ovs.ofproto.xlate.report_text import report_actions
from vnet.ovs.ofproto.xlate.stacks import clear_connection


def thaw(ctx: XlateCtx, state: FrozenState) -> None:
    """Put the context back to where the translation stopped; its actions are the caller's."""
    outer = ctx.trace
    ctx.trace = ctx.report(NodeKind.THAW, "thaw")
    if ctx.in_.actions or ctx.rule is not None:
        what = "actions" if ctx.in_.actions else "rule"
        ctx.fail(f"Recirculation conflict ({what})!", DropCause.RECIRCULATION_CONFLICT)
    elif ctx.in_.backer.bridges.get(state.bridge.name) is not state.bridge:
        ctx.fail("Frozen bridge no longer exists.", DropCause.BRIDGE_NOT_FOUND)
        ctx.trace = outer
    else:
        _restore(ctx, state)
        ctx.trace = outer


def _restore(ctx: XlateCtx, state: FrozenState) -> None:
    ctx.bridge = state.bridge
    ctx.table_id = state.table_id
    ctx.report(NodeKind.THAW, f"Resuming from table {state.table_id}")
    ctx.conntracked = state.conntracked
    if not state.conntracked:
        clear_connection(ctx.flow)
    ctx.flow.key = ctx.flow.key & ~FROZEN_MASK | state.metadata
    ctx.push_stack(state.stack)
    ctx.mirrors = state.mirrors
    if state.action_set:
        report_actions(ctx, NodeKind.THAW, "Restoring action set", state.action_set)
        ctx.flow.actset_output = OFPP_UNSET
        write_actions(ctx, state.action_set)
    if state.actions:
        report_actions(ctx, NodeKind.THAW, "Restoring actions", state.actions)
