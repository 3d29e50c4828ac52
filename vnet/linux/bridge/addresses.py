"""The MACs that are a bridge's own: its device's, and those of its ports.

A frame to any of them is for the host. Where several ports share a MAC, one has the entry in the
database, and another takes it over. Unless the user gave it one, the bridge takes the lowest MAC
among its ports, and the lowest MTU as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import MAC_ZERO, Mac
from vnet.tables.fdb import FdbKind

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge
    from vnet.linux.bridge.port import BridgePort

_MTU_WITHOUT_PORTS = 1500


class BridgeAddresses:
    """Of one bridge. ``by_user``: its own MAC was given to it, so that ports do not change it."""

    __slots__ = ("_bridge", "by_user")

    def __init__(self, bridge: Bridge, *, by_user: bool) -> None:
        self._bridge = bridge
        self.by_user = by_user

    def own(self, mac: bytes, port: BridgePort, vid: int = 0) -> None:
        """A port's MAC is the bridge's; where several ports share one, the first has the entry."""
        bridge = self._bridge
        entry = bridge.fdb.get(mac, vid)
        if mac != MAC_ZERO and (entry is None or not entry.is_local):
            bridge.fdb.add(mac, port, FdbKind.LOCAL, bridge.scheduler.now_ns, vid)

    def disown(self, mac: bytes, port: BridgePort, vid: int = 0) -> None:
        """``port`` gave up ``mac``; a port in that VLAN that has it too takes the entry over, or
        else the bridge itself (fdb_delete_local)."""
        bridge = self._bridge
        entry = bridge.fdb.get(mac, vid)
        if entry is None or not entry.is_local or entry.by_user or entry.port is not port:
            return
        for heir in (*bridge.ports, bridge.own_port):
            if heir is port or heir.device.mac != mac:
                continue
            if not vid or vid in heir.vlans.members:
                entry.port = heir
                return
        bridge.fdb.remove(mac, vid)

    def places(self, port: BridgePort) -> tuple[int, ...]:
        """Where a port has its own address in the database: without a VLAN, and in each of its."""
        return (0, *port.vlans.members) if self._bridge.vlan_filter.was_on else (0,)

    def port_mac_changed(self, port: BridgePort, old: bytes) -> None:
        """A port's device was given another MAC (br_fdb_changeaddr)."""
        for vid in self.places(port):
            self.disown(old, port, vid)
        for vid in self.places(port):
            self.own(port.device.mac, port, vid)
        self.follow_ports()

    def set_mac(self, mac: Mac) -> None:
        """Give the bridge a MAC of its own, which ports no longer change."""
        self.by_user = True
        self._take(mac)

    def _take(self, mac: Mac) -> None:
        bridge = self._bridge
        device, own_port = bridge.device, bridge.own_port
        if mac == device.mac:
            return
        old = device.mac
        for vid in self.places(own_port):
            self.disown(old, own_port, vid)
            self.own(mac, own_port, vid)
        device.mac = mac
        bridge.tree.set_address(mac)

    def take_after(self, port: BridgePort) -> None:
        """A port has joined. Only that one is looked at, for large bridges are built one by one."""
        bridge = self._bridge
        device, first = bridge.device, len(bridge.ports) == 1
        if not self.by_user and (first or port.device.mac < device.mac):
            self._take(port.device.mac)
        mtu_bytes = port.device.mtu_bytes
        device.mtu_bytes = mtu_bytes if first else min(device.mtu_bytes, mtu_bytes)

    def follow_ports(self) -> None:
        """A port has left, or its MAC is another."""
        bridge = self._bridge
        if not self.by_user:
            macs = (port.device.mac for port in bridge.ports)
            self._take(Mac(min(macs, default=MAC_ZERO)))
        mtus = (port.device.mtu_bytes for port in bridge.ports)
        bridge.device.mtu_bytes = min(mtus, default=_MTU_WITHOUT_PORTS)
