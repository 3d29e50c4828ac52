"""Which columns a daemon writes, and so need not be told of."""

from __future__ import annotations

from collections.abc import Container, Mapping

from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.commit import Change

_IDS = frozenset(("external_ids",))

STATUS_COLUMNS: Mapping[str, frozenset[str]] = {
    "Open_vSwitch": _IDS
    | {
        *("cur_cfg", "statistics", "datapath_types", "iface_types", "ovs_version", "db_version"),
        *("system_type", "system_version", "dpdk_version", "dpdk_initialized"),
    },
    "Bridge": _IDS | {"datapath_id", "datapath_version", "status", "rstp_status"},
    "Port": _IDS | {"status", "rstp_status", "rstp_statistics", "statistics", "bond_active_slave"},
    "Interface": _IDS
    | {
        *("admin_state", "duplex", "link_speed", "link_state", "link_resets", "mac_in_use"),
        *("ifindex", "mtu", "ofport", "statistics", "status", "cfm_fault", "cfm_fault_status"),
        *("cfm_remote_mpids", "cfm_flap_count", "cfm_health", "cfm_remote_opstate"),
        *("bfd_status", "lacp_current", "error"),
    },
    "Controller": _IDS | {"is_connected", "role", "status"},
    "QoS": _IDS,
    "Queue": _IDS,
    "Mirror": _IDS | {"statistics"},
    "NetFlow": _IDS,
    "sFlow": _IDS,
    "IPFIX": _IDS,
    "Flow_Sample_Collector_Set": _IDS,
    "Manager": _IDS | {"inactivity_probe", "is_connected", "max_backoff", "status"},
    "SSL": _IDS,
}
"""By table: columns that say what runs, or what others keep there. Nothing is configured by them.
"""

_NONE: frozenset[str] = frozenset()


def is_told(table: str, changes: Mapping[Uuid, Change]) -> bool:
    """Whether rows have changed in a way that configures something."""
    ignored = STATUS_COLUMNS.get(table, _NONE)
    return any(has_changed(change, ignored) for change in changes.values())


def has_changed(change: Change, ignored: Container[str]) -> bool:
    """Whether a row has come or gone, or differs in other columns than those ignored."""
    old, new = change
    if old is None or new is None:
        return True
    was = old.columns
    return any(
        datum is not was[name] and datum != was[name] and name not in ignored
        for name, datum in new.columns.items()
    )
