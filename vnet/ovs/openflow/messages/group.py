"""Groups: what they are made of, and how they are changed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntFlag

from vnet.base.record import record
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.openflow.messages.table import ActionKind
from vnet.ovs.openflow.ofpacts import Ofpacts

GROUP_ANY = 0xFFFFFFFF
GROUP_ALL = 0xFFFFFFFC
GROUP_MAX = 0xFFFFFF00


class GroupType(Enum):
    """OFPGT_*; the value is its text."""

    ALL = "all"
    SELECT = "select"
    INDIRECT = "indirect"
    FAST_FAILOVER = "ff"


@record(frozen=True, slots=True)
class Bucket:
    """A bucket of a group. ``watch_port`` and ``watch_group`` are ANY where nothing is watched."""

    bucket_id: int
    actions: Ofpacts
    weight: int = 1
    watch_port: OfpPort = OFPP_NONE
    watch_group: int = GROUP_ANY


class GroupModCommand(Enum):
    """OFPGC_*; ADD_OR_MODIFY is ``mod-group --may-create``."""

    ADD = "add"
    MODIFY = "modify"
    ADD_OR_MODIFY = "add_or_mod"
    DELETE = "delete"
    INSERT_BUCKET = "insert_bucket"
    REMOVE_BUCKET = "remove_bucket"


BUCKET_MAX = 0xFFFFFF00
BUCKET_FIRST = 0xFFFFFFFD
BUCKET_LAST = 0xFFFFFFFE
BUCKET_ALL = 0xFFFFFFFF


@record(frozen=True, slots=True)
class GroupMod:
    """Add, change or delete groups. ``selection_method`` is ``""``, ``"hash"`` or ``"dp_hash"``,
    ``fields`` the names of what ``hash`` looks at with a mask each (bits in place of the flow).
    """

    command: GroupModCommand
    group_id: int
    type: GroupType = GroupType.ALL
    buckets: tuple[Bucket, ...] = ()
    command_bucket_id: int = BUCKET_ALL
    selection_method: str = ""
    selection_method_param: int = 0
    fields: tuple[tuple[str, int], ...] = ()


@record(frozen=True, slots=True)
class GroupStats:
    """What a group has seen (OFPST_GROUP), and each of its buckets: packets and bytes.

    ``ref_count`` are the flows and groups that lead to it; ``duration_ns`` None is unknown.
    """

    group_id: int
    ref_count: int
    n_packets: int
    n_bytes: int
    duration_ns: int | None = None
    buckets: tuple[tuple[int, int], ...] = ()


class GroupCapabilities(IntFlag):
    """OFPGFC_*"""

    NONE = 0
    SELECT_WEIGHT = 1
    SELECT_LIVENESS = 2
    CHAINING = 4
    CHAINING_CHECKS = 8


@record(frozen=True, slots=True)
class GroupLimits:
    """How many groups of a type there may be, and what their buckets may do."""

    max_groups: int
    actions: frozenset[ActionKind]


@record(frozen=True, slots=True)
class GroupFeatures:
    """What groups there may be (OFPST_GROUP_FEATURES)."""

    types: Mapping[GroupType, GroupLimits]
    capabilities: GroupCapabilities
