"""The ``group`` action: every bucket, the first that is alive, or one chosen by a hash."""

from __future__ import annotations

from vnet.ovs.dpif.actions import DropCause, HashAlgorithm
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.flow_hash import HashFields, hash_symmetric_l4, mask_of_hash_fields
from vnet.ovs.flow.hashing import hash_bytes, hash_int, hash_uint64
from vnet.ovs.flow.names import port_text
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OFPP_NONE
from vnet.ovs.ofproto.groups.group import GroupEntry, SelectionMethod
from vnet.ovs.ofproto.xlate.cache import GroupCredit
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.freeze import (
    finish_freezing,
    trigger_freeze,
    trigger_recirculate_with_hash,
)
from vnet.ovs.ofproto.xlate.loop import Place, Verdict, carries_out_in_place, do_actions
from vnet.ovs.ofproto.xlate.ports import is_enabled
from vnet.ovs.ofproto.xlate.report import NodeKind
from vnet.ovs.ofproto.xlate.tables import has_resources
from vnet.ovs.openflow.action_set import action_list
from vnet.ovs.openflow.messages import GROUP_ANY, Bucket, GroupType
from vnet.ovs.openflow.ofpacts import Group

MAX_LIVENESS_LINKS = 128
"""How long a chain of groups that watch groups may be."""


@carries_out_in_place(Group)
def _group(ctx: XlateCtx, action: Group, place: Place) -> Verdict:
    if not has_resources(ctx):
        return Verdict.NEXT
    group = ctx.bridge.groups.get(action.group_id)
    if group is None:
        ctx.warn(f"output to nonexistent group {action.group_id}")
        return Verdict.STOP
    if group.type in (GroupType.ALL, GroupType.INDIRECT):
        for bucket in group.buckets:
            is_last = place.is_last and bucket is group.buckets[-1]
            _do_bucket(ctx, bucket, is_last=is_last)
        ctx.credit(GroupCredit(group, None))
        return Verdict.NEXT
    chosen = _select(ctx, group) if group.type is GroupType.SELECT else _first_live(ctx, group)
    if chosen is None:
        ctx.detail("no live bucket")
    else:
        ctx.detail(f"using bucket {chosen.bucket_id}")
        _do_bucket(ctx, chosen, is_last=place.is_last)
        ctx.credit(GroupCredit(group, chosen.bucket_id))
    return Verdict.NEXT


def _do_bucket(ctx: XlateCtx, bucket: Bucket, *, is_last: bool) -> None:
    """Carry out a bucket as on a copy of the packet: afterwards the flow is what it was.

    What a bucket reaches by resubmit may still change the action set and the stack. That its
    packet ends there, or cannot go on, does not concern the others, unless a limit on all work
    was reached.
    """
    outer, flow, was_mpls = ctx.trace, ctx.flow.key, ctx.was_mpls
    ctx.trace = ctx.report(NodeKind.BUCKET, f"bucket {bucket.bucket_id}")
    ctx.depth += 1
    ctx.n_buckets += 1
    do_actions(ctx, action_list(bucket.actions), is_last=is_last, in_bucket=True)
    ctx.depth -= 1
    if ctx.freezing:
        finish_freezing(ctx)
    ctx.trace, ctx.flow.key, ctx.was_mpls = outer, flow, was_mpls
    ctx.exit = False
    if ctx.error in (DropCause.TOO_MANY_MPLS_LABELS, DropCause.UNSUPPORTED_PACKET_TYPE):
        ctx.error = DropCause.OK


# -- liveness


def _is_live(ctx: XlateCtx, group: GroupEntry, bucket: Bucket, n_links: int = 0) -> bool:
    """Whether a bucket may be chosen: it watches nothing, or something that is alive."""
    if n_links >= MAX_LIVENESS_LINKS:
        ctx.fail(f"bucket chaining exceeded {MAX_LIVENESS_LINKS} links")
        return False
    ctx.n_buckets += 1
    if group.type is GroupType.SELECT and bucket.weight == 0:
        return False
    if bucket.watch_port == OFPP_NONE and bucket.watch_group == GROUP_ANY:
        return True
    # No bucket that watches the controller is alive: there is none.
    if bucket.watch_port != OFPP_CONTROLLER and is_enabled(ctx, bucket.watch_port):
        return True
    if bucket.watch_group != GROUP_ANY and has_resources(ctx):
        watched = ctx.bridge.groups.get(bucket.watch_group)
        if watched is not None and _first_live(ctx, watched, n_links + 1) is not None:
            return True
    return False


