"""Actions of OpenFlow that Open vSwitch lacks, for bridges that speak it whole."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.openflow.ofpacts.ofpact import Ofpact


@record(frozen=True, slots=True)
class PushPbb(Ofpact):
    """``push_pbb:ETHERTYPE``"""

    ethertype: int


@record(frozen=True, slots=True)
class PopPbb(Ofpact):
    """``pop_pbb``"""


@record(frozen=True, slots=True)
class CopyTtlOut(Ofpact):
    """``copy_ttl_out``"""


@record(frozen=True, slots=True)
class CopyTtlIn(Ofpact):
    """``copy_ttl_in``"""


FULL_ONLY: frozenset[type[Ofpact]] = frozenset((PushPbb, PopPbb, CopyTtlOut, CopyTtlIn))
