"""Flows as they are added, changed and deleted."""

from __future__ import annotations

from enum import Enum, IntFlag

from vnet.base.record import record
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.openflow.messages.group import GROUP_ANY
from vnet.ovs.openflow.messages.packet import NO_BUFFER
from vnet.ovs.openflow.ofpacts import TABLE_ALL, Ofpacts


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


@record(frozen=True, slots=True)
class FlowMod:
    """Add, change or delete flows (OFPT_FLOW_MOD).

    ``cookie_mask`` 0 looks at no cookie. ``new_cookie`` None keeps the cookie of flows that
    are modified, and so does ``keeps_cookies``: then only a flow that is added for want of any
    gets it. ``table_id`` TABLE_ALL means every table, or for an addition table 0.
    ``idle_timeout_s`` and ``hard_timeout_s`` 0 are never. ``buffer_id`` is of a packet to which
    the actions apply at once, if it is not NO_BUFFER.
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
    keeps_cookies: bool = False
    buffer_id: int = NO_BUFFER
