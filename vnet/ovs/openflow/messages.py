"""What switches and controllers tell each other, apart from how it is written down."""

from __future__ import annotations

from enum import Enum, IntFlag

from vnet.base.record import record
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.openflow.ofpacts import TABLE_ALL, Ofpacts, PacketInReason


class FlowModCommand(Enum):
    """OFPFC_*; the value is its name in a file of flows."""

    ADD = "add"
    MODIFY = "modify"
    MODIFY_STRICT = "modify_strict"
    DELETE = "delete"
    DELETE_STRICT = "delete_strict"


class FlowFlags(IntFlag):
    """OFPFF_* as OVS keeps them (enum ofputil_flow_mod_flags)."""

    NONE = 0
    SEND_FLOW_REM = 1
    CHECK_OVERLAP = 2
    RESET_COUNTS = 4
    NO_PKT_COUNTS = 8
    NO_BYT_COUNTS = 16
    NO_READONLY = 32
    HIDDEN_FIELDS = 64


DEFAULT_PRIORITY = 32768
"""A flow's priority if none is given."""

GROUP_ANY = 0xFFFFFFFF
GROUP_ALL = 0xFFFFFFFC
GROUP_MAX = 0xFFFFFF00


@record(frozen=True, slots=True)
class FlowMod:
    """Add, change or delete flows (OFPT_FLOW_MOD).

    ``cookie_mask`` 0 looks at no cookie. ``new_cookie`` None keeps the cookie of flows that
    are modified. ``table_id`` TABLE_ALL means every table, or for an addition table 0.
    ``idle_timeout_s`` and ``hard_timeout_s`` 0 are never.
    """

    command: FlowModCommand
    match: Match = CATCHALL
    priority: int = DEFAULT_PRIORITY
    table_id: int = TABLE_ALL
    cookie: int = 0
    cookie_mask: int = 0
    new_cookie: int | None = None
    idle_timeout_s: int = 0
    hard_timeout_s: int = 0
    importance: int = 0
    flags: FlowFlags = FlowFlags.NONE
    out_port: OfpPort = OFPP_NONE
    out_group: int = GROUP_ANY
    actions: Ofpacts = ()


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


class MeterFlags(IntFlag):
    """OFPMF13_*"""

    NONE = 0
    KBPS = 1
    PKTPS = 2
    BURST = 4
    STATS = 8


class MeterBandType(Enum):
    """OFPMBT13_*; the value is its text."""

    DROP = "drop"
    DSCP_REMARK = "dscp_remark"


@record(frozen=True, slots=True)
class MeterBand:
    """One band: ``rate`` in kbit/s or packets/s as the flags say, ``burst_size`` likewise."""

    type: MeterBandType
    rate: int
    burst_size: int = 0
    prec_level: int = 0


class MeterModCommand(Enum):
    """OFPMC13_*"""

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"


METER_ALL = 0xFFFFFFFF
METER_CONTROLLER = 0xFFFFFFFE
METER_SLOWPATH = 0xFFFFFFFD


@record(frozen=True, slots=True)
class MeterMod:
    """Add, change or delete meters."""

    command: MeterModCommand
    meter_id: int
    flags: MeterFlags = MeterFlags.NONE
    bands: tuple[MeterBand, ...] = ()


class PortConfig(IntFlag):
    """What an administrator sets on a port (OFPPC_*)."""

    NONE = 0
    PORT_DOWN = 1
    NO_STP = 2
    NO_RECV = 4
    NO_RECV_STP = 8
    NO_FLOOD = 16
    NO_FWD = 32
    NO_PACKET_IN = 64


class PortState(IntFlag):
    """What a port has become (OFPPS_*)."""

    NONE = 0
    LINK_DOWN = 1
    BLOCKED = 2
    LIVE = 4
    STP_LEARN = 0x100
    STP_FORWARD = 0x200
    STP_BLOCK = 0x300  # the two bits are a number; 0 is a port that listens, or is on no tree
    STP_MASK = 0x300


@record(frozen=True, slots=True)
class PortMod:
    """Set the bits of ``mask`` in a port's configuration to those of ``config``."""

    port: OfpPort
    config: PortConfig
    mask: PortConfig


@record(frozen=True, slots=True)
class PacketIn:
    """A packet that a switch hands to its controller (OFPT_PACKET_IN and its kin).

    ``pipeline`` is a flow key that holds the fields no one could read off the packet: in_port,
    metadata, registers, connection state. At most ``max_len_bytes`` of the frame need be sent.
    """

    frame: bytes
    reason: PacketInReason
    table_id: int
    cookie: int
    pipeline: int
    controller_id: int = 0
    max_len_bytes: int = 0xFFFF
    userdata: bytes = b""
