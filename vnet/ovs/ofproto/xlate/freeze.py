"""Freezing: stopping a translation half-way so that it can go on later, in another one.

Whoever needs to know more than the flow tells calls :func:`trigger_freeze`. On the way out every
list of actions that is under way leaves what it has not done yet in ``frozen_actions``, in the
order in which that has to be done; at the end :func:`finish_freezing` gives the lot a number.
"""

from __future__ import annotations

from vnet.ovs.dpif.actions import Clone, Hash, HashAlgorithm, Meter, Recirc, Userspace
from vnet.ovs.dpif.cookies import ControllerCookie
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.ports import OFPP_IN_PORT
from vnet.ovs.ofproto.xlate.commit import commit
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.recirc import FROZEN_MASK, FrozenState
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.ofpacts import (
    TABLE_ALL,
    GotoTable,
    Ofpact,
    Ofpacts,
    PacketInReason,
    Resubmit,
    SetField,
    UnrollXlate,
    WriteMetadata,
)

_MAY_TELL_CONTROLLER = frozenset(
    (
        ofpacts.OutputReg,
        ofpacts.OutputTrunc,
        ofpacts.Group,
        ofpacts.Output,
        ofpacts.Controller,
        ofpacts.DecMplsTtl,
        ofpacts.DecNshTtl,
        ofpacts.DecTtl,
    )
)
"""Actions whose packet-ins name the table and cookie of the rule that they stand in."""

_FORGOTTEN = frozenset((ofpacts.Note, ofpacts.Conjunction))


def trigger_freeze(ctx: XlateCtx) -> None:
    """Stop here."""
    ctx.exit = True
    ctx.freezing = True


def trigger_recirculate_behind_meter(ctx: XlateCtx, meter_id: int) -> None:
    """Stop behind a meter that changes packets, which others must not see: a copy goes through it.

    The rest is carried out later even where it is nothing: it must not become a lookup in table 0.
    """
    ctx.recirc_meter_id = meter_id
    ctx.unroll = UnrollXlate(ctx.table_id, ctx.rule_cookie)
    ctx.frozen_actions.append(ctx.unroll)
    trigger_freeze(ctx)


def trigger_recirculate_with_hash(ctx: XlateCtx, algorithm: HashAlgorithm, basis: int) -> None:
    """Stop here, and have the datapath compute a hash meanwhile."""
    trigger_freeze(ctx)
    ctx.recirc_hash = algorithm, basis


def cancel_freeze(ctx: XlateCtx) -> None:
    """Forget what was frozen, if anything was."""
    if ctx.freezing:
        ctx.freezing = False
        ctx.recirc_hash = None
        ctx.recirc_meter_id = None
        ctx.frozen_actions.clear()
        ctx.unroll = None
        ctx.pause = None


def freeze_actions(ctx: XlateCtx, actions: Ofpacts) -> None:
    """Keep actions for later, with what they need to know of the rule that they stand in.

    Instructions are kept as the actions that do the same.
    """
    for action in actions:
        kind = type(action)
        if kind in _MAY_TELL_CONTROLLER:
            _remember_rule(ctx)
        elif isinstance(action, Resubmit):
            if action.table_id == TABLE_ALL:
                _remember_rule(ctx)
        elif kind in _FORGOTTEN:
            continue
        ctx.frozen_actions.append(_as_action(action))


def _remember_rule(ctx: XlateCtx) -> None:
    unroll = UnrollXlate(ctx.table_id, ctx.rule_cookie)
    if ctx.unroll != unroll:
        ctx.unroll = unroll
        ctx.frozen_actions.append(unroll)


def _as_action(action: Ofpact) -> Ofpact:
    if isinstance(action, GotoTable):
        return Resubmit(OFPP_IN_PORT, action.table_id)
    if isinstance(action, WriteMetadata):
        return SetField(FIELDS["metadata"], action.metadata, action.mask)
    return action


def frozen_state(
    ctx: XlateCtx,
    table_id: int,
    *,
    actions: Ofpacts = (),
    action_set: Ofpacts = (),
    userdata: bytes = b"",
    with_origin: bool = False,
) -> FrozenState:
    """What a translation needs to go on from here."""
    return FrozenState(
        bridge=ctx.bridge,
        table_id=table_id,
        metadata=ctx.flow.key & FROZEN_MASK,
        stack=tuple(ctx.stack),
        mirrors=ctx.mirrors,
        conntracked=ctx.conntracked,
        was_mpls=ctx.was_mpls,
        origin=ctx.origin if with_origin else None,
        actions=actions,
        action_set=action_set,
        userdata=userdata,
    )


def hold_state(ctx: XlateCtx, state: FrozenState) -> int:
    """The number of a state, which the translation's actions refer to from now on."""
    recirc_id = ctx.in_.backer.recirc.ref_state(state)
    ctx.recirc_ids.append(recirc_id)
    return recirc_id


def finish_freezing(ctx: XlateCtx) -> None:
    """The lists under way are through: have the packet looked up again from table 0."""
    commit(ctx)
    freeze_at(ctx, 0)


def freeze_at(ctx: XlateCtx, table_id: int) -> int:
    """Have the packet looked up again, or sent to the controller that asked for a pause.

    Without frozen actions it goes on with a lookup in ``table_id``. Returns the number of the
    frozen state; 0 where a pause is not carried out, because nothing outside may be touched.
    """
    pause = ctx.pause
    state = frozen_state(
        ctx,
        table_id,
        actions=tuple(ctx.frozen_actions),
        action_set=tuple(ctx.action_set),
        userdata=b"" if pause is None else pause.userdata,
        with_origin=True,
    )
    recirc_id = hold_state(ctx, state)
    if pause is None:
        if ctx.recirc_hash is not None:
            ctx.actions.append(Hash(*ctx.recirc_hash))
        if ctx.recirc_meter_id is None:
            ctx.actions.append(Recirc(recirc_id))
        else:
            ctx.actions.append(Clone((Meter(ctx.recirc_meter_id), Recirc(recirc_id))))
            ctx.exit = False  # whoever made a copy for this goes on
    elif not ctx.may_act:
        return 0
    else:
        put_controller_action(
            ctx,
            recirc_id,
            reason=pause.reason,
            controller_id=pause.controller_id,
            max_len_bytes=pause.max_len_bytes,
            continuation=True,
        )
    cancel_freeze(ctx)
    return recirc_id


def put_controller_action(
    ctx: XlateCtx,
    recirc_id: int,
    *,
    reason: PacketInReason,
    controller_id: int,
    max_len_bytes: int,
    continuation: bool = False,
) -> None:
    """Append the action that hands a copy to a controller.

    It is there even where it must not be sent, so that a trace shows what would be.
    """
    cookie = ControllerCookie(
        reason=reason,
        dont_send=not continuation and not ctx.may_act,
        continuation=continuation,
        recirc_id=recirc_id,
        rule_cookie=ctx.rule_cookie,
        controller_id=controller_id,
        max_len_bytes=max_len_bytes,
    )
    ctx.actions.append(Userspace(cookie))
