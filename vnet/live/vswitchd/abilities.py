"""What a switch daemon without a lab can do, and how it is known to be the only one."""

from __future__ import annotations

from vnet.live.devices.dummy_level import DummyLevel
from vnet.ovs.vswitchd.daemon import Abilities

LOCK_NAME = "ovs_vswitchd"
"""Who has it is the one switch that the database has."""


def abilities(level: DummyLevel, *, has_system: bool) -> Abilities:
    """Its types of datapaths and interfaces."""
    known = Abilities()
    datapaths, interfaces = set(known.datapath_types), set(known.iface_types)
    if not has_system:
        datapaths.discard("system")
    if level is not DummyLevel.NONE:
        datapaths.add("dummy")
        interfaces |= {"dummy", "dummy-internal", "dummy-pmd"}
    return Abilities(
        *(tuple(sorted(datapaths)), tuple(sorted(interfaces))),
        dummy_datapaths=level.datapath_types,
        has_stand_ins=level is DummyLevel.ALL,
    )
