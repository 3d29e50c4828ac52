"""Instructions of OpenFlow 1.1 and later, which stand among the actions here."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.openflow.ofpacts.ofpact import Ofpact, Ofpacts


@record(frozen=True, slots=True)
class Meter(Ofpact):
    """``meter:ID``"""

    meter_id: int


@record(frozen=True, slots=True)
class ClearActions(Ofpact):
    """``clear_actions``"""


@record(frozen=True, slots=True)
class WriteActions(Ofpact):
    """``write_actions(...)``"""

    actions: Ofpacts


@record(frozen=True, slots=True)
class WriteMetadata(Ofpact):
    """``write_metadata:VALUE[/MASK]``"""

    metadata: int
    mask: int = 0xFFFFFFFFFFFFFFFF


@record(frozen=True, slots=True)
class GotoTable(Ofpact):
    """``goto_table:TABLE``"""

    table_id: int
