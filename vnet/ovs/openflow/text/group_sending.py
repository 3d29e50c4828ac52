"""What a switch receives when a change of groups is sent to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    BUCKET_ALL,
    BUCKET_MAX,
    Bucket,
    GroupMod,
    GroupModCommand,
    GroupType,
)
from vnet.ovs.openflow.text.actions import as_sent_outside_flows
from vnet.ovs.openflow.version import OpenFlowVersion, version_of

_METHODS = ("hash", "dp_hash")
_WITH_METHOD = (GroupModCommand.ADD, GroupModCommand.MODIFY, GroupModCommand.ADD_OR_MODIFY)


def group_as_sent(mod: GroupMod, protocol: int) -> GroupMod:
    """What a switch makes of ``mod`` sent by ``protocol``, one of ``vnet.ovs.flow.protocols``.

    OpenFlow 1.1 to 1.4 have no room for bucket numbers and methods of selection. Raises
    :class:`OpenFlowError` where the switch refuses it.
    """
    version = version_of(protocol)
    buckets = [
        replace(bucket, actions=as_sent_outside_flows(bucket.actions, version))
        for bucket in mod.buckets
    ]
    if OpenFlowVersion.OF11 <= version <= OpenFlowVersion.OF14:
        unnumbered = tuple(replace(bucket, bucket_id=BUCKET_ALL) for bucket in buckets)
        return replace(
            mod, buckets=unnumbered, selection_method="", selection_method_param=0, fields=()
        )
    numbered = _numbered(buckets)
    if len({bucket.bucket_id for bucket in numbered}) < len(numbered):
        raise OpenFlowError("OFPGMFC_BAD_BUCKET")
    _check_method(mod)
    return replace(mod, buckets=numbered)


def _check_method(mod: GroupMod) -> None:
    if not mod.selection_method:
        return
    is_allowed = mod.type is GroupType.SELECT and mod.command in _WITH_METHOD
    if not is_allowed or mod.selection_method not in _METHODS:
        raise OpenFlowError("OFPBPC_BAD_VALUE")


def _numbered(buckets: Sequence[Bucket]) -> tuple[Bucket, ...]:
    """Buckets with a number each: those without get the lowest that neither they nor one that
    stands behind the first of them has.
    """
    numbered: list[Bucket] = []
    taken: set[int] | None = None
    free = 0
    for at, bucket in enumerate(buckets):
        if bucket.bucket_id > BUCKET_MAX:
            if taken is None:
                taken = {other.bucket_id for other in buckets[at + 1 :]}
            while free in taken:
                free += 1
            bucket = replace(bucket, bucket_id=free)
            free += 1
        numbered.append(bucket)
    return tuple(numbered)
