"""Actions that send the packet somewhere: to a port, to several, to the controller."""

from __future__ import annotations

from vnet.ovs.dpif.actions import Trunc
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.names import port_text
from vnet.ovs.flow.ports import (
    OFPP_ALL,
    OFPP_CONTROLLER,
    OFPP_FLOOD,
    OFPP_IN_PORT,
    OFPP_NONE,
    OFPP_NORMAL,
    OFPP_TABLE,
    OfpPort,
)
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.controller import send_to_controller
from vnet.ovs.ofproto.xlate.loop import Place, Verdict, carries_out_in_place
from vnet.ovs.ofproto.xlate.normal import xlate_normal
from vnet.ovs.ofproto.xlate.output import compose_output
from vnet.ovs.ofproto.xlate.port_order import port_order
from vnet.ovs.ofproto.xlate.tables import do_table
from vnet.ovs.openflow.messages import PortConfig
from vnet.ovs.openflow.ofpacts import (
    Enqueue,
    Output,
    OutputReg,
    OutputTrunc,
    PacketInReason,
)

_SKIPPED = "skipping output to input port"


def send(
    ctx: XlateCtx,
    port: OfpPort,
    place: Place,
    *,
    max_len_bytes: int = 0,
    may_packet_in: bool = False,
    truncate: bool = False,
) -> None:
    """Output to a port, reserved ones included.

    ``max_len_bytes`` is for the controller; ``may_packet_in`` is whether a packet that ``table``
    has no flow for may go there.
    """
    if port == OFPP_NORMAL:
        xlate_normal(ctx)
    elif port == OFPP_CONTROLLER:
        send_to_controller(ctx, _reason(ctx, place), max_len_bytes=max_len_bytes)
    elif port == OFPP_TABLE:
        do_table(
            ctx,
            OfpPort(ctx.flow.in_port),
            0,
            may_packet_in=may_packet_in,
            honor_table_miss=True,
            is_last=False,
        )
    elif port in (OFPP_FLOOD, OFPP_ALL):
        _flood(ctx, to_all=port == OFPP_ALL, is_last=place.is_last)
    elif port == OFPP_NONE:
        return
    elif port == ctx.flow.in_port:
        ctx.warn(_SKIPPED)
    else:
        if port == OFPP_IN_PORT:
            port = OfpPort(ctx.flow.in_port)
        compose_output(ctx, port, is_last_action=place.is_last, truncate=truncate)


def _reason(ctx: XlateCtx, place: Place) -> PacketInReason:
    if ctx.in_.in_packet_out:
        return PacketInReason.PACKET_OUT
    if place.in_bucket:
        return PacketInReason.GROUP
    return PacketInReason.ACTION_SET if ctx.in_action_set else PacketInReason.ACTION


def _flood(ctx: XlateCtx, *, to_all: bool, is_last: bool) -> None:
    """Output to every port but the one that the packet came in by.

    ``flood`` leaves out those that do not take part; only ``all`` ignores spanning trees.
    """
    ports = ctx.bridge.ports
    targets = [
        OfpPort(number)
        for number in port_order(tuple(ports))
        if number != ctx.flow.in_port
        and (to_all or PortConfig.NO_FLOOD not in ports[OfpPort(number)].config)
    ]
    for number in targets:
        compose_output(
            ctx,
            number,
            check_stp=not to_all,
            is_last_action=is_last and number == targets[-1],
        )


@carries_out_in_place(Output)
def _output(ctx: XlateCtx, action: Output, place: Place) -> Verdict:
    send(ctx, action.port, place, max_len_bytes=action.max_len_bytes, may_packet_in=True)
    return Verdict.NEXT


@carries_out_in_place(OutputReg)
def _output_reg(ctx: XlateCtx, action: OutputReg, place: Place) -> Verdict:
    port = action.source.get(ctx.flow)
    if port > 0xFFFF:
        ctx.warn(f"output port {port} is out of range")
        return Verdict.NEXT
    ctx.detail(f"output port is {port}")
    action.source.unwildcard(ctx.wc)
    send(ctx, OfpPort(port), place, max_len_bytes=action.max_len_bytes)
    return Verdict.NEXT


_UNCUTTABLE = frozenset((OFPP_TABLE, OFPP_NORMAL, OFPP_FLOOD, OFPP_ALL, OFPP_CONTROLLER, OFPP_NONE))


@carries_out_in_place(OutputTrunc)
def _output_trunc(ctx: XlateCtx, action: OutputTrunc, place: Place) -> Verdict:
    if action.port in _UNCUTTABLE:
        ctx.warn(f"output_trunc does not support port: {port_text(action.port)}")
        return Verdict.NEXT
    if action.port == ctx.flow.in_port:
        ctx.warn(_SKIPPED)
        return Verdict.NEXT
    port = ctx.bridge.ports.get(action.port)
    if port is None or port.odp_port is None:
        # The cut is made by the output that comes next in the datapath: a patch port has none.
        ctx.fail(f"output_trunc does not support patch port {port_text(action.port)}")
        return Verdict.NEXT
    ctx.actions.append(Trunc(action.max_len_bytes))
    send(ctx, action.port, place, truncate=True)
    ctx.slow_without("trunc")
    return Verdict.NEXT


@carries_out_in_place(Enqueue)
def _enqueue(ctx: XlateCtx, action: Enqueue, place: Place) -> Verdict:
    ctx.wc.fill(Flow.skb_priority)
    port = action.port
    if port == OFPP_IN_PORT:
        port = OfpPort(ctx.flow.in_port)
    elif port == ctx.flow.in_port:
        return Verdict.NEXT
    priority = ctx.flow.skb_priority
    # In the userspace datapath a queue's number is its priority.
    ctx.flow.skb_priority = action.queue_id
    compose_output(ctx, port, is_last_action=place.is_last)
    ctx.flow.skb_priority = priority
    return Verdict.NEXT
