"""Actions on what goes with a packet, and on the life of its flow."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.openflow.ofpacts.ofpact import Ofpact


@record(frozen=True, slots=True)
class SetTunnel(Ofpact):
    """``set_tunnel:ID`` and ``set_tunnel64:ID``"""

    tun_id: int
    is_64_bits: bool = False


@record(frozen=True, slots=True)
class SetQueue(Ofpact):
    """``set_queue:ID``"""

    queue_id: int


@record(frozen=True, slots=True)
class PopQueue(Ofpact):
    """``pop_queue``"""


@record(frozen=True, slots=True)
class FinTimeout(Ofpact):
    """``fin_timeout(idle_timeout=S,hard_timeout=S)``; 0 leaves one alone."""

    fin_idle_timeout_s: int = 0
    fin_hard_timeout_s: int = 0
