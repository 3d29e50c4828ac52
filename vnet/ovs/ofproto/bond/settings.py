"""What can be set on a bond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from vnet.base.record import record
from vnet.base.units import NS_PER_S
from vnet.l2.lacp.aggregation import Settings as LacpSettings
from vnet.l2.lacp.member import PortSettings
from vnet.ovs.ofproto.ports.ofport import OfPort


class BondMode(Enum):
    """How a bond uses its links; the value is the database's word."""

    ACTIVE_BACKUP = "active-backup"
    BALANCE_SLB = "balance-slb"
    BALANCE_TCP = "balance-tcp"


@record(frozen=True, slots=True)
class BondSettings:
    """A bond's settings, defaults as in ovs-vswitchd.conf.db(5).

    ``rebalance_interval_ns`` 0 never moves load. ``wants_lb_output`` asks the datapath to choose
    links itself, which ours does not do: the bond works without, as on any datapath that cannot.
    """

    name: str
    mode: BondMode = BondMode.ACTIVE_BACKUP
    updelay_ns: int = 0
    downdelay_ns: int = 0
    hash_basis: int = 0
    rebalance_interval_ns: int = 10 * NS_PER_S
    fallback: bool = False
    """Be active-backup where LACP finds no partner (``lacp-fallback-ab``)."""
    primary: str | None = None
    all_members_active: bool = False
    wants_lb_output: bool = False


@record(frozen=True, slots=True)
class AggregateSettings:
    """What a port of the learning switch is besides a port: a bond where it has several links,
    and an end of LACP where that is set. ``ports`` are LACP's settings of each link.
    """

    bond: BondSettings
    lacp: LacpSettings | None = None
    ports: Mapping[OfPort, PortSettings] = field(default_factory=dict)
