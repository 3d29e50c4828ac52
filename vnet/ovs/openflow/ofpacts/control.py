"""Actions on how translation goes on, and on who is told."""

from __future__ import annotations

from enum import Enum

from vnet.base.record import record
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.openflow.ofpacts.ofpact import Ofpact, Ofpacts


@record(frozen=True, slots=True)
class Note(Ofpact):
    """``note:HEX``"""

    data: bytes


@record(frozen=True, slots=True)
class Exit(Ofpact):
    """``exit``"""


class SampleDirection(Enum):
    """Whether ``sample`` is said to see a packet coming or going; the value is its text."""

    DEFAULT = ""
    INGRESS = "ingress"
    EGRESS = "egress"


@record(frozen=True, slots=True)
class Sample(Ofpact):
    """``sample(...)``; ``probability`` is of 65535. Forms 2 and 3 are NXAST_SAMPLE2 and 3."""

    probability: int
    collector_set_id: int = 0
    obs_domain_id: int = 0
    obs_point_id: int = 0
    sampling_port: OfpPort = OFPP_NONE
    direction: SampleDirection = SampleDirection.DEFAULT
    form: int = 1


@record(frozen=True, slots=True)
class UnrollXlate(Ofpact):
    """Never written by a user: back to the table and cookie of the rule that was left when
    translation froze (of no rule: a cookie of all ones).
    """

    rule_table_id: int
    rule_cookie: int


@record(frozen=True, slots=True)
class Clone(Ofpact):
    """``clone(...)``"""

    actions: Ofpacts


@record(frozen=True, slots=True)
class CheckPktLarger(Ofpact):
    """``check_pkt_larger(N)->FIELD[i]``"""

    packet_bytes: int
    destination: Subfield


@record(frozen=True, slots=True)
class DebugRecirc(Ofpact):
    """``debug_recirc``, for tests: recirculates."""


@record(frozen=True, slots=True)
class DebugSlow(Ofpact):
    """``debug_slow``, for tests: takes the slow path."""
