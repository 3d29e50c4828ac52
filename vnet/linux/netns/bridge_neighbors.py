"""What a bridge asks the host behind it, to answer for stations (``neigh_suppress``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vnet.base.ids import Mac
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.netns.vlan_devices import vlans_on
from vnet.netdev.device import NetDevice
from vnet.tables.neigh import VALID

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


class BridgeNeighbors:
    """Neighbours and addresses on a bridge's own device and on its VLANs."""

    def __init__(self, namespace: Namespace, bridge: Bridge) -> None:
        self._namespace = namespace
        self._bridge = bridge

    def has_vlan(self, vid: int) -> bool:
        """Whether there is a device for that VLAN of the bridge."""
        return self._device(vid) is not None

    def does_arp(self) -> bool:
        """Whether the bridge's own device speaks ARP."""
        interface = self._interface(self._bridge.device)
        return interface is not None and interface.arp

    def owns(self, ip: bytes, vid: int) -> bool:
        """Whether the device, or a VLAN that stands on it, has that address."""
        device = self._device(vid)
        if device is None:
            return False
        stack = (self._interface(each) for each in self._with_uppers(device))
        return any(interface is not None and interface.find(ip) is not None for interface in stack)

    def mac_of(self, ip: bytes, vid: int) -> tuple[Mac, bool] | None:
        """The MAC of a neighbour whose entry is valid, and whether it is a router."""
        device = self._device(vid)
        interface = None if device is None else self._interface(device)
        if interface is None:
            return None
        cache = interface.nd_cache if len(ip) == 16 else interface.arp_cache
        neighbor = cache.table.get(ip)
        if neighbor is None or neighbor.mac is None or neighbor.state not in VALID:
            return None
        return Mac(neighbor.mac), neighbor.is_router

    def _device(self, vid: int) -> NetDevice | None:
        own = self._bridge.device
        if not vid:
            return own
        protocol = self._bridge.vlan_filter.protocol
        found = (each for each in vlans_on(own) if (each.vid, each.protocol) == (vid, protocol))
        return next(found, None)

    def _with_uppers(self, device: NetDevice) -> Iterator[NetDevice]:
        yield device
        for upper in vlans_on(device):
            yield from self._with_uppers(upper)

    def _interface(self, device: NetDevice) -> Interface | None:
        return self._namespace.interfaces.get(device.name)
