"""A device's link as bridge and stack follow it: up, down, carrier come and gone.

Setting a device down is felt at once. What depends on a carrier follows at once too, or, in
a namespace that has a :class:`~vnet.linux.linkwatch.Linkwatch`, when its turn comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface


class LinkState:
    """The ``state_changed`` hook of an interface's device.

    ``operational`` is the link as last told to bridge and stack (IF_OPER_UP); ``sending``
    whether the device's queue has been started (dev_activate()).
    """

    __slots__ = ("_interface", "operational", "sending")

    def __init__(self, interface: Interface) -> None:
        self._interface = interface
        self.operational = interface.device.carrier
        self.sending = False

    def __call__(self) -> None:
        """The device was set up or down, or its carrier changed."""
        device = self._interface.device
        linkwatch = self._interface.namespace.linkwatch
        if linkwatch is None:
            self.operational = device.running
            return self._follow()
        if not device.admin_up:
            self.sending = False
            self._follow()
        elif device.carrier and self.operational:
            self.sending = True
            self._follow()
        if device.carrier != self.operational:
            linkwatch.fire(self)
        return None

    @property
    def is_urgent(self) -> bool:
        device = self._interface.device
        if not device.admin_up:
            return False
        return device.ifindex != device.iflink or (device.carrier and not self.sending)

    def serve(self) -> None:
        """Linkwatch's turn has come."""
        device = self._interface.device
        self.operational = device.carrier
        if device.admin_up:
            self.sending = device.carrier
            self._follow()

    def device_opened(self) -> None:
        """The device was just set up; with a carrier its queue starts at once."""
        self.sending = self._interface.device.running

    def _forget_neighbors(self) -> None:
        interface = self._interface
        down = not interface.device.admin_up
        if down or interface.conf4.arp_evict_nocarrier:
            interface.arp_cache.flush(keep_permanent=True)
        if down or interface.conf6.ndisc_evict_nocarrier:
            interface.nd_cache.flush(keep_permanent=True)

    def _follow(self) -> None:
        interface = self._interface
        namespace, device = interface.namespace, interface.device
        up = device.running and self.operational
        bridge = namespace.master_of(device.name)
        port = bridge.port_of(device) if bridge else None
        if bridge and port:
            if up:
                bridge.enable_port(port)
            else:
                bridge.disable_port(port)
        if up != interface.ready:
            interface.ready = up
            if not up:
                # Who answered on that link need not be there on the next (neigh_carrier_down()).
                self._forget_neighbors()
            if interface.addrconf is not None:
                interface.addrconf.link_changed(up)
        namespace.link_changed(interface)
