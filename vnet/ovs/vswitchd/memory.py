"""What a switch keeps in memory, as ``memory/show`` tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.ovs.ovsdb.view import DatabaseView
from vnet.ovs.vswitchd.daemon import Daemon

if TYPE_CHECKING:
    from vnet.ovs.vswitchd.reconcile import Vswitchd


def memory_usage(daemon: Daemon, n_connections: int) -> dict[str, int]:
    """Kinds of things and how many there are, by the names of ``memory/show``; none of which there
    is nothing. ``n_connections`` are those of OpenFlow."""
    counts = {"ofconns": n_connections}
    if daemon.view.is_ready:
        counts[f"idl-cells-{daemon.view.schema.name}"] = _n_cells(daemon.view)
    if daemon.has_switch:
        counts |= _counts_of_switch(daemon.vswitchd)
    return {name: count for name, count in counts.items() if count}


def _n_cells(view: DatabaseView) -> int:
    tables = view.schema.tables
    return sum(len(table.columns) * len(view.rows(name)) for name, table in tables.items())


def _counts_of_switch(vswitchd: Vswitchd) -> dict[str, int]:
    """One thread does what Open vSwitch has threads for, as soon as there is a bridge."""
    bridges = vswitchd.bridges.values()
    return {
        "handlers": 1 if bridges else 0,
        "ports": sum(len(bridge.ports) for bridge in bridges),
        "revalidators": 1 if bridges else 0,
        "rules": sum(len(table.classifier) for bridge in bridges for table in bridge.tables),
        "udpif keys": len(vswitchd.backer.revalidator),
    }
