"""Actions that work on a copy of the packet: ``clone``, and the two ways of a length check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from vnet.ovs.dpif.actions import (
    SAMPLE_ALWAYS,
    CheckPktLen,
    Clone,
    OdpAction,
    OdpActions,
    Sample,
)
from vnet.ovs.ofproto.xlate.commit import commit
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.loop import (
    Place,
    Verdict,
    carries_out_in_place,
    do_actions,
    end_pipeline,
)
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.ofpacts import Ofpact, Ofpacts

_IRREVERSIBLE: frozenset[type[Ofpact]] = frozenset(
    (
        ofpacts.Ct,
        ofpacts.Meter,
        ofpacts.Nat,
        ofpacts.OutputTrunc,
        ofpacts.Encap,
        ofpacts.Decap,
        ofpacts.DecNshTtl,
    )
)
"""What no later action undoes, so that only a copy of the packet may go through it."""

_LEAST_NESTING = 3
"""Samples that copy stand in others, so that many levels are not enough."""


@contextmanager
def saved_pipeline(ctx: XlateCtx) -> Iterator[None]:
    """Put the flow, the stack and the action set back afterwards."""
    flow = ctx.flow.key
    stack, stack_bytes = ctx.stack, ctx.stack_bytes
    action_set = ctx.action_set
    ctx.stack, ctx.action_set = stack.copy(), action_set.copy()
    yield
    ctx.flow.key = flow
    ctx.stack, ctx.stack_bytes = stack, stack_bytes
    ctx.action_set = action_set


@contextmanager
def saved_packet(ctx: XlateCtx) -> Iterator[None]:
    """Put back what is known of the datapath's packet: what is done meanwhile is done to a copy."""
    base, was_mpls, conntracked = ctx.base_flow.key, ctx.was_mpls, ctx.conntracked
    yield
    ctx.base_flow.key = base
    ctx.was_mpls, ctx.conntracked = was_mpls, conntracked


def do_pipeline(ctx: XlateCtx, actions: Ofpacts, *, is_last: bool) -> None:
    """Carry out actions as if the pipeline ended with them."""
    do_actions(ctx, actions, is_last=is_last)
    end_pipeline(ctx)


def take_actions(ctx: XlateCtx, start: int) -> OdpActions:
    """Take the datapath actions from ``start`` on out again, to nest them in another."""
    nested = tuple(ctx.actions[start:])
    del ctx.actions[start:]
    return nested


def do_on_clone(ctx: XlateCtx, actions: Ofpacts, is_last: bool) -> None:
    """Carry out actions so that nothing of them shows in the packet afterwards.

    Mostly it is enough to restore the flow: the next commit undoes what was done. Where that is
    not possible the datapath makes a copy: by ``clone``, or as a sample of all packets.
    """
    with saved_pipeline(ctx):
        if is_last or not any(type(action) in _IRREVERSIBLE for action in actions):
            do_pipeline(ctx, actions, is_last=is_last)
            return
        commit(ctx)
        copied = _copier(ctx)
        if copied is None:
            ctx.fail("Failed to compose clone action")
            return
        with saved_packet(ctx):
            start = len(ctx.actions)
            do_pipeline(ctx, actions, is_last=True)
            nested = take_actions(ctx, start)
            if nested:
                ctx.actions.append(copied(nested))


def _copier(ctx: XlateCtx) -> Callable[[OdpActions], OdpAction] | None:
    """What has the datapath do something with a copy; None: nothing does."""
    if ctx.supports("clone"):
        return Clone
    if ctx.in_.backer.features["sample_nesting"] > _LEAST_NESTING:
        return partial(Sample, SAMPLE_ALWAYS)
    return None


@carries_out_in_place(ofpacts.Clone)
def _clone(ctx: XlateCtx, action: ofpacts.Clone, place: Place) -> Verdict:
    do_on_clone(ctx, action.actions, place.is_last)
    return Verdict.NEXT


@carries_out_in_place(ofpacts.CheckPktLarger)
def _check_pkt_larger(ctx: XlateCtx, action: ofpacts.CheckPktLarger, place: Place) -> Verdict:
    """Translate the rest of the list twice: as if the packet were larger, and as if not.

    As in Open vSwitch, what the first translation does to the stack and the action set is there
    in the second. Where the datapath cannot tell, the packet at hand decides, and each comes up.
    """
    if not ctx.supports("check_pkt_len"):
        frame = ctx.in_.frame
        is_large = frame is not None and len(frame) > action.packet_bytes
        action.destination.put(ctx.flow, int(is_large))
        ctx.slow_without("check_pkt_len")
        return Verdict.NEXT
    with saved_pipeline(ctx):
        commit(ctx)
        is_larger = _rest_for_outcome(ctx, action, place.rest, 1)
        exit_after, ctx.exit = ctx.exit, False
        is_not_larger = _rest_for_outcome(ctx, action, place.rest, 0)
    ctx.exit = exit_after
    ctx.actions.append(CheckPktLen(action.packet_bytes, is_larger, is_not_larger))
    return Verdict.LAST


def _rest_for_outcome(
    ctx: XlateCtx, action: ofpacts.CheckPktLarger, rest: Ofpacts, outcome: int
) -> OdpActions:
    start, flow = len(ctx.actions), ctx.flow.key
    with saved_packet(ctx):
        action.destination.put(ctx.flow, outcome)
        do_pipeline(ctx, rest, is_last=True)
    ctx.flow.key = flow
    return take_actions(ctx, start)
