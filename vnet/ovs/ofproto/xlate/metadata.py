"""Actions on fields of any kind, registers, metadata, the stack and queues."""

from __future__ import annotations

from vnet.ovs.flow.fields import Subfield, copy_subfield
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.loop import Place, Verdict, carries_out, carries_out_in_place
from vnet.ovs.ofproto.xlate.openflow_full import says_what_follows, set_what_follows
from vnet.ovs.ofproto.xlate.report_text import report_subfield
from vnet.ovs.openflow import ofpacts

_IN_IP_HEADER = frozenset(
    ("ip_src", "ip_dst", "ipv6_src", "ipv6_dst", "ipv6_label", "nw_tos", "nw_ecn", "nw_ttl")
)

_IN_ARP = frozenset(("arp_op", "arp_sha", "arp_tha", "arp_spa", "arp_tpa"))


def load(ctx: XlateCtx, destination: Subfield, value: int) -> None:
    """Write an action's result into a field."""
    destination.unwildcard(ctx.wc)
    destination.put(ctx.flow, value)
    report_subfield(ctx, destination)


@carries_out_in_place(ofpacts.SetField)
def _set_field(ctx: XlateCtx, action: ofpacts.SetField, _place: Place) -> Verdict:
    field = action.field
    if says_what_follows(action):
        return set_what_follows(ctx, action)
    if field.are_prereqs_ok(ctx.flow, ctx.wc):
        field.unwildcard(ctx.wc, action.mask)
        if field.name in (_IN_IP_HEADER if is_ip(ctx.flow) else _IN_ARP):
            # No datapath changes the headers of packets of protocol, or operation, 0.
            ctx.wc.fill(Flow.nw_proto)
        field.put_masked(ctx.flow, action.value, action.mask)
    else:
        ctx.warn(f"unmet prerequisites for {field.name}, set_field ignored")
    return Verdict.NEXT


@carries_out(ofpacts.RegMove)
def _reg_move(ctx: XlateCtx, action: ofpacts.RegMove) -> None:
    copy_subfield(action.source, action.destination, ctx.flow, ctx.wc)
    report_subfield(ctx, action.destination)


@carries_out(ofpacts.StackPush)
def _stack_push(ctx: XlateCtx, action: ofpacts.StackPush) -> None:
    source = action.source
    source.unwildcard(ctx.wc)
    n_bytes = (source.n_bits + 7) // 8
    ctx.push_stack((source.get(ctx.flow).to_bytes(n_bytes, "big"),))


@carries_out(ofpacts.StackPop)
def _stack_pop(ctx: XlateCtx, action: ofpacts.StackPop) -> None:
    if not ctx.stack:
        ctx.fail("stack underflow")
        return
    load(ctx, action.destination, int.from_bytes(ctx.pop_stack(), "big"))


@carries_out(ofpacts.SetTunnel)
def _set_tunnel(ctx: XlateCtx, action: ofpacts.SetTunnel) -> None:
    ctx.flow.tun_id = action.tun_id


@carries_out(ofpacts.WriteMetadata)
def _write_metadata(ctx: XlateCtx, action: ofpacts.WriteMetadata) -> None:
    ctx.flow.metadata = ctx.flow.metadata & ~action.mask | action.metadata & action.mask


@carries_out(ofpacts.SetQueue)
def _set_queue(ctx: XlateCtx, action: ofpacts.SetQueue) -> None:
    ctx.wc.fill(Flow.skb_priority)
    # In the userspace datapath a queue's number is its priority.
    ctx.flow.skb_priority = action.queue_id


@carries_out(ofpacts.PopQueue)
def _pop_queue(ctx: XlateCtx, _action: ofpacts.PopQueue) -> None:
    ctx.wc.fill(Flow.skb_priority)
    if ctx.flow.skb_priority != ctx.orig_skb_priority:
        ctx.flow.skb_priority = ctx.orig_skb_priority
        ctx.detail(f"queue = {_c_hexadecimal(ctx.orig_skb_priority)}")


def _c_hexadecimal(number: int) -> str:
    """As C's ``%#x``, which has no prefix for 0."""
    return f"{number:#x}" if number else "0"


@carries_out(ofpacts.DeleteField)
def _delete_field(ctx: XlateCtx, action: ofpacts.DeleteField) -> None:
    # Only tunnel options can be deleted, and none is mapped to a place in the flow yet.
    ctx.detail(f"delete {action.field.name}")
