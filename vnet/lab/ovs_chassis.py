"""Open vSwitch in a switch on the wire: its ports are cards, and no host is behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vnet.base.chance import Chance
from vnet.base.ids import Mac
from vnet.hypervisor.openvswitch import OpenVSwitch, default_mac
from vnet.lab.ovs_switch import OvsSwitch
from vnet.netdev.device import NetDevice
from vnet.netdev.nic import Nic
from vnet.netdev.route_source import NoRoutes, RouteSource
from vnet.netdev.unattended import UnattendedPort
from vnet.ovs.openflow.messages import FlowMod, GroupMod, MeterMod
from vnet.ovs.vswitchd.config import BridgeConfig, InterfaceConfig
from vnet.sim.scheduler import Scheduler
from vnet.topology.model import OvsBridge


class ChassisDevices:
    """The cards of one switch, and the local port that nobody is behind: a
    :class:`~vnet.hypervisor.openvswitch.SwitchDevices`."""

    def __init__(self, local: UnattendedPort, cards: Mapping[str, Nic]) -> None:
        self._devices: dict[str, NetDevice] = {local.name: local, **cards}
        self._local = local

    def open(self, _bridge: BridgeConfig, interface: InterfaceConfig) -> NetDevice | None:
        """The device behind a port."""
        return self._devices.get(interface.name)

    def close(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """Cards stay in the switch."""

    def configure(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """There is nothing else to set on cards."""

    def route_source(self) -> RouteSource:
        """Nobody: no host is behind the switch."""
        return NoRoutes()

    def check_free(self, device: str) -> None:
        """They are nobody else's."""
        assert device in self._devices, device

    def configure_local(self, bridge: str, mac: Mac, mtu_bytes: int) -> None:
        """What the local port has to be like."""
        assert bridge == self._local.name
        self._local.mac, self._local.mtu_bytes = mac, mtu_bytes


def ovs_switch(
    scheduler: Scheduler,
    chance: Chance,
    name: str,
    wanted: OvsBridge,
    cards: Mapping[str, Nic],
    mods: Sequence[MeterMod | GroupMod | FlowMod],
) -> OvsSwitch:
    """Build the switch ``name`` with ``cards`` as its ports, and send it ``mods``."""
    local = UnattendedPort(scheduler, name, default_mac(chance, name, name), owner=name)
    local.set_admin(True)
    machine = OpenVSwitch(scheduler, name, ChassisDevices(local, cards), chance)
    machine.add_bridge(wanted.config, wanted.ports)
    with machine.together():
        for nic in cards.values():
            if machine.bridge_of(nic.name) is None:
                machine.add_port(name, nic.name)
            nic.set_admin(True)
    if mods:
        machine.send(name, mods)
    return OvsSwitch(name, machine, name, [local])
