"""A switch on the wire: a node of its own, with a card for each port and no host behind it."""

from __future__ import annotations

from vnet.base.chance import Chance
from vnet.base.ids import Mac
from vnet.lab.switches import LinuxSwitch, Switch
from vnet.linux.bridge.bridge import Bridge
from vnet.netdev.nic import Nic
from vnet.sim.scheduler import Scheduler
from vnet.topology import model

_SWITCH_MTU = 9216
"""Switches pass jumbo frames; what a wire takes is the link's business."""


class WireSwitch:
    """The running node: the switch itself, and a card for each port by name."""

    def __init__(self, scheduler: Scheduler, chance: Chance, wanted: model.WireSwitch) -> None:
        self.name = wanted.name
        self.ports: dict[str, Nic] = {}
        macs = chance.stream(f"{wanted.name} port macs")
        for name in wanted.ports:
            mac = Mac(b"\x02" + macs.randbytes(5))
            self.ports[name] = Nic(scheduler, name, mac, mtu_bytes=_SWITCH_MTU, owner=wanted.name)
        self.switch: Switch = _linux_switch(scheduler, wanted, self.ports)


def _linux_switch(
    scheduler: Scheduler, wanted: model.WireSwitch, ports: dict[str, Nic]
) -> LinuxSwitch:
    bridge = Bridge(
        scheduler, wanted.name, owner=wanted.name, ageing_ns=wanted.ageing_ns, has_host=False
    )
    bridge.device.set_admin(True)
    for nic in ports.values():
        bridge.add_port(nic)
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
