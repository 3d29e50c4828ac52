"""An interface as it runs: its port, the watch on its device, and the limits on what passes."""

from __future__ import annotations

from collections.abc import Callable

from vnet.base.ids import Mac
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.vswitchd import qos
from vnet.ovs.vswitchd.config import InterfaceConfig
from vnet.ovs.vswitchd.policing import Policing
from vnet.sim.scheduler import Scheduler


class Interface:
    """A running interface. ``is_new`` and ``is_stale`` are for whoever tells of it: it has come,
    and its link has changed, since somebody looked. ``status_changed`` is called then.
    """

    def __init__(
        self,
        config: InterfaceConfig,
        port: OfPort,
        bridge: Ofproto,
        scheduler: Scheduler,
        status_changed: Callable[[], None],
    ) -> None:
        self.config = config
        self.port = port
        self.is_new = True
        self.is_stale = True
        self.n_link_resets = 0
        """How often the carrier has come or gone."""
        self._bridge = bridge
        self._status_changed = status_changed
        self._policing = None if port.device is None else Policing(scheduler, port.device)
        self._others_hook: Callable[[], None] | None = None
        if port.device is not None:
            self._had_carrier = port.device.carrier
            self._others_hook = port.device.state_changed
            port.device.state_changed = self._state_changed

    @property
    def is_internal(self) -> bool:
        """Whether it is a device of the switch's own."""
        return self.config.type == "internal"

    def configure(self, config: InterfaceConfig) -> None:
        """Set what can be set on a running device."""
        self.config = config
        if config.is_patch:
            self.port.peer = config.peer
        if self._policing is not None:
            self._policing.configure(config)

    def adapt(self, mac: Mac | None, mtu_bytes: int | None) -> None:
        """Give its device another address or mtu, where there is one to give."""
        device = self.port.device
        assert device is not None
        if mac is not None and mac != device.mac:
            device.mac = mac
            self.tell()
        if mtu_bytes is not None and mtu_bytes != device.mtu_bytes:
            device.mtu_bytes = mtu_bytes
            self.tell()

    def unlimit(self) -> None:
        """Take away what limits how fast frames come in and leave."""
        qos.remove(self.port)
        if self._policing is not None:
            self._policing.remove()

    def unwatch(self) -> None:
        """Give the device's hook back to whoever had it before."""
        if self.port.device is not None and self._others_hook is not None:
            self.port.device.state_changed = self._others_hook

    def _state_changed(self) -> None:
        if self._others_hook is not None:
            self._others_hook()
        device = self.port.device
        assert device is not None
        self.n_link_resets += device.carrier != self._had_carrier
        self._had_carrier = device.carrier
        self._bridge.link_changed(self.port.number)
        self.tell()

    def tell(self) -> None:
        """There is news of its device."""
        self.is_stale = True
        self._status_changed()
