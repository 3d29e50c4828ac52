"""Watching flows: which are watched, and what happens to them."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from vnet.base.record import record
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.openflow.messages.flow import DEFAULT_PRIORITY
from vnet.ovs.openflow.messages.group import GROUP_ANY
from vnet.ovs.openflow.ofpacts import TABLE_ALL, Ofpacts


class FlowMonitorCommand(IntEnum):
    """OFPFMC_*"""

    ADD = 0
    MODIFY = 1
    DELETE = 2


class FlowMonitorFlags(IntFlag):
    """What is told of flows (OFPFMF_*)."""

    NONE = 0
    INITIAL = 1
    ADD = 2
    REMOVED = 4
    MODIFY = 8
    INSTRUCTIONS = 16
    NO_ABBREV = 32
    ONLY_OWN = 64


@record(frozen=True, slots=True)
class FlowMonitorRequest:
    """Begin, change or end to watch flows; of a monitor that ends only its number counts.

    An unknown ``command`` does nothing.
    """

    monitor_id: int
    command: int = FlowMonitorCommand.ADD
    flags: FlowMonitorFlags = FlowMonitorFlags.NONE
    match: Match = CATCHALL
    table_id: int = TABLE_ALL
    out_port: OfpPort = OFPP_NONE
    out_group: int = GROUP_ANY


class FlowUpdateEvent(IntEnum):
    """What has happened (OFPFME_*)."""

    INITIAL = 0
    ADDED = 1
    REMOVED = 2
    MODIFIED = 3
    ABBREV = 4
    PAUSED = 5
    RESUMED = 6


@record(frozen=True, slots=True)
class FlowUpdate:
    """Something has happened to a flow that is watched.

    ``xid`` is that of the request which did it where that is all there is to tell (ABBREV);
    ``reason`` is why a flow was removed. Of PAUSED and RESUMED there is nothing else to tell.
    """

    event: FlowUpdateEvent
    xid: int = 0
    reason: int = 0
    table_id: int = 0
    priority: int = DEFAULT_PRIORITY
    idle_timeout_s: int = 0
    hard_timeout_s: int = 0
    cookie: int = 0
    match: Match = CATCHALL
    actions: Ofpacts = ()
