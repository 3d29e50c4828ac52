"""Where the devices of a switch come from that no lab is around."""

from __future__ import annotations

import errno
import os

from vnet.base.ids import MAC_ZERO
from vnet.live.clock import WallClock
from vnet.live.devices.dummy_level import DummyLevel
from vnet.live.devices.dummy_plug import DummyPlug
from vnet.live.devices.gathering import Gathering
from vnet.netdev.device import NetDevice
from vnet.netdev.unattended import UnattendedPort
from vnet.ovs.netdev.dummies import DummyDevices
from vnet.ovs.netdev.dummy import DummyDevice
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.ovs.vswitchd.config import TUNNEL_TYPES, BridgeConfig, InterfaceConfig

_LEAST_MTU_BYTES, _MOST_MTU_BYTES = 68, 65535
_DUMMY_TYPES = ("dummy", "dummy-internal", "dummy-pmd")


class StandaloneDevices:
    """Dummies, as far as they are enabled, and local ports that nobody is behind: the
    :class:`~vnet.ovs.vswitchd.devices.Devices` of a daemon by itself.

    There are no devices of the machine: a port cannot be one of its network cards. ``directory``
    is where relative names of sockets are, by default where Open vSwitch keeps its own.
    """

    def __init__(
        self,
        clock: WallClock,
        level: DummyLevel = DummyLevel.NONE,
        vlog: Vlog = SILENT,
        *,
        directory: str | None = None,
    ) -> None:
        self.dummies = DummyDevices(clock, n_before=1)  # the first is the datapath's own
        self._clock = clock
        self._level = level
        self._vlog = vlog
        self._directory = directory
        self._plugs: dict[str, DummyPlug] = {}
        self._gathering = Gathering()

    def open(self, bridge: BridgeConfig, interface: InterfaceConfig) -> NetDevice | None:
        """The device of an interface; None where it would be the machine's.

        Raises ``OSError`` with EAFNOSUPPORT for a type that there is not.
        """
        netdev_type = interface.type or "system"
        if netdev_type == "internal":
            is_in_dummy = (bridge.datapath_type or "system") in self._level.datapath_types
            netdev_type = "dummy-internal" if is_in_dummy else "tap"
        if self._is_dummy(netdev_type):
            return self._open_dummy(interface.name, netdev_type)
        if netdev_type == "tap":
            return UnattendedPort(self._clock, interface.name, MAC_ZERO)
        if netdev_type == "system":
            return None
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))

    def configure(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """The options of an interface may have changed, or the mtu that it asks for."""
        if isinstance(device, DummyDevice):
            self._plugs[device.name].configure(interface.options)
        mtu_bytes = interface.mtu_request
        if mtu_bytes is not None and _LEAST_MTU_BYTES <= mtu_bytes <= _MOST_MTU_BYTES:
            device.mtu_bytes = mtu_bytes

    def close(self, device: NetDevice, _interface: InterfaceConfig) -> None:
        """The switch has let go of a device."""
        if isinstance(device, DummyDevice):
            self._plugs.pop(device.name).close()
            self.dummies.remove(device)

    def unplug(self) -> None:
        """Let go of the streams and files behind devices: their switch has ended."""
        for plug in self._plugs.values():
            plug.close()
        self._plugs.clear()

    def _is_dummy(self, netdev_type: str) -> bool:
        match self._level:
            case DummyLevel.NONE:
                return False
            case DummyLevel.DUMMY:
                return netdev_type in _DUMMY_TYPES
            case DummyLevel.SYSTEM:
                return netdev_type in (*_DUMMY_TYPES, "system")
            case DummyLevel.ALL:
                return netdev_type in (*_DUMMY_TYPES, "system", "tap", *TUNNEL_TYPES)

    def _open_dummy(self, name: str, netdev_type: str) -> DummyDevice:
        device = self.dummies.make(name, netdev_type)
        around = (self._clock, device, self._vlog, self._gathering, self._directory)
        self._plugs[name] = DummyPlug(*around)
        return device
