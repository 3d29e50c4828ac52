"""Open vSwitch in a host of the lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vnet.hypervisor.host_devices import HostDevices
from vnet.hypervisor.modes.bridge import BridgeMode
from vnet.hypervisor.openvswitch import OpenVSwitch
from vnet.lab.ovs_switch import OvsSwitch
from vnet.linux.netns.namespace import Namespace
from vnet.ovs.openflow.messages import FlowMod, GroupMod, MeterMod
from vnet.ovs.openflow.text.meter import meter_text
from vnet.topology.model import OvsBridge


class OvsHost:
    """Starts the bridges of one host. ``switches`` are those that run."""

    def __init__(self, namespace: Namespace, mode: BridgeMode) -> None:
        self._devices = HostDevices(namespace)
        self._mode = mode
        self._owner = namespace.name
        self.machine = OpenVSwitch(
            namespace.scheduler, namespace.name, self._devices, namespace.chance
        )
        self.switches: list[OvsSwitch] = []

    def start_bridge(self, wanted: OvsBridge, *, ipv6: bool) -> None:
        """``ovs-vsctl add-br``; the bridge's own device speaks IPv6 if its uplink did."""
        name = wanted.config.name
        if ipv6:
            self._devices.ipv6.add(name)
        command = self.machine.add_bridge(wanted.config, wanted.ports)
        self._mode.take_up(name, self.machine, [command], "ifup")
        own = [self._devices.internal_port(name)]
        self.switches.append(OvsSwitch(f"{self._owner}:{name}", self.machine, name, own))

    def send(self, openflow: Mapping[str, Sequence[MeterMod | GroupMod | FlowMod]]) -> None:
        """What ovs-ofctl(8) is told at the start, by the bridges' names in the lab."""
        for switch in self.switches:
            mods = openflow.get(switch.label, ())
            if mods:
                self.machine.send(switch.name, mods)
                self._mode.did(*ofctl_commands(switch.name, mods))


def ofctl_commands(bridge: str, mods: Sequence[MeterMod | GroupMod | FlowMod]) -> list[str]:
    """The commands that would send all of it, groups and flows from standard input."""
    meters = [mod for mod in mods if isinstance(mod, MeterMod)]
    n_groups = sum(isinstance(mod, GroupMod) for mod in mods)
    numbers = {"groups": n_groups, "flows": len(mods) - len(meters) - n_groups}
    texts = (meter_text(mod.meter_id, mod.flags, mod.bands) for mod in meters)
    return [
        *(f"ovs-ofctl add-meter {bridge} '{' '.join(text.split())}'" for text in texts),
        *(f"ovs-ofctl add-{kind} {bridge} - # {n}" for kind, n in numbers.items() if n),
    ]
