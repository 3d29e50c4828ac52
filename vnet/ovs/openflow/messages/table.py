"""Tables of flows: what they can do, how they are set, what they have seen."""

from __future__ import annotations

from enum import Enum, IntEnum, IntFlag

from vnet.base.record import record


class TableMiss(Enum):
    """What becomes of a packet that no flow matches (1.1 and 1.2); the value is its text."""

    DEFAULT = "default"
    CONTROLLER = "controller"
    CONTINUE = "continue"
    DROP = "drop"


class TableFeaturesCommand(IntEnum):
    """What is to be done with features of tables (OFPTFC_*; 1.5)."""

    REPLACE = 0
    MODIFY = 1
    ENABLE = 2
    DISABLE = 3


class InstructionKind(Enum):
    """A kind of instruction; the value is its text."""

    GOTO_TABLE = "goto_table"
    WRITE_METADATA = "write_metadata"
    WRITE_ACTIONS = "write_actions"
    APPLY_ACTIONS = "apply_actions"
    CLEAR_ACTIONS = "clear_actions"
    METER = "meter"


class ActionKind(Enum):
    """A kind of action that is OpenFlow's own; the value is its text."""

    OUTPUT = "output"
    SET_VLAN_VID = "set_vlan_vid"
    SET_VLAN_PCP = "set_vlan_pcp"
    STRIP_VLAN = "strip_vlan"
    SET_ETH_SRC = "mod_dl_src"
    SET_ETH_DST = "mod_dl_dst"
    SET_IPV4_SRC = "mod_nw_src"
    SET_IPV4_DST = "mod_nw_dst"
    SET_IP_DSCP = "mod_nw_tos"
    SET_IP_ECN = "mod_nw_ecn"
    SET_L4_SRC_PORT = "mod_tp_src"
    SET_L4_DST_PORT = "mod_tp_dst"
    ENQUEUE = "enqueue"
    SET_MPLS_LABEL = "set_mpls_label"
    SET_MPLS_TC = "set_mpls_tc"
    SET_MPLS_TTL = "set_mpls_ttl"
    DEC_MPLS_TTL = "dec_mpls_ttl"
    PUSH_VLAN = "push_vlan"
    PUSH_MPLS = "push_mpls"
    POP_MPLS = "pop_mpls"
    SET_QUEUE = "set_queue"
    GROUP = "group"
    SET_IP_TTL = "mod_nw_ttl"
    DEC_TTL = "dec_ttl"
    SET_FIELD = "set_field"
    COPY_TTL_OUT = "copy_ttl_out"
    COPY_TTL_IN = "copy_ttl_in"
    PUSH_PBB = "push_pbb"
    POP_PBB = "pop_pbb"


_FULL_KINDS = frozenset(
    (ActionKind.COPY_TTL_OUT, ActionKind.COPY_TTL_IN, ActionKind.PUSH_PBB, ActionKind.POP_PBB)
)


def action_kinds(*, openflow_full: bool) -> frozenset[ActionKind]:
    """Those that a switch has: Open vSwitch lacks some."""
    kinds = frozenset(ActionKind)
    return kinds if openflow_full else kinds - _FULL_KINDS


FieldNames = frozenset[str]
"""Fields of ``vnet.ovs.flow.fields`` by their names."""


@record(frozen=True, slots=True)
class ActionFeatures:
    """Which actions there may be, and which fields they may set."""

    actions: frozenset[ActionKind] = frozenset()
    set_fields: FieldNames = frozenset()


@record(frozen=True, slots=True)
class InstructionFeatures:
    """Which instructions flows of a table may have, to which tables they may go, and with which
    actions that are written or applied."""

    instructions: frozenset[InstructionKind] = frozenset()
    next_tables: frozenset[int] = frozenset()
    write: ActionFeatures = ActionFeatures()
    apply: ActionFeatures = ActionFeatures()


@record(frozen=True, slots=True)
class TableFeatures:
    """What a table can do (OFPMP_TABLE_FEATURES, and a part of it in early OFPST_TABLE).

    ``nonmiss`` None says nothing of properties. ``miss`` is of the flow for packets that match no
    other. ``match`` are fields that may be matched, ``mask`` with any mask, and ``wildcard`` those
    that may be left out. What may be None is not said in every version.
    """

    table_id: int
    name: str = ""
    command: TableFeaturesCommand = TableFeaturesCommand.REPLACE
    metadata_match: int = 0
    metadata_write: int = 0
    miss_config: TableMiss = TableMiss.DEFAULT
    supports_eviction: bool | None = None
    supports_vacancy_events: bool | None = None
    max_entries: int = 0
    nonmiss: InstructionFeatures | None = None
    miss: InstructionFeatures | None = None
    match: FieldNames = frozenset()
    mask: FieldNames = frozenset()
    wildcard: FieldNames = frozenset()


@record(frozen=True, slots=True)
class TableStats:
    """What a table has seen."""

    table_id: int
    n_active: int = 0
    n_lookups: int = 0
    n_matched: int = 0


class EvictionFlags(IntFlag):
    """Which flows a full table gives up first (OFPTMPEF_*)."""

    NONE = 0
    OTHER = 1
    IMPORTANCE = 2
    LIFETIME = 4


@record(frozen=True, slots=True)
class TableVacancy:
    """Thresholds in per cent of a table that is free, and how much is."""

    down: int
    up: int
    now: int = 0


@record(frozen=True, slots=True)
class TableMod:
    """Set a table up (OFPT_TABLE_MOD). None leaves alone; ``vacancy`` may be given while vacancy
    events are off."""

    table_id: int
    miss: TableMiss = TableMiss.DEFAULT
    eviction: bool | None = None
    eviction_flags: EvictionFlags | None = None
    vacancy_events: bool | None = None
    vacancy: TableVacancy | None = None


@record(frozen=True, slots=True)
class TableDesc:
    """How a table is set up (OFPMP_TABLE_DESC)."""

    table_id: int
    eviction: bool = False
    eviction_flags: EvictionFlags | None = None
    vacancy_events: bool = False
    vacancy: TableVacancy = TableVacancy(0, 0)


class TableReason(IntEnum):
    """Why a table's status is told (OFPTR_*)."""

    VACANCY_DOWN = 3
    VACANCY_UP = 4


@record(frozen=True, slots=True)
class TableStatus:
    """A table has come below or above a threshold (OFPT_TABLE_STATUS)."""

    reason: TableReason
    desc: TableDesc
