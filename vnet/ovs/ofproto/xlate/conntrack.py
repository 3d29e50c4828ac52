"""The ``ct`` and ``ct_clear`` actions: sending the packet through the connection tracker."""

from __future__ import annotations

from vnet.ovs.dpif.actions import Ct as OdpCt
from vnet.ovs.dpif.actions import CtClear as OdpCtClear
from vnet.ovs.dpif.actions import CtNat
from vnet.ovs.flow.fields import FIELDS, Field
from vnet.ovs.flow.flow import Flow
from vnet.ovs.ofproto.xlate.commit import commit
from vnet.ovs.ofproto.xlate.context import RecircNode, XlateCtx
from vnet.ovs.ofproto.xlate.freeze import freeze_at
from vnet.ovs.ofproto.xlate.loop import (
    Place,
    Verdict,
    carries_out,
    carries_out_in_place,
    do_actions,
)
from vnet.ovs.ofproto.xlate.stacks import clear_connection
from vnet.ovs.openflow.ofpacts import Ct, CtClear, Nat

_HELPERS = {0: "", 21: "ftp", 69: "tftp"}
_WRITABLE_MASK = Flow.ct_mark.mask | Flow.ct_label.mask


@carries_out_in_place(Ct)
def _ct(ctx: XlateCtx, action: Ct, place: Place) -> Verdict:
    """Track the packet; with a table, a copy of it goes on there when that is done.

    What ``exec`` writes shows in the flow and in the mask of the bits written; neither is a
    change of, or a condition on, the packet itself.
    """
    zone = _zone(ctx, action)
    outer_wc = ctx.wc.key & _WRITABLE_MASK
    commit(ctx)
    ctx.ct_nat = None
    ctx.wc.key &= ~_WRITABLE_MASK
    do_actions(ctx, action.actions, is_last=place.is_last)
    ctx.actions.append(
        OdpCt(
            commit=action.commit and not action.force,
            force=action.commit and action.force,
            zone=zone,
            mark=_written(ctx.flow.ct_mark, ctx.wc.ct_mark),
            label=_written(ctx.flow.ct_label, ctx.wc.ct_label),
            helper=_helper(ctx, action.alg),
            nat=None if ctx.ct_nat is None else _nat(ctx.ct_nat),
        )
    )
    ctx.wc.key = ctx.wc.key & ~_WRITABLE_MASK | outer_wc
    if action.table_id is not None:
        ctx.conntracked = True
        _fork(ctx, action.table_id, zone)
    ctx.ct_nat = None
    clear_connection(ctx.flow)
    ctx.detail("Sets the packet to an untracked state, and clears all the conntrack fields.")
    ctx.conntracked = False
    return Verdict.NEXT


def _zone(ctx: XlateCtx, action: Ct) -> int:
    source = action.zone_source
    if source is None:
        return action.zone
    # A frozen state's number stands for what it holds: what comes from there needs no mask.
    if ctx.frozen_state is None or not _is_frozen(source.field):
        source.unwildcard(ctx.wc)
    return source.get(ctx.flow)


def _is_frozen(field: Field) -> bool:
    number = field.number
    return (
        FIELDS["tun_id"].number <= number <= FIELDS["in_port_oxm"].number
        or FIELDS["reg0"].number <= number < FIELDS["eth_src"].number
    )


def _written(value: int, mask: int) -> tuple[int, int] | None:
    return (value & mask, mask) if mask else None


def _helper(ctx: XlateCtx, alg: int) -> str:
    if alg not in _HELPERS:
        ctx.fail(f"cannot serialize ct_helper {alg}")
    return _HELPERS.get(alg, "")


def _nat(action: Nat) -> CtNat:
    if action.is_source is None:
        return CtNat()
    return CtNat(
        is_source=action.is_source,
        address_min=action.address_min,
        address_max=_upper(action.address_min, action.address_max),
        port_min=action.port_min,
        port_max=max(action.port_min, action.port_max),
        is_persistent=action.is_persistent,
        is_hash=action.is_hash,
        is_random=action.is_random and not action.is_hash,
    )


def _upper(lower: bytes | None, upper: bytes | None) -> bytes | None:
    if lower is None or upper is None:
        return lower
    return max(lower, upper)


def _fork(ctx: XlateCtx, table_id: int, zone: int) -> None:
    """Let a copy of the packet be looked up again, to go on in a table."""
    ctx.freezing = True
    recirc_id = freeze_at(ctx, table_id)
    queue = ctx.in_.recirc_queue
    if ctx.trace is None or queue is None or not recirc_id:
        return
    # The tracer follows the number later, so it holds it as well.
    ctx.in_.backer.recirc.ref_id(recirc_id)
    flow = ctx.flow.copy()
    flow.recirc_id = recirc_id
    flow.ct_zone = zone
    queue.append(RecircNode("ct", recirc_id, flow, ctx.ct_nat))
    ctx.detail(
        "A clone of the packet is forked to recirculate. "
        f"The forked pipeline will be resumed at table {table_id}."
    )


@carries_out(CtClear)
def _ct_clear(ctx: XlateCtx, _action: CtClear) -> None:
    if ctx.conntracked:
        ctx.conntracked = False
        clear_connection(ctx.flow)
        ctx.actions.append(OdpCtClear())


@carries_out(Nat)
def _note_nat(ctx: XlateCtx, action: Nat) -> None:
    # Part of the ct action around it, which reads it from there.
    ctx.ct_nat = action
