"""Sending a packet to a controller."""

from __future__ import annotations

from vnet.ovs.dpif.actions import SAMPLE_ALWAYS, Meter, Sample
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.xlate.clone import take_actions
from vnet.ovs.ofproto.xlate.commit import commit
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.freeze import (
    frozen_state,
    hold_state,
    put_controller_action,
    trigger_freeze,
)
from vnet.ovs.ofproto.xlate.loop import Place, Verdict, carries_out_in_place
from vnet.ovs.openflow.messages import METER_CONTROLLER
from vnet.ovs.openflow.ofpacts import Controller, PacketInReason

WHOLE_PACKET = 0xFFFF


def send_to_controller(
    ctx: XlateCtx,
    reason: PacketInReason,
    *,
    controller_id: int = 0,
    max_len_bytes: int = WHOLE_PACKET,
    meter_id: int = METER_CONTROLLER,
    userdata: bytes = b"",
) -> None:
    """Have a copy of the packet, as it is now, sent to a controller.

    What the controller is told of the pipeline is kept as a frozen state. Without a meter of
    its own the message goes through the switch's meter for controllers, if that is configured.
    """
    commit(ctx)
    if reason is PacketInReason.ACTION and ctx.rule is not None and _is_table_miss(ctx.rule):
        reason = PacketInReason.EXPLICIT_MISS
    recirc_id = hold_state(ctx, frozen_state(ctx, ctx.table_id, userdata=userdata))
    start = len(ctx.actions)
    meter = ctx.bridge.meters.get(meter_id)
    if meter is not None:
        ctx.actions.append(Meter(meter.datapath_id))
    put_controller_action(
        ctx,
        recirc_id,
        reason=reason,
        controller_id=controller_id,
        max_len_bytes=max_len_bytes,
    )
    if meter is not None:
        # As a sample that is always taken: the meter must not judge the packet itself.
        ctx.actions.append(Sample(SAMPLE_ALWAYS, take_actions(ctx, start)))


def _is_table_miss(rule: Rule) -> bool:
    return rule.priority == 0 and not rule.match.mask


@carries_out_in_place(Controller)
def _controller(ctx: XlateCtx, action: Controller, place: Place) -> Verdict:  # noqa: ARG001
    if action.pause:
        ctx.pause = action
        trigger_freeze(ctx)
        return Verdict.DONE
    send_to_controller(
        ctx,
        action.reason,
        controller_id=action.controller_id,
        max_len_bytes=action.max_len_bytes,
        meter_id=METER_CONTROLLER if action.meter_id is None else action.meter_id,
        userdata=action.userdata,
    )
    return Verdict.NEXT
