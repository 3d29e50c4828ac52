"""Stations that the user sets, takes away and asks for (``bridge fdb``; net/bridge/br_fdb.c).

Facts that are easy to get wrong, all as the kernel does them: an entry without a VLAN is made in
each VLAN of its port besides; without a kind it is permanent, which means that its frames go up to
the host; what is to be deleted must be at the port that is named.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.ids import MAC_ZERO
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.state import PortState
from vnet.tables.fdb import FdbEntry, FdbKind

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge


class Setting(Enum):
    """What becomes of an entry that is there already."""

    ADD = "add"  # it stays, and that is an error
    REPLACE = "replace"
    APPEND = "append"  # for a bridge the same as to replace


def set_station(
    port: BridgePort,
    mac: bytes,
    kind: FdbKind,
    *,
    vid: int = 0,
    sticky: bool = False,
    setting: Setting = Setting.ADD,
) -> None:
    """``bridge fdb add|replace|append MAC dev PORT master``; the bridge's own port is ``self``."""
    if mac == MAC_ZERO or (sticky and kind is FdbKind.LOCAL):
        raise UsageError("RTNETLINK answers: Invalid argument", "static sticky, or no sticky")
    if port is port.bridge.own_port and kind is not FdbKind.LOCAL:
        raise UsageError(
            "RTNETLINK answers: Invalid argument", "the bridge's own addresses are permanent"
        )
    if (
        kind is FdbKind.DYNAMIC
        and port.state is not PortState.FORWARDING
        and port.state is not PortState.LEARNING
    ):
        raise UsageError(
            "RTNETLINK answers: Operation not permitted", f"{port.device.name} does not learn now"
        )
    for each in _vids(port, vid):
        _set_one(port, mac, kind, each, sticky, setting)


def _set_one(
    port: BridgePort, mac: bytes, kind: FdbKind, vid: int, sticky: bool, setting: Setting
) -> None:
    fdb, now_ns = port.bridge.fdb, port.bridge.scheduler.now_ns
    entry = fdb.get(mac, vid)
    if entry is None:
        entry = fdb.add(mac, port, kind, now_ns, vid)
    elif setting is Setting.ADD:
        raise UsageError("RTNETLINK answers: File exists", "bridge fdb replace changes it")
    elif (entry.port, entry.kind, entry.sticky) != (port, kind, sticky):
        entry.updated_ns = now_ns
    entry.port = port
    entry.become(kind)
    entry.sticky = sticky
    entry.by_user = True
    entry.used_ns = now_ns
    port.bridge.arm_ageing()


def delete_station(port: BridgePort, mac: bytes, *, vid: int = 0) -> None:
    """``bridge fdb del MAC dev PORT master``; without a VLAN, in all of the port's."""
    fdb = port.bridge.fdb
    places = _vids(port, vid)
    found = [each for each in places if (e := fdb.get(mac, each)) is not None and e.port is port]
    if not found:
        raise UsageError("RTNETLINK answers: No such file or directory")
    for each in found:
        fdb.remove(mac, each)


def find_station(bridge: Bridge, mac: bytes, *, vid: int = 0) -> FdbEntry[BridgePort]:
    """``bridge fdb get MAC br BRIDGE``."""
    entry = bridge.fdb.get(mac, vid)
    if entry is None:
        raise UsageError("Error: Fdb entry not found.")
    return entry


def flush_stations(bridge: Bridge, matches: Callable[[FdbEntry[BridgePort]], bool]) -> None:
    """``bridge fdb flush``: forget all entries that ``matches`` is true of."""
    for entry in [entry for entry in bridge.fdb if matches(entry)]:
        bridge.fdb.remove(entry.mac, entry.vid)


def _vids(port: BridgePort, vid: int) -> tuple[int, ...]:
    if vid and vid not in port.vlans.members:
        raise UsageError(
            "RTNETLINK answers: Invalid argument", f"{port.device.name} is not in VLAN {vid}"
        )
    if vid:
        return (vid,)
    return (0, *sorted(port.vlans.members)) if port.bridge.vlan_filter.was_on else (0,)
