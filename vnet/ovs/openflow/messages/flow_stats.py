"""What a switch says of flows that it has, or had: statistics, and that a flow is gone."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from vnet.base.record import record
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.openflow.messages.flow import FlowFlags
from vnet.ovs.openflow.messages.group import GROUP_ANY
from vnet.ovs.openflow.ofpacts import TABLE_ALL, Ofpacts

UNKNOWN_COUNT = (1 << 64) - 1
"""A number of packets or bytes that a switch does not know."""


@record(frozen=True, slots=True)
class FlowStatsRequest:
    """Which flows statistics are asked of, one by one or all together (OFPST_FLOW, OFPST_AGGREGATE
    and Nicira's); fields as in :class:`~vnet.ovs.openflow.messages.FlowMod`.
    """

    match: Match = CATCHALL
    table_id: int = TABLE_ALL
    cookie: int = 0
    cookie_mask: int = 0
    out_port: OfpPort = OFPP_NONE
    out_group: int = GROUP_ANY


class FlowStats(NamedTuple):
    """One flow as a switch tells of it. Ages are None where they are not told, in whole seconds.

    Made by the ten thousand, and therefore no record.
    """

    table_id: int
    priority: int
    match: Match
    cookie: int
    duration_ns: int
    idle_timeout_s: int
    hard_timeout_s: int
    n_packets: int
    n_bytes: int
    actions: Ofpacts
    flags: FlowFlags = FlowFlags.NONE
    importance: int = 0
    idle_age_s: int | None = None
    hard_age_s: int | None = None
    """Since the flow was last modified."""


class AggregateStats(NamedTuple):
    """Counters of several flows together."""

    n_packets: int
    n_bytes: int
    n_flows: int


class RemovedReason(IntEnum):
    """Why a flow left its table (OFPRR_*)."""

    IDLE_TIMEOUT = 0
    HARD_TIMEOUT = 1
    DELETE = 2
    GROUP_DELETE = 3
    METER_DELETE = 4
    EVICTION = 5


def removed_reason_text(reason: int) -> str:
    """The reason as clients print it: ``idle``, ``group_delete``; a number where none is known."""
    if reason not in RemovedReason.__members__.values():
        return str(reason)
    return RemovedReason(reason).name.lower().removesuffix("_timeout")


@record(frozen=True, slots=True)
class FlowRemoved:
    """A flow is gone (OFPT_FLOW_REMOVED). ``table_id`` is TABLE_ALL where it is not told."""

    match: Match
    priority: int
    reason: int
    cookie: int
    table_id: int = TABLE_ALL
    duration_ns: int = 0
    idle_timeout_s: int = 0
    hard_timeout_s: int = 0
    n_packets: int = 0
    n_bytes: int = 0
