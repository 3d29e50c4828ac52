"""A bridge's own device, through which the host takes part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import Mac
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge
    from vnet.linux.bridge.port import BridgePort


class BridgeDevice(NetDevice):
    """The bridge as the host sees it (``br0``): its transmit is the bridge's own sending."""

    kind = "bridge"

    __slots__ = ("_came_to", "bridge")

    def __init__(self, bridge: Bridge, name: str, mac: Mac, owner: str) -> None:
        super().__init__(bridge.scheduler, name, mac, owner=owner)
        self.bridge = bridge
        self._came_to = b""

    def receive_at(self, port: BridgePort, frame: Frame) -> None:
        """A frame for the host came in by a port, whose MAC is as good as the bridge's there."""
        self._came_to = port.device.mac
        self.receive(frame)
        self._came_to = b""

    def is_for_host(self, mac: bytes) -> bool:
        return mac == self._came_to

    def _xmit(self, frame: Frame) -> None:
        self.bridge.send_own(frame)

    def _admin_changed(self) -> None:
        self.bridge.admin_changed()