def _first_live(ctx: XlateCtx, group: GroupEntry, n_links: int = 0) -> Bucket | None:
    for bucket in group.buckets:
        if _is_live(ctx, group, bucket, n_links):
            return bucket
        _report_not_live(ctx, bucket)
    return None


def _report_not_live(ctx: XlateCtx, bucket: Bucket) -> None:
    if ctx.trace is None:
        return
    causes = []
    if bucket.watch_port != OFPP_NONE:
        causes.append(f"port {port_text(bucket.watch_port)}")
    if bucket.watch_group != GROUP_ANY:
        # Open vSwitch says "port" of groups as well.
        causes.append(f"port {bucket.watch_group}")
    ctx.detail(f"bucket {bucket.bucket_id}: not live due to {' and '.join(causes)}")


# -- select groups


def _select(ctx: XlateCtx, group: GroupEntry) -> Bucket | None:
    if ctx.was_mpls:
        trigger_freeze(ctx)
        return None
    if group.selection is SelectionMethod.DP_HASH:
        return _by_dp_hash(ctx, group)
    if group.selection is SelectionMethod.HASH:
        return _best_live(ctx, group, _hash_of_fields(ctx, group))
    key = ctx.flow.key
    ctx.wc.key |= mask_of_hash_fields(key, HashFields.SYMMETRIC_L4)
    return _best_live(ctx, group, hash_symmetric_l4(key, 0))


def _by_dp_hash(ctx: XlateCtx, group: GroupEntry) -> Bucket | None:
    """By the datapath's hash, which it computes first if it has not. A computed one is never 0."""
    dp_hash = ctx.flow.dp_hash
    if not dp_hash:
        trigger_recirculate_with_hash(ctx, _algorithm(ctx, group), group.hash_basis)
        return None
    slots = group.hash_slots
    mask = len(slots) - 1
    ctx.wc.dp_hash |= mask
    for step in range(len(slots)):
        # Buckets are spread over the slots, so the load of a dead one is spread as well.
        bucket = group.buckets[slots[(dp_hash + step) & mask]]
        if _is_live(ctx, group, bucket):
            return bucket
    return None


def _algorithm(ctx: XlateCtx, group: GroupEntry) -> HashAlgorithm:
    """Where nobody says what to choose by, Open vSwitch goes by addresses and ports of IP alone."""
    if ctx.bridge.openflow_full and not group.selection_method:
        return HashAlgorithm.HEADERS
    return group.hash_algorithm


def _hash_of_fields(ctx: XlateCtx, group: GroupEntry) -> int:
    """A hash of the fields that the group names, as far as the packet has them."""
    masks = dict(group.fields)
    hash_ = hash_uint64(group.selection_method_param)
    for field in FIELDS.values():
        mask = masks.get(field.name)
        if mask is None or not field.are_prereqs_ok(ctx.flow, ctx.wc):
            continue
        value = field.get(ctx.flow) & mask
        hash_ = hash_bytes(value.to_bytes(field.n_bytes, "big"), hash_)
        if field.is_tun_metadata:
            hash_ = _hash_boolean(field.is_set(ctx.flow), hash_)
        field.unwildcard(ctx.wc, mask)
    return hash_


def _hash_boolean(value: bool, basis: int) -> int:
    rotated = basis << 1 & 0xFFFFFFFF | basis >> 31
    return (0xC2B73583 if value else 0xE90F1258) ^ rotated


def _best_live(ctx: XlateCtx, group: GroupEntry, hash_: int) -> Bucket | None:
    """The live bucket with the highest score: its own hash times its weight."""
    best, best_score = None, 0
    for bucket in group.buckets:
        if not _is_live(ctx, group, bucket):
            _report_not_live(ctx, bucket)
            continue
        score = (hash_int(bucket.bucket_id, hash_) & 0xFFFF) * bucket.weight & 0xFFFFFFFF
        ctx.detail(f"bucket {bucket.bucket_id}: score {score}")
        if score >= best_score:
            best, best_score = bucket, score
    return best
