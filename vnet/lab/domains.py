"""The virtual machines of one host, seen from the host: their names and their plugs.

What a virtual machine needs of its host is a back end for each card, under the name that the
hypervisor would give it. Domain numbers and tap numbers are never given out twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet.base.ids import IpAddress
from vnet.hypervisor.backend import (
    BACKEND_MAC,
    BackEnd,
    FrontEnd,
    XenBackEnd,
    plug_in,
    tap_mac,
)
from vnet.lab.host_scripts import HostScripts
from vnet.topology.devices import backend_name
from vnet.topology.model import Host, Hypervisor

if TYPE_CHECKING:
    from vnet.ovs.vswitchd.config import BridgePortConfig

_ATTACH_SCRIPTS = {
    Hypervisor.XEN: ("vif-bridge", "vif-openvswitch"),
    Hypervisor.KVM: ("qemu-ifup", "ovs-ifup"),
}
"""Who brings a guest's back end to a Linux bridge, and to one of Open vSwitch; VMware and Hyper-V
have no script of a name."""


class Domains:
    """Plugs the cards of virtual machines into the switches of ``host``."""

    def __init__(self, host: Host, scripts: HostScripts) -> None:
        self.host = host
        self._mode = scripts.bridges
        self._vifs = scripts.vifs
        self.networks = scripts.networks
        self.running: dict[str, int] = {}
        """The numbers of the machines that run here, by name."""
        self._scripts = _ATTACH_SCRIPTS.get(host.hypervisor, ("attach", "attach"))
        self._last_domid = 0
        self._cards = 0

    def names(self, vm: str, cards: int) -> list[str]:
        """The back ends' names of a machine that starts here, or comes from elsewhere."""
        self._last_domid += 1
        self.running.pop(vm, None)
        self.running[vm] = self._last_domid
        names = []
        for index in range(cards):
            name = self._next_name(vm, index)
            while self.host.hypervisor is Hypervisor.KVM and self.has_device(name):
                name = self._next_name(vm, index)  # As libvirt, which takes the next free tap.
            names.append(name)
        return names

    def _next_name(self, vm: str, index: int) -> str:
        ordinal, self._cards = self._cards, self._cards + 1
        return backend_name(self.host.hypervisor, self._last_domid, index, vm, ordinal)

    def has_device(self, name: str) -> bool:
        """Whether the host has a device ``name``."""
        return self._mode.has_device(name)

    def bridge_of(self, name: str) -> str | None:
        """The switch that a back end is plugged into."""
        return self._mode.bridge_of(name)

    def plug(
        self,
        front: FrontEnd,
        name: str,
        switch: str,
        settings: BridgePortConfig | None = None,
        addresses: Sequence[IpAddress] = (),
    ) -> None:
        """Give a fresh card, or one that was just unplugged elsewhere, the back end ``name`` on
        ``switch``; without one it hangs on its back end alone, which leads to its ``addresses``.
        ``settings`` are what :meth:`let_go` found there."""
        back = self._back_end(front, name)
        plug_in(front, back)
        if switch or self._vifs is None:
            self._mode.attach(switch, back, self._script(switch), settings)
        else:
            self._vifs.online(back, addresses)

    def let_go(self, back: BackEnd) -> BridgePortConfig | None:
        """Take away a back end whose machine has gone elsewhere; returns the settings of its
        port, which go with the machine."""
        if self._vifs is not None and self.bridge_of(back.name) is None:
            self._vifs.offline(back)
            return None
        return self._mode.detach(back, self._script(self.bridge_of(back.name)))

    def _script(self, switch: str | None) -> str:
        known = self.host.switches.get(switch or "")
        return self._scripts[known is not None and known.ovs is not None]

    def switch_for(self, wanted: str) -> str:
        """The switch a card goes to that was on one called ``wanted``; empty for none."""
        if wanted in self.host.switches:
            return wanted
        return "" if self._vifs is not None else next(iter(self.host.switches))

    def _back_end(self, front: FrontEnd, name: str) -> BackEnd:
        kvm = self.host.hypervisor is Hypervisor.KVM
        mac = tap_mac(front.mac) if kvm else BACKEND_MAC
        made = XenBackEnd if self.host.hypervisor is Hypervisor.XEN else BackEnd
        back = made(front.scheduler, name, mac, front.mtu_bytes)
        back.recorder = front.recorder
        return back
