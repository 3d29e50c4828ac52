"""A plain switch on the wire: a learning bridge with no host behind it."""

from __future__ import annotations

from vnet.base.chance import Chance
from vnet.base.ids import Mac
from vnet.linux.bridge.bridge import Bridge
from vnet.netdev.nic import Nic
from vnet.sim.scheduler import Scheduler
from vnet.topology.model import WireSwitch as WireSwitchModel


class WireSwitch:
    """The running switch: its bridge, and a card for each port by name."""

    def __init__(self, scheduler: Scheduler, chance: Chance, model: WireSwitchModel) -> None:
        self.name = model.name
        self.bridge = Bridge(
            scheduler, model.name, owner=model.name, ageing_ns=model.ageing_ns, has_host=False
        )
        self.bridge.device.set_admin(True)
        self.ports: dict[str, Nic] = {}
        macs = chance.stream(f"{model.name} port macs")
        for name in model.ports:
            mac = Mac(b"\x02" + macs.randbytes(5))
            nic = Nic(scheduler, name, mac, mtu_bytes=_SWITCH_MTU, owner=model.name)
            self.ports[name] = nic
            self.bridge.add_port(nic)
            nic.state_changed = _PortWatcher(self.bridge, nic)
            nic.set_admin(True)


_SWITCH_MTU = 9216
"""Switches pass jumbo frames; what a wire takes is the link's business."""


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
