"""Where the devices behind interfaces come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vnet.netdev.device import NetDevice
    from vnet.ovs.vswitchd.config import BridgeConfig, InterfaceConfig


class Devices(Protocol):
    """A lab's hosts, a live switch's dummy devices, or a test."""

    def open(self, bridge: BridgeConfig, interface: InterfaceConfig) -> NetDevice | None:
        """The device of an interface, made where its type asks for that; None: there is none.

        Raises ``OSError`` where it cannot be had for another reason.
        """

    def close(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """The switch has let go of a device."""

    def configure(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """The settings of a device that was opened may have changed."""
