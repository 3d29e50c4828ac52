"""What can be set of spanning trees (ovs-vswitchd.conf.db(5), Bridge and Port tables)."""

from __future__ import annotations

from vnet.base.record import record
from vnet.l2.rstp.port import PointToPoint


@record(frozen=True, slots=True)
class StpSettings:
    """A bridge of 802.1D-1998; ``address`` is its 48 bits of the identifier."""

    address: int
    priority: int = 32768
    hello_time_ms: int = 2_000
    max_age_ms: int = 20_000
    forward_delay_ms: int = 15_000


@record(frozen=True, slots=True)
class StpPortSettings:
    """A port that takes part. ``number`` is from 1 to 255."""

    number: int
    priority: int = 128
    path_cost: int = 2


@record(frozen=True, slots=True)
class RstpSettings:
    """A bridge of 802.1D-2004; ``address`` is its 48 bits of the identifier."""

    address: int
    priority: int = 32768
    force_version: int = 2
    max_age_s: int = 20
    forward_delay_s: int = 15
    transmit_hold_count: int = 6


@record(frozen=True, slots=True)
class RstpPortSettings:
    """A port that takes part. ``number`` 0 asks for the lowest that is free."""

    number: int = 0
    priority: int = 128
    path_cost: int = 2000
    point_to_point: int = PointToPoint.TRUE
    is_admin_enabled: bool = True
    admin_edge: bool = False
    auto_edge: bool = True
    mcheck: bool = False
