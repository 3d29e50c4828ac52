"""A switch on the wire: a node of its own, with a card for each port and no host behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet.base.chance import Chance
from vnet.base.ids import Mac
from vnet.lab.switches import LinuxSwitch, Switch
from vnet.linux.bridge.bridge import Bridge
from vnet.netdev.nic import Nic
from vnet.sim.scheduler import Scheduler
from vnet.topology import model

if TYPE_CHECKING:
    from vnet.ovs.openflow.messages import FlowMod, GroupMod, MeterMod

_SWITCH_MTU = 9216
"""Switches pass jumbo frames; what a wire takes is the link's business."""


class WireSwitch:
    """The running node: the switch itself, and a card for each port by name."""

    def __init__(self, name: str, ports: dict[str, Nic], switch: Switch) -> None:
        self.name = name
        self.ports = ports
        self.switch = switch


def build_wire_switch(
    scheduler: Scheduler,
    chance: Chance,
    wanted: model.WireSwitch,
    mods: Sequence[MeterMod | GroupMod | FlowMod] = (),
) -> WireSwitch:
    """Build the node; one of Open vSwitch is sent ``mods``."""
    ports = {}
    macs = chance.stream(f"{wanted.name} port macs")
    for name in wanted.ports:
        mac = Mac(b"\x02" + macs.randbytes(5))
        ports[name] = Nic(scheduler, name, mac, mtu_bytes=_SWITCH_MTU, owner=wanted.name)
    if wanted.ovs is None:
        return WireSwitch(wanted.name, ports, _linux_switch(scheduler, wanted, ports))
    # Labs without Open vSwitch do without all that it is made of.
    from vnet.lab.ovs_chassis import ovs_switch

    switch = ovs_switch(scheduler, chance, wanted.name, wanted.ovs, ports, mods)
    return WireSwitch(wanted.name, ports, switch)


def _linux_switch(
    scheduler: Scheduler, wanted: model.WireSwitch, ports: dict[str, Nic]
) -> LinuxSwitch:
    bridge = Bridge(
        scheduler, wanted.name, owner=wanted.name, ageing_ns=wanted.ageing_ns, has_host=False
    )
    wanted.linux.apply(bridge)
    bridge.device.set_admin(True)
    for nic in ports.values():
        wanted.linux.apply_to_port(bridge.add_port(nic))
        nic.state_changed = _PortWatcher(bridge, nic)
        nic.set_admin(True)
    return LinuxSwitch(wanted.name, bridge, is_node=True)


class _PortWatcher:
    """Keeps a port's state in step with its cable."""

    __slots__ = ("_bridge", "_nic")

    def __init__(self, bridge: Bridge, nic: Nic) -> None:
        self._bridge = bridge
        self._nic = nic

    def __call__(self) -> None:
        port = self._bridge.port_of(self._nic)
        assert port is not None
        if self._nic.running:
            self._bridge.enable_port(port)
        else:
            self._bridge.disable_port(port)
