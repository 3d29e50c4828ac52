"""What the log says of how a select group came to choose (``vlog/set ofproto_dpif:dbg``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vnet.ovs.dpif.actions import HashAlgorithm
from vnet.ovs.ofproto.groups.dp_hash import MAX_SLOTS, n_slots_for, slots_of_buckets
from vnet.ovs.ofproto.groups.group import GroupEntry
from vnet.ovs.openflow.messages import Bucket, GroupType
from vnet.ovs.openflow.text.group_print import fields_text
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import LogModule

_NO_BUCKETS = "  Don't apply dp_hash method without buckets."
_NO_WEIGHT = "  Total weight is zero. No active buckets."
_ALGORITHMS = (HashAlgorithm.L4, HashAlgorithm.SYM_L4)
"""By their numbers."""


def log_selection(log: LogModule, group: GroupEntry, given: Sequence[Bucket]) -> None:
    """A group stands, of which a request has ``given`` these buckets."""
    if group.type is GroupType.SELECT and log.is_enabled(Level.DBG):
        for line in _lines(group, given):
            log.dbg(line)


def _lines(group: GroupEntry, given: Sequence[Bucket]) -> Iterator[str]:
    yield f"Constructing select group {group.group_id}"
    if group.selection_method == "hash":
        yield "Selection method specified: hash."
        if group.fields:
            yield f"Hash fields: {fields_text(group.fields)}"
        else:
            yield "No hash fields. Falling back to default hash method."
        return
    if group.selection_method:
        yield "Selection method specified: dp_hash."
    else:
        yield "No selection method specified. Trying dp_hash."
    yield from _shares(given)
    if not group.hash_slots:
        yield "Falling back to default hash method."
        return
    algorithm = group.selection_method_param >> 32
    if group.selection_method and algorithm >= len(_ALGORITHMS):
        yield f"Invalid dp_hash algorithm {algorithm}. Defaulting to OVS_HASH_ALG_L4"
    number, n_slots = _ALGORITHMS.index(group.hash_algorithm), len(group.hash_slots)
    yield f"Use dp_hash with {n_slots} hash values using algorithm {number}."


def _shares(given: Sequence[Bucket]) -> Iterator[str]:
    """How the hashes are dealt out."""
    weights = [bucket.weight for bucket in given]
    total = sum(weights)
    if not total:
        yield _NO_WEIGHT if weights else _NO_BUCKETS
        return
    yield f"  Minimum weight: {min(filter(None, weights))}, total weight: {total}"
    n_slots = n_slots_for(weights)
    if n_slots > MAX_SLOTS:
        yield f"  Too many hash values required: {n_slots}"
        return
    yield f"  Using {n_slots} hash values:"
    slots = slots_of_buckets(weights)
    for position, bucket in enumerate(given):
        target, hits = n_slots * bucket.weight / total, slots.count(position)
        share = f"weight={bucket.weight}, target={target:.2f} hits={hits}"
        yield f"  Bucket {bucket.bucket_id}: {share}"
